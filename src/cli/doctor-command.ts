/** `runbook doctor`: checks an installation before anybody trusts it, and names a remedy for each finding. */
import type { Command } from 'commander';
import type { Facts, FilesRead } from '../doctor/facts.js';
import type { Line } from '../doctor/judge.js';
import type { Verdict } from '../doctor/finding.js';
import { printable } from '../domain/text/text.js';
import { createColors, type Colors } from './colors.js';
import { numberBetween, withSessionOptions, type SessionOptions } from './options.js';
import { printJson, printPainted, USAGE_EXIT_CODE, type SetExitCode } from './output.js';

interface DoctorOptions extends SessionOptions {
  readonly timeout: number;
}

/** The exit code of each end. */
const DOCTOR_EXIT_CODES = { healthy: 0, failed: 1, configuration: USAGE_EXIT_CODE } as const;

const EXIT_CODE_HELP = `
Exit codes:
  ${DOCTOR_EXIT_CODES.healthy}  no check failed; warnings and what was not checked do not count
  ${DOCTOR_EXIT_CODES.failed}  a check failed
  ${DOCTOR_EXIT_CODES.configuration}  the configuration itself has problems`;

/** Adds `runbook doctor`. */
export function addDoctorCommand(program: Command, setExitCode: SetExitCode): void {
  withSessionOptions(program.command('doctor').argument('[files...]', 'further files to check, such as schedules'))
    .description('check Temporal, ServiceStage, credentials, clock and files; reads only, and sends no action')
    .option('--timeout <seconds>', 'longest time for one question', numberBetween(0.1, 60), 5)
    .addHelpText('after', EXIT_CODE_HELP)
    .action(async (files: readonly string[], options: DoctorOptions) => setExitCode(await doctor(files, options)));
}

async function doctor(files: readonly string[], { taskQueue, timeout, json }: DoctorOptions): Promise<number> {
  const [{ examine }, { judge, totals }] = await Promise.all([
    import('../doctor/doctor.js'),
    import('../doctor/judge.js'),
  ]);
  const givenFiles = files.length === 0 ? null : () => readFiles(files);
  const facts = await examine({ env: process.env, taskQueue, givenFiles, timeoutMs: timeout * 1_000 });
  const lines = judge(facts);
  const counted = totals(lines);
  if (json === true) printJson({ healthy: counted.fail === 0, totals: counted, checks: lines });
  else printPainted(renderFindings(lines, createColors()));
  return exitCodeOf(facts, counted.fail);
}

function exitCodeOf({ configuration }: Facts, failed: number): number {
  if (configuration.problems.length > 0) return DOCTOR_EXIT_CODES.configuration;
  return failed === 0 ? DOCTOR_EXIT_CODES.healthy : DOCTOR_EXIT_CODES.failed;
}

async function readFiles(files: readonly string[]): Promise<FilesRead> {
  const [{ validateFiles }, { readCalendars }] = await Promise.all([
    import('./validate-files.js'),
    import('./read-calendars.js'),
  ]);
  const { checked, problems } = await validateFiles(files, await readCalendars());
  return { count: checked, problems };
}

const SHOWN: Readonly<Record<Verdict, { readonly word: string; readonly paint: (colors: Colors) => Colors['bold'] }>> =
  {
    ok: { word: 'ok', paint: (colors) => colors.result('succeeded') },
    warn: { word: 'warn', paint: ({ warn }) => warn },
    fail: { word: 'FAIL', paint: ({ bad }) => bad },
    notChecked: { word: '-', paint: ({ dim }) => dim },
  };

/** The table: one line for each check, and what to do below it. */
export function renderFindings(lines: readonly Line[], colors: Colors): string {
  const width = Math.max(...lines.map(({ check }) => check.length));
  const rows = lines.flatMap(({ check, verdict, found, remedy }) => {
    const { word, paint } = SHOWN[verdict];
    const row = `${paint(colors)(word.padEnd(4))}  ${check.padEnd(width)}  ${printable(found)}`;
    return remedy === null ? [row] : [row, `${' '.repeat(width + 8)}→ ${printable(remedy)}`];
  });
  const count = (verdict: Verdict) => lines.filter((line) => line.verdict === verdict).length;
  const sum = `${count('ok')} ok, ${count('warn')} warning${count('warn') === 1 ? '' : 's'}, ${count('fail')} failed, ${count('notChecked')} not checked`;
  return [...rows, '', sum].join('\n');
}
