/** Commands about schedules: diff, apply, list, pause, resume, run-now, next. What a file says is read and checked before anything is asked of a server. */
import { existsSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import { durationMs } from '../domain/duration.js';
import type { Difference } from '../schedules/compare.js';
import type { OwnedSchedule } from '../schedules/operate.js';
import { CommandError, HAND_CHANGE_EXIT_CODE, hint, print, printJson, USAGE_EXIT_CODE } from './output.js';
import { paintFor } from './paint.js';
import { readCalendars } from './read-calendars.js';
import {
  renderApplied,
  renderDifferences,
  renderList,
  renderOccurrences,
  type ShownOccurrences,
} from './render-schedules.js';
import { readFileOrTell, userName, withServer, type ScheduleOptions, type Session } from './schedule-session.js';

type Done = (exitCode: number) => void;

interface NextCommandOptions extends ScheduleOptions {
  readonly count: number;
  readonly until?: number;
}

const DAY_MS = 86_400_000;
/** More than a year, so that both changes of the clocks are in it. */
const HORIZON_MS = 400 * DAY_MS;

export function addScheduleCommands(program: Command, done: Done): void {
  const schedule = program
    .command('schedule')
    .description('schedules from a file: diff, apply, list, pause, resume, run-now, next');
  const withFile = (name: string) => withCommon(schedule.command(name).argument('<file>', 'a schedule file'));
  const withName = (name: string) =>
    withCommon(schedule.command(name).argument('<name>', 'owner/name, or a name that only one owner has'));
  const collect = (value: string, earlier: readonly string[] = []) => [...earlier, value];
  withFile('diff')
    .description('show what apply would change, and what somebody changed on the server by hand; changes nothing')
    .option('--exit-code', 'exit with 1 when there is a difference')
    .action(async (file: string, options: ScheduleOptions & { exitCode?: boolean }) => done(await diff(file, options)));
  withFile('apply')
    .description('make the server have what the file says; what the file does not own is left alone')
    .option('--overwrite <name>', 'also where this one was changed by hand; repeat it for several', collect)
    .action(async (file: string, options: ScheduleOptions & { overwrite?: string[] }) =>
      done(await apply(file, options)),
    );
  withCommon(schedule.command('list'))
    .description('list the schedules that were made from files')
    .option('--owner <owner>', 'only of this owner')
    .action(list);
  withName('pause')
    .description('start no runs until it is resumed; a run under way goes on')
    .option('--reason <text>', 'why; shown by list')
    .action((name: string, options: ScheduleOptions & { reason?: string }) => pause(name, options));
  withName('resume').description('start runs again').action(resume);
  withName('run-now')
    .description('start one run now, also of a paused schedule; overlap as declared')
    .action(async (name: string, options: ScheduleOptions) => done(await runNow(name, options)));
  withCommon(schedule.command('next').argument('<file-or-name>', 'a schedule file, or the name of a schedule'))
    .description('show the coming occurrences, the freezes that hit them, and the clock changes they meet')
    .option('--count <number>', 'of each schedule', count, 5)
    .option('--until <time>', 'a date, a time with its offset, or a duration such as 30d', until)
    .action(next);
}

function withCommon(command: Command): Command {
  return command.option('--task-queue <name>', 'default: RUNBOOK_TASK_QUEUE or runbooks').option('--json', 'as JSON');
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000)
    throw new InvalidArgumentError('Write a number from 1 to 1000.');
  return value;
}

function until(text: string): number {
  const ms = durationMs(text);
  const value = ms === null ? Date.parse(text) : Date.now() + ms;
  if (Number.isNaN(value))
    throw new InvalidArgumentError('Write a date such as 2027-04-01, or a duration such as 30d.');
  return value;
}

function paint() {
  return paintFor(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
}

async function diff(file: string, options: ScheduleOptions & { exitCode?: boolean }): Promise<number> {
  const read = await readFileOrTell(file);
  const differences = await withServer(options, ({ client, taskQueue }) => compare(client, read, taskQueue));
  const isSame = differences.every(
    ({ status, wished }) => status === 'unchanged' || (status === 'foreign' && wished === null),
  );
  if (options.json === true) printJson({ owner: read.owner, schedules: differences.map(shown) });
  else print(renderDifferences(differences, paint()));
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

async function apply(file: string, options: ScheduleOptions & { overwrite?: string[] }): Promise<number> {
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
    print(renderApplied(applied, paint()));
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

async function list(options: ScheduleOptions & { owner?: string }): Promise<void> {
  const { listSchedules } = await import('../schedules/operate.js');
  const schedules = await withServer(options, ({ client }) => listSchedules(client, options.owner ?? null));
  if (options.json === true) printJson({ schedules });
  else print(renderList(schedules, paint()));
}

async function withSchedule<Value>(
  name: string,
  options: ScheduleOptions,
  act: (session: Session, schedule: OwnedSchedule) => Promise<Value>,
): Promise<Value> {
  const { findSchedule } = await import('../schedules/operate.js');
  return withServer(options, async (session) => act(session, await findSchedule(session.client, name)));
}

async function pause(name: string, options: ScheduleOptions & { reason?: string }): Promise<void> {
  const { pauseSchedule } = await import('../schedules/operate.js');
  await withSchedule(name, options, async ({ client }, schedule) => {
    const note = `paused by ${userName()}${options.reason === undefined ? '' : `: ${options.reason}`}`;
    await pauseSchedule(client, schedule, note);
    if (options.json === true) printJson({ id: schedule.id, paused: true, note });
    else print(`${schedule.id} is paused; start it again with: runbook schedule resume ${schedule.id}`);
  });
}

async function resume(name: string, options: ScheduleOptions): Promise<void> {
  const { resumeSchedule } = await import('../schedules/operate.js');
  await withSchedule(name, options, async ({ client }, schedule) => {
    await resumeSchedule(client, schedule, `resumed by ${userName()}`);
    if (options.json === true) printJson({ id: schedule.id, paused: false });
    else print(`${schedule.id} starts runs again; see: runbook schedule next ${schedule.id}`);
  });
}

async function runNow(name: string, options: ScheduleOptions): Promise<number> {
  const { runNow: trigger } = await import('../schedules/operate.js');
  return withSchedule(name, options, async ({ client }, schedule) => {
    const told = await trigger(client, schedule);
    if (options.json === true) printJson({ id: schedule.id, ...told });
    else if (told.kind === 'started')
      print(
        `Started run ${told.workflowId}\nFollow it:   runbook watch ${told.workflowId}\nIts report:  runbook report ${told.workflowId}`,
      );
    else if (told.kind === 'waits') print(`It starts when this run has ended: ${told.runningRuns.join(', ')}`);
    else if (told.kind === 'skipped')
      print(`Not started (overlap: skip): this run is still under way: ${told.runningRuns.join(', ')}`);
    else print(`The server has not started it yet; look again with: runbook schedule list`);
    return told.kind === 'skipped' || told.kind === 'unknown' ? 1 : 0;
  });
}

async function next(fileOrName: string, options: NextCommandOptions): Promise<void> {
  const isFile = /\.ya?ml$/.test(fileOrName) || existsSync(fileOrName);
  const read = isFile ? await readFileOrTell(fileOrName) : null;
  const shownSchedules = await withServer(options, async ({ client }) => {
    const { findSchedule } = await import('../schedules/operate.js');
    if (read === null) return [await occurrencesOf(client, await findSchedule(client, fileOrName), options)];
    const all: ShownOccurrences[] = [];
    for (const { id } of read.schedules) {
      const found = await findSchedule(client, id).catch(hintIfNotOurs);
      if (found !== null) all.push(await occurrencesOf(client, found, options));
    }
    return all;
  });
  if (options.json === true) printJson({ schedules: shownSchedules });
  else for (const each of shownSchedules) print(renderOccurrences(each, paint()));
}

/** In a file, one that is not applied yet does not keep the others from being shown. */
function hintIfNotOurs(error: unknown): null {
  if (!(error instanceof Error) || !['ScheduleNotFound', 'ForeignSchedule'].includes(error.name)) throw error;
  hint(`${error.message}; apply the file first`);
  return null;
}

async function occurrencesOf(
  client: Session['client'],
  { id, seen }: OwnedSchedule,
  { count: most, until: untilMs }: NextCommandOptions,
): Promise<ShownOccurrences> {
  const [{ nextOccurrences }, { describeSurprise }, { freezesOfSchedule }, { readFreezes }] = await Promise.all([
    import('../schedules/occurrences.js'),
    import('../schedules/daylight-saving.js'),
    import('./schedule-freezes.js'),
    readCalendars(),
  ]);
  const fromMs = Date.now();
  const found = await nextOccurrences(client, seen, {
    fromMs,
    untilMs: untilMs ?? fromMs + HORIZON_MS,
    count: most,
    ...(await freezesOfSchedule(seen)),
    readFreezes,
  });
  return {
    ...found,
    id,
    summary: seen.action.staticSummary ?? seen.action.workflowType,
    paused: seen.state.paused,
    warnings: found.surprises.map((surprise) => describeSurprise(surprise, found.timezone)),
    jittered: (seen.spec.jitter ?? 0) > 0,
  };
}
