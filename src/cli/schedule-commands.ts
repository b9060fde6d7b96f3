/** Commands about schedules: which there are, and what operators do with those on the server. */
import { InvalidArgumentError, type Command } from 'commander';
import { durationMs } from '../domain/time/duration.js';
import { printable } from '../domain/text/text.js';
import type { OwnedSchedule } from '../schedules/operate.js';
import { hint, print, printJson, printPainted } from './output.js';
import { paintForOutput } from './paint.js';
import { renderList, renderRunNow } from './render-schedules.js';
import { apply, diff } from './schedule-apply.js';
import { next } from './schedule-next.js';
import { withServer, type ScheduleOptions, type Session } from './schedule-session.js';
import { userName } from './user-name.js';

type Done = (exitCode: number) => void;

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
    .description('start one run now, also of a paused schedule: overlap as declared, a fresh window, freezes as always')
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

async function list(options: ScheduleOptions & { owner?: string }): Promise<void> {
  const { listSchedules } = await import('../schedules/operate.js');
  const listing = await withServer(options, ({ client }) => listSchedules(client, options.owner ?? null));
  if (options.json === true) printJson(listing);
  else printPainted(renderList(listing.schedules, paintForOutput()));
  for (const { id, reason } of listing.unreadable) hint(printable(`! ${id}: cannot be read: ${reason}`));
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
    else print(printable(`${schedule.id} is paused; start it again with: runbook schedule resume ${schedule.id}`));
  });
}

async function resume(name: string, options: ScheduleOptions): Promise<void> {
  const { resumeSchedule } = await import('../schedules/operate.js');
  await withSchedule(name, options, async ({ client }, schedule) => {
    await resumeSchedule(client, schedule, `resumed by ${userName()}`);
    if (options.json === true) printJson({ id: schedule.id, paused: false });
    else print(printable(`${schedule.id} starts runs again; see: runbook schedule next ${schedule.id}`));
  });
}

async function runNow(name: string, options: ScheduleOptions): Promise<number> {
  const { runNow: trigger, startArgumentsOf } = await import('../schedules/operate.js');
  return withSchedule(name, options, async ({ client }, schedule) => {
    const told = await trigger(client, schedule);
    const { window } = startArgumentsOf(schedule.seen);
    if (options.json === true) printJson({ id: schedule.id, ...told });
    else printPainted(renderRunNow(told, window?.duration ?? null));
    return told.kind === 'skipped' || told.kind === 'unknown' ? 1 : 0;
  });
}
