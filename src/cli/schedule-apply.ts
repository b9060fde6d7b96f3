/** `runbook schedule diff` and `apply`: the file is read whole before anything is asked of a server, and nothing is applied where something is in the way. */
import type { Difference } from '../schedules/compare.js';
import type { ReadSchedules } from '../schedules/read-schedules.js';
import type { ScheduleWarning } from '../schedules/warnings.js';
import { printable } from '../domain/text/text.js';
import { CommandError, HAND_CHANGE_EXIT_CODE, hint, printJson, printPainted, USAGE_EXIT_CODE } from './output.js';
import { paintForOutput } from './paint.js';
import { hintIfNotChecked, readCalendars } from './read-calendars.js';
import { renderApplied, renderDifferences } from './render-schedules.js';
import { HORIZON_MS, readFileOrTell, withServer, type ScheduleOptions } from './schedule-session.js';

/** @returns the exit code */
export async function diff(file: string, options: ScheduleOptions & { exitCode?: boolean }): Promise<number> {
  const { read, warnings } = await readFile(file);
  const differences = await withServer(options, ({ client, taskQueue }) => compare(client, read, taskQueue));
  const isSame = differences.every(
    ({ status, desired }) => status === 'unchanged' || (status === 'foreign' && desired === null),
  );
  if (options.json === true) printJson({ owner: read.owner, schedules: differences.map(shown), warnings });
  else {
    printPainted(renderDifferences(differences, paintForOutput()));
    tell(warnings);
  }
  return options.exitCode === true && !isSame ? 1 : 0;
}

async function compare(...given: Parameters<(typeof import('../schedules/compare.js'))['compareSchedules']>) {
  const { compareSchedules } = await import('../schedules/compare.js');
  return compareSchedules(...given);
}

/** Without the raw description, which is the SDK's. */
function shown({ id, name, status, changes, byHand, paused, reason }: Difference) {
  return { id, name, status, changes, byHand, paused, reason };
}

/** @returns the exit code */
export async function apply(file: string, options: ScheduleOptions & { overwrite?: string[] }): Promise<number> {
  const { read, warnings } = await readFile(file);
  const { applyDifferences } = await import('../schedules/apply.js');
  const applied = await withServer(options, async ({ client, taskQueue }) => {
    const differences = await compare(client, read, taskQueue);
    await refuseWhereChanged(differences, options.overwrite ?? []);
    return applyDifferences(client, differences, taskQueue);
  });
  if (options.json === true) printJson({ owner: read.owner, applied, warnings });
  else {
    printPainted(renderApplied(applied, paintForOutput()));
    tell(warnings);
  }
  return applied.some(({ result }) => result === 'failed') ? 1 : 0;
}

function tell(warnings: readonly ScheduleWarning[]): void {
  for (const { id, text } of warnings) hint(printable(`! ${id}: ${text}`));
}

async function readFile(file: string): Promise<{ read: ReadSchedules; warnings: ScheduleWarning[] }> {
  const [calendars, { freezesOf }, { scheduleWarnings }] = await Promise.all([
    readCalendars(),
    import('../schedules/schedule-checks.js'),
    import('../schedules/warnings.js'),
  ]);
  const read = await readFileOrTell(file, calendars);
  const named = read.schedules.flatMap(({ entry, runbook }) => [...(entry.freeze ?? []), ...freezesOf(runbook)]);
  hintIfNotChecked(calendars, named);
  const nowMs = Date.now();
  const { freezesBetween } = calendars;
  const warnings = await scheduleWarnings(read.schedules, { nowMs, untilMs: nowMs + HORIZON_MS, freezesBetween });
  return { read, warnings };
}

/** @throws CommandError when anything stands in the way: then nothing at all is applied */
async function refuseWhereChanged(differences: readonly Difference[], overwrite: readonly string[]): Promise<void> {
  const { refusals } = await import('../schedules/apply.js');
  const unknown = overwrite.filter((given) => !differences.some(({ id, name }) => given === name || given === id));
  if (unknown.length > 0)
    throw new CommandError(
      'Usage',
      `--overwrite ${unknown.join(', ')}: neither the file nor the server has a schedule of that name; nothing was applied`,
      USAGE_EXIT_CODE,
    );
  const refused = refusals(differences, overwrite);
  if (refused.length === 0) return;
  const problems = refused.map(({ id, name, status, byHand }) =>
    status === 'foreign'
      ? {
          code: status,
          place: id,
          found:
            'it is on the server without the mark of a file: somebody else made it, or replaced its action by hand',
          remedy: 'Give yours another name, or delete that one',
        }
      : {
          code: status,
          place: id,
          found: `changed by hand: ${byHand.map(({ path, from, to }) => `${path} ${JSON.stringify(from)} → ${JSON.stringify(to)}`).join('; ')}`,
          remedy: `To keep it, write it into the file; then apply what the file says with --overwrite ${name}`,
        },
  );
  const message = 'Something on the server is in the way; nothing was applied:';
  throw new CommandError('ChangedByHand', message, HAND_CHANGE_EXIT_CODE, problems);
}
