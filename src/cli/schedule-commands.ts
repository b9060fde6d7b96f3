/** Commands about schedules: list them, compare and apply files, and pause, resume or trigger those on the server. */
import type { Command } from 'commander';
import { printable } from '../domain/text/text.js';
import type { OwnedSchedule } from '../schedules/operate.js';
import { hint, print, printJson, printPainted, type SetExitCode } from './output.js';
import { createColors } from './colors.js';
import { renderList, renderRunNow } from './render-schedules.js';
import { apply, diff } from './schedule-apply.js';
import { next } from './schedule-next.js';
import { collect, integerBetween, moment, userName, withSessionOptions, type SessionOptions } from './options.js';
import { withSession, type Session } from './session.js';

/** Adds `schedule` and its subcommands. */
export function addScheduleCommands(program: Command, setExitCode: SetExitCode): void {
  const schedule = program
    .command('schedule')
    .description('manage schedules: diff, apply, list, pause, resume, run-now, next');
  const withFile = (name: string) => withSessionOptions(schedule.command(name).argument('<file>', 'a schedule file'));
  const withName = (name: string) =>
    withSessionOptions(schedule.command(name).argument('<name>', 'owner/name, or a name that only one owner has'));
  withFile('diff')
    .description('show what apply would change, and what was changed on the server by hand; changes nothing')
    .option('--exit-code', 'exit with 1 if there is a difference')
    .action(async (file: string, options: SessionOptions & { exitCode?: boolean }) =>
      setExitCode(await diff(file, options)),
    );
  withFile('apply')
    .description('make the schedules on the server match the file; others are left alone')
    .option('--overwrite <name>', 'apply this schedule even if it was changed by hand; may be repeated', collect)
    .action(async (file: string, options: SessionOptions & { overwrite?: string[] }) =>
      setExitCode(await apply(file, options)),
    );
  withSessionOptions(schedule.command('list'))
    .description('list the schedules that were made from files')
    .option('--owner <owner>', 'only schedules of this owner')
    .action(list);
  withName('pause')
    .description('start no runs until resumed; a run in progress continues')
    .option('--reason <text>', 'why; shown by list')
    .action((name: string, options: SessionOptions & { reason?: string }) => pause(name, options));
  withName('resume').description('start runs again').action(resume);
  withName('run-now')
    .description(
      'start one run now, even if the schedule is paused: with a new window, and with its overlap rule and freezes',
    )
    .action(async (name: string, options: SessionOptions) => setExitCode(await runNow(name, options)));
  withSessionOptions(schedule.command('next').argument('<file-or-name>', 'a schedule file, or the name of a schedule'))
    .description('show the coming occurrences, with freezes and clock changes that affect them')
    .option('--count <number>', 'occurrences per schedule', integerBetween(1, 1_000), 5)
    .option('--until <time>', 'a date, a time with its offset, or a duration such as 30d', until)
    .action(next);
}

const until = moment(
  'ahead',
  'Write a date such as 2027-04-01, a time with its offset such as 2027-04-01T02:30:00Z, or a duration such as 30d.',
);

async function list(options: SessionOptions & { owner?: string }): Promise<void> {
  const { listSchedules } = await import('../schedules/operate.js');
  const listing = await withSession(options, ({ client }) => listSchedules(client, options.owner ?? null));
  if (options.json === true) printJson(listing);
  else printPainted(renderList(listing.schedules, createColors()));
  for (const { id, reason } of listing.unreadable) hint(printable(`! ${id}: cannot be read: ${reason}`));
}

async function withSchedule<Value>(
  name: string,
  options: SessionOptions,
  act: (session: Session, schedule: OwnedSchedule) => Promise<Value>,
): Promise<Value> {
  const { findSchedule } = await import('../schedules/operate.js');
  return withSession(options, async (session) => act(session, await findSchedule(session.client, name)));
}

async function pause(name: string, options: SessionOptions & { reason?: string }): Promise<void> {
  const { pauseSchedule } = await import('../schedules/operate.js');
  await withSchedule(name, options, async ({ client }, schedule) => {
    const note = `paused by ${userName()}${options.reason === undefined ? '' : `: ${options.reason}`}`;
    await pauseSchedule(client, schedule, note);
    if (options.json === true) printJson({ id: schedule.id, paused: true, note });
    else print(printable(`${schedule.id} is paused; resume it with: runbook schedule resume ${schedule.id}`));
  });
}

async function resume(name: string, options: SessionOptions): Promise<void> {
  const { resumeSchedule } = await import('../schedules/operate.js');
  await withSchedule(name, options, async ({ client }, schedule) => {
    await resumeSchedule(client, schedule, `resumed by ${userName()}`);
    if (options.json === true) printJson({ id: schedule.id, paused: false });
    else print(printable(`${schedule.id} is resumed; see: runbook schedule next ${schedule.id}`));
  });
}

async function runNow(name: string, options: SessionOptions): Promise<number> {
  const { runNow: trigger, startArgumentsOf } = await import('../schedules/operate.js');
  return withSchedule(name, options, async ({ client }, schedule) => {
    const result = await trigger(client, schedule);
    const { window } = startArgumentsOf(schedule.seen);
    if (options.json === true) printJson({ id: schedule.id, ...result });
    else printPainted(renderRunNow(result, window?.duration ?? null));
    return result.kind === 'skipped' || result.kind === 'unknown' ? 1 : 0;
  });
}
