/** `runbook schedule diff` and `apply`: the file is read whole before anything is asked of a server, and nothing is applied where something is in the way. */
import type { Difference } from '../schedules/compare.js';
import { CommandError, HAND_CHANGE_EXIT_CODE, hint, print, printJson, USAGE_EXIT_CODE } from './output.js';
import { paintForOutput } from './paint.js';
import { renderApplied, renderDifferences } from './render-schedules.js';
import { HORIZON_MS, readFileOrTell, withServer, type ScheduleOptions, type Session } from './schedule-session.js';

/** @returns the exit code */
export async function diff(file: string, options: ScheduleOptions & { exitCode?: boolean }): Promise<number> {
  const read = await readFileOrTell(file);
  const differences = await withServer(options, ({ client, taskQueue }) => compare(client, read, taskQueue));
  const isSame = differences.every(
    ({ status, wished }) => status === 'unchanged' || (status === 'foreign' && wished === null),
  );
  if (options.json === true) printJson({ owner: read.owner, schedules: differences.map(shown) });
  else print(renderDifferences(differences, paintForOutput()));
  return options.exitCode === true && !isSame ? 1 : 0;
}

async function compare(...given: Parameters<(typeof import('../schedules/compare.js'))['compareSchedules']>) {
  const { compareSchedules } = await import('../schedules/compare.js');
  return compareSchedules(...given);
}

/** Without the raw description, which is the SDK's. */
function shown({ id, name, status, changes, byHand, paused }: Difference) {
  return { id, name, status, changes, byHand, paused };
}

/** @returns the exit code */
export async function apply(file: string, options: ScheduleOptions & { overwrite?: string[] }): Promise<number> {
  const read = await readFileOrTell(file);
  const { applyDifferences } = await import('../schedules/apply.js');
  const { applied, warnings } = await withServer(options, async ({ client, taskQueue }) => {
    const differences = await compare(client, read, taskQueue);
    await refuseWhereChanged(differences, options.overwrite ?? []);
    const results = await applyDifferences(client, differences, taskQueue);
    return {
      applied: results,
      warnings: await clockWarnings(
        client,
        read.schedules.map(({ id }) => id),
      ),
    };
  });
  if (options.json === true) printJson({ owner: read.owner, applied, warnings });
  else {
    print(renderApplied(applied, paintForOutput()));
    for (const { id, text } of warnings) hint(`! ${id}: ${text}`);
  }
  return applied.some(({ result }) => result === 'failed') ? 1 : 0;
}

/** @throws CommandError when anything stands in the way: then nothing at all is applied */
async function refuseWhereChanged(differences: readonly Difference[], overwrite: readonly string[]): Promise<void> {
  const { refusals } = await import('../schedules/apply.js');
  const unknown = overwrite.filter((name) => !differences.some((difference) => difference.name === name));
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
          found: 'it is on the server, and no file made it',
          remedy: 'Give yours another name, or delete that one',
        }
      : {
          code: status,
          place: id,
          found: `changed by hand: ${byHand.map(({ path, from, to }) => `${path} ${JSON.stringify(from)} → ${JSON.stringify(to)}`).join('; ')}`,
          remedy: `Write it into the file, or take it back with --overwrite ${name}`,
        },
  );
  const message = 'Something on the server is in the way; nothing was applied:';
  throw new CommandError('ChangedByHand', message, HAND_CHANGE_EXIT_CODE, problems);
}

interface ClockWarning {
  readonly id: string;
  readonly kind: 'missing' | 'twice';
  readonly localTime: string;
  readonly text: string;
}

/** Local times of the coming year that a change of the clocks takes away or repeats. */
async function clockWarnings(client: Session['client'], ids: readonly string[]): Promise<ClockWarning[]> {
  const [{ describe }, { clockSurprises, describeSurprise }, { CALLS_AT_A_TIME, inParallel }] = await Promise.all([
    import('../schedules/compare.js'),
    import('../schedules/daylight-saving.js'),
    import('../schedules/in-parallel.js'),
  ]);
  const found = await inParallel(ids, CALLS_AT_A_TIME, async (id) => {
    const seen = await describe(client, id);
    if (seen === null) return [];
    const zone = seen.spec.timezone || 'UTC';
    const surprises = clockSurprises(seen.spec.calendars ?? [], zone, Date.now(), Date.now() + HORIZON_MS);
    return surprises.map((surprise) => ({
      id,
      kind: surprise.kind,
      localTime: surprise.localTime,
      text: describeSurprise(surprise, zone),
    }));
  });
  return found.flat();
}
