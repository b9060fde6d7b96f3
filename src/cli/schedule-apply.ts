/**
 * `runbook schedule diff` and `apply`. The file is checked completely before the server is asked, and nothing is
 * applied if anything is in the way.
 */
import type { Difference } from '../schedules/compare.js';
import type { ReadSchedules } from '../schedules/read-schedules.js';
import type { ScheduleWarning } from '../schedules/warnings.js';
import { printable } from '../domain/text/text.js';
import { CommandError, HAND_CHANGE_EXIT_CODE, hint, printJson, printPainted, USAGE_EXIT_CODE } from './output.js';
import { createColors } from './colors.js';
import { hintIfNotChecked, readCalendars } from './read-calendars.js';
import { renderApplied, renderDifferences } from './render-schedules.js';
import type { SessionOptions } from './options.js';
import { withSession } from './session.js';
import { HORIZON_MS, loadScheduleFile } from './schedule-file.js';

/** Runs `schedule diff`. @returns the exit code */
export async function diff(file: string, options: SessionOptions & { exitCode?: boolean }): Promise<number> {
  const { read, warnings } = await readFile(file);
  const differences = await withSession(options, ({ client, taskQueue }) => compare(client, read, taskQueue));
  const isSame = differences.every(
    ({ status, desired }) => status === 'unchanged' || (status === 'foreign' && desired === null),
  );
  if (options.json === true) printJson({ owner: read.owner, schedules: differences.map(shown), warnings });
  else {
    printPainted(renderDifferences(differences, createColors()));
    printWarnings(warnings);
  }
  return options.exitCode === true && !isSame ? 1 : 0;
}

async function compare(...given: Parameters<(typeof import('../schedules/compare.js'))['compareSchedules']>) {
  const { compareSchedules } = await import('../schedules/compare.js');
  return compareSchedules(...given);
}

/** Leaves out the raw description, which belongs to the SDK. */
function shown({ id, name, status, changes, byHand, paused, reason }: Difference) {
  return { id, name, status, changes, byHand, paused, reason };
}

/** Runs `schedule apply`. @returns the exit code */
export async function apply(file: string, options: SessionOptions & { overwrite?: string[] }): Promise<number> {
  const { read, warnings } = await readFile(file);
  const { applyDifferences } = await import('../schedules/apply.js');
  const applied = await withSession(options, async ({ client, taskQueue }) => {
    const differences = await compare(client, read, taskQueue);
    await refuseWhereChanged(differences, options.overwrite ?? []);
    return applyDifferences(client, differences, taskQueue);
  });
  if (options.json === true) printJson({ owner: read.owner, applied, warnings });
  else {
    printPainted(renderApplied(applied, createColors()));
    printWarnings(warnings);
  }
  return applied.some(({ result }) => result === 'failed') ? 1 : 0;
}

function printWarnings(warnings: readonly ScheduleWarning[]): void {
  for (const { id, text } of warnings) hint(printable(`! ${id}: ${text}`));
}

async function readFile(file: string): Promise<{ read: ReadSchedules; warnings: ScheduleWarning[] }> {
  const [calendars, { freezesOf }, { scheduleWarnings }] = await Promise.all([
    readCalendars(),
    import('../schedules/schedule-checks.js'),
    import('../schedules/warnings.js'),
  ]);
  const read = await loadScheduleFile(file, calendars);
  const named = read.schedules.flatMap(({ entry, runbook }) => [...(entry.freeze ?? []), ...freezesOf(runbook)]);
  hintIfNotChecked(calendars, named);
  const nowMs = Date.now();
  const { freezesBetween } = calendars;
  const warnings = await scheduleWarnings(read.schedules, { nowMs, untilMs: nowMs + HORIZON_MS, freezesBetween });
  return { read, warnings };
}

/** @throws CommandError if a schedule was changed by hand or is in the way, before anything is applied */
async function refuseWhereChanged(differences: readonly Difference[], overwrite: readonly string[]): Promise<void> {
  const { refusals } = await import('../schedules/apply.js');
  const unknown = overwrite.filter((given) => !differences.some(({ id, name }) => given === name || given === id));
  if (unknown.length > 0)
    throw new CommandError(
      'Usage',
      `--overwrite ${unknown.join(', ')}: neither the file nor the server has this schedule; nothing was applied`,
      USAGE_EXIT_CODE,
    );
  const refused = refusals(differences, overwrite);
  if (refused.length === 0) return;
  const problems = refused.map(({ id, name, status, byHand }) =>
    status === 'foreign'
      ? {
          code: status,
          place: id,
          found: 'a schedule on the server was not created from a file, or its action was replaced by hand',
          remedy: 'Rename yours, or delete that one',
        }
      : {
          code: status,
          place: id,
          found: `changed by hand: ${byHand.map(({ path, from, to }) => `${path} ${JSON.stringify(from)} → ${JSON.stringify(to)}`).join('; ')}`,
          remedy: `To keep the change, write it into the file; then apply the file with --overwrite ${name}`,
        },
  );
  const message = 'Something on the server is in the way; nothing was applied:';
  throw new CommandError('ChangedByHand', message, HAND_CHANGE_EXIT_CODE, problems);
}
