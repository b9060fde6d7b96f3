/** `runbook schedule next`: what is coming, as the server computes it. */
import { existsSync } from 'node:fs';
import type { ScheduleDescription } from '@temporalio/client';
import { durationMs } from '../domain/time/duration.js';
import { printable } from '../domain/text/text.js';
import type { OwnedSchedule } from '../schedules/operate.js';
import { hint, printJson, printPainted } from './output.js';
import { paintForOutput } from './paint.js';
import { readCalendars, type LocalCalendars } from './read-calendars.js';
import { renderOccurrences, type ShownOccurrences } from './render-schedules.js';
import { HORIZON_MS, readFileOrTell, withServer, type ScheduleOptions, type Session } from './schedule-session.js';

export interface NextCommandOptions extends ScheduleOptions {
  readonly count: number;
  /** Epoch milliseconds. */
  readonly until?: number;
}

export async function next(fileOrName: string, options: NextCommandOptions): Promise<void> {
  const isFile = /\.ya?ml$/i.test(fileOrName) || existsSync(fileOrName);
  const calendars = await readCalendars();
  const read = isFile ? await readFileOrTell(fileOrName, calendars) : null;
  const shownSchedules = await withServer(options, async ({ client }) => {
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
  else for (const each of shownSchedules) printPainted(renderOccurrences(each, paintForOutput()));
}

/** In a file, one that is not applied yet does not keep the others from being shown. */
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

/** Of the schedule and of the runbook's own guards; a freeze counts until the window's end. */
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
