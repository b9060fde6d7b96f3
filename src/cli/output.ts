/** How a command speaks: text or JSON on standard output, problems on standard error, one exit code. */
import { describeProblem, type Problem } from '../domain/failures.js';
import { EXIT_CODES } from '../domain/report/report.js';
import { printableJson, printableLines } from '../domain/text/text.js';
import { hostAndPort } from '../network/host-and-port.js';
import { messageLines, printablePainted } from './terminal-text.js';

/** Besides the outcomes' own codes; `OTHER_EXIT_CODES` has all of them. */
export const USAGE_EXIT_CODE = 2;
const UNREACHABLE_EXIT_CODE = 3;
/** A schedule on the server was changed by hand, or is not ours: nothing was applied. */
export const HAND_CHANGE_EXIT_CODE = 4;

/** Meaning → code, for `--help` and the documents: what is no outcome of a run. */
export const OTHER_EXIT_CODES: Readonly<Record<string, number>> = {
  'an error that is none of those below; the message says which': 1,
  'usage or configuration': USAGE_EXIT_CODE,
  'Temporal cannot be reached': UNREACHABLE_EXIT_CODE,
  'a schedule was changed by hand; nothing was applied': HAND_CHANGE_EXIT_CODE,
  'the terminal was closed (SIGHUP) while the command waited': 129,
  'Ctrl-C (SIGINT) while the command waited; 0 for watch and start --watch': 130,
  'SIGTERM while the command waited': 143,
};

/** A command that cannot go on; `kind` is stable and stands in `--json`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    readonly kind: string,
    message: string,
    readonly exitCode: number = USAGE_EXIT_CODE,
    readonly problems: readonly Problem[] = [],
  ) {
    super(message);
  }
}

export function print(text: string): void {
  process.stdout.write(`${printableLines(text)}\n`);
}

/** What a renderer made, of facts that are printable: its colours stay. */
export function printPainted(text: string): void {
  process.stdout.write(`${printablePainted(text)}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${printableJson(JSON.stringify(value, null, 2))}\n`);
}

/** For streams of values: one a line. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${printableJson(JSON.stringify(value))}\n`);
}

/** Progress and hints: never in the way of what a pipe reads. */
export function hint(text: string): void {
  process.stderr.write(`${printableLines(text)}\n`);
}

/** Names of the client's errors → exit codes; told by name, so that no Temporal code is loaded to tell. */
const CODE_OF_ERROR: Readonly<Record<string, number>> = {
  ServerUnreachable: UNREACHABLE_EXIT_CODE,
  TemporalUnreachable: UNREACHABLE_EXIT_CODE,
  PlanRefused: EXIT_CODES.refused,
};

/** A schedule's name that leads nowhere, or to several. */
const SCHEDULE_NAMING_ERRORS = ['ScheduleNotFound', 'AmbiguousSchedule', 'ForeignSchedule'];

/** Says what went wrong, in the form that was asked for. @returns the exit code */
export function fail(error: unknown, asJson: boolean): number {
  const { kind, message, exitCode, problems } = factsOf(error);
  if (asJson) printJson({ error: { kind, message, ...(problems.length === 0 ? {} : { problems }) } });
  else
    hint(
      [
        `runbook: ${messageLines(message).join('\n')}`,
        ...problems.map((problem) => `- ${describeProblem(problem)}`),
      ].join('\n'),
    );
  return exitCode;
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process does',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'this user may not',
};

/** Node writes the address without brackets. @returns `null` for any other error */
function listenProblem(error: Error): string | null {
  const { syscall, address, port, code } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall !== 'listen' || address === undefined || port === undefined) return null;
  return `cannot listen on ${hostAndPort(address, port)}: ${WHY_NOT[code ?? ''] ?? 'the system refuses it'} (${code})`;
}

/** The caller named something that does not fit. */
const CLIENT_NAMING_ERRORS = [
  'RunNotFound',
  'RunIdTaken',
  'InvalidRunId',
  'InvalidRequest',
  'NoReport',
  'NotARun',
  'AccessDenied',
];

const BRING_ONE_UP = '. For a try, `npm run demo -- --keep` brings one up on this machine';

/** Temporal was away before the command was about any run. */
function isNoTemporal(error: Error): boolean {
  return error.name === 'ServerUnreachable' && (error as { workflowId?: string | null }).workflowId === null;
}

function factsOf(error: unknown): { kind: string; message: string; exitCode: number; problems: readonly Problem[] } {
  if (error instanceof CommandError) return error;
  if (!(error instanceof Error)) return { kind: 'Error', message: String(error), exitCode: 1, problems: [] };
  const { name } = error;
  const message = listenProblem(error) ?? `${error.message}${isNoTemporal(error) ? BRING_ONE_UP : ''}`;
  // A configuration error's message holds its problems already.
  if (name === 'ConfigurationError') return { kind: name, message, exitCode: USAGE_EXIT_CODE, problems: [] };
  const known = [...CLIENT_NAMING_ERRORS, ...SCHEDULE_NAMING_ERRORS].includes(name);
  return { kind: name, message, exitCode: CODE_OF_ERROR[name] ?? (known ? USAGE_EXIT_CODE : 1), problems: [] };
}
