/** `runbook schedule next`: the coming occurrences, as the server computes them. */
import { existsSync } from 'node:fs';
import type { ScheduleDescription } from '@temporalio/client';
import { durationMs } from '../domain/time/duration.js';
import { printable } from '../domain/text/text.js';
import type { OwnedSchedule } from '../schedules/operate.js';
import { hint, printJson, printPainted } from './output.js';
import { createColors } from './colors.js';
import { readCalendars, type LocalCalendars } from './read-calendars.js';
import { renderOccurrences, type ShownOccurrences } from './render-schedules.js';
import type { SessionOptions } from './options.js';
import { withSession, type Session } from './session.js';
import { HORIZON_MS, loadScheduleFile } from './schedule-file.js';

/** Options of `schedule next`. */
export interface NextCommandOptions extends SessionOptions {
  readonly count: number;
  /** Epoch milliseconds. */
  readonly until?: number;
}

/** Runs `schedule next` for a schedule file, or for the name of a schedule on the server. */
export async function next(fileOrName: string, options: NextCommandOptions): Promise<void> {
  const isFile = /\.ya?ml$/i.test(fileOrName) || existsSync(fileOrName);
  const calendars = await readCalendars();
  const read = isFile ? await loadScheduleFile(fileOrName, calendars) : null;
  const shownSchedules = await withSession(options, async ({ client }) => {
    const { findSchedule } = await import('../schedules/operate.js');
    const occurrences = (schedule: OwnedSchedule) => occurrencesOf(client, schedule, options, calendars);
    if (read === null) return [await occurrences(await findSchedule(client, fileOrName))];
    const all: ShownOccurrences[] = [];
    for (const { id } of read.schedules) {
      const found = await findSchedule(client, id).catch(hintIfNotOurs);
      if (found !== null) all.push(await occurrences(found));
    }
    return all;
  });
  if (options.json === true) printJson({ schedules: shownSchedules });
  else for (const each of shownSchedules) printPainted(renderOccurrences(each, createColors()));
}

/** A schedule of the file that is not applied yet must not hide the others. */
function hintIfNotOurs(error: unknown): null {
  const known = ['ScheduleNotFound', 'ForeignSchedule', 'ScheduleUnreadable'];
  if (!(error instanceof Error) || !known.includes(error.name)) throw error;
  hint(printable(error.name === 'ScheduleUnreadable' ? error.message : `${error.message}; apply the file first`));
  return null;
}

async function occurrencesOf(
  client: Session['client'],
  { id, seen }: OwnedSchedule,
  { count: most, until: untilMs }: NextCommandOptions,
  { freezesBetween }: LocalCalendars,
): Promise<ShownOccurrences> {
  const [{ nextOccurrences }, { describeSurprise }] = await Promise.all([
    import('../schedules/occurrences.js'),
    import('../schedules/daylight-saving.js'),
  ]);
  const fromMs = Date.now();
  const found = await nextOccurrences(client, seen, {
    fromMs,
    untilMs: untilMs ?? fromMs + HORIZON_MS,
    count: most,
    ...(await freezesOfSchedule(seen)),
    freezesBetween,
  });
  return {
    ...found,
    id,
    summary: seen.action.staticSummary ?? seen.action.workflowType,
    paused: seen.state.paused,
    warnings: found.surprises.map((surprise) => describeSurprise(surprise, found.timezone)),
    jitterMs: seen.spec.jitter ?? 0,
  };
}

/** Freezes of the schedule and of the runbook's own guards. A freeze counts until the window's end. */
async function freezesOfSchedule(seen: ScheduleDescription): Promise<{ freezeNames: string[]; windowMs: number }> {
  const [{ findRunbook }, { loadClientConfig }, { freezesOf }, { startArgumentsOf }] = await Promise.all([
    import('../runbooks/catalogue.js'),
    import('../config/config.js'),
    import('../schedules/schedule-checks.js'),
    import('../schedules/operate.js'),
  ]);
  const { freeze = [], window } = startArgumentsOf(seen);
  const found = await findRunbook(loadClientConfig(process.env).runbookDirectories, seen.action.workflowType);
  const ofRunbook = found.kind === 'found' ? freezesOf(found.runbook) : [];
  return { freezeNames: [...new Set([...freeze, ...ofRunbook])], windowMs: durationMs(window?.duration ?? '0s') ?? 0 };
}
