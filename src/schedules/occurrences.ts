/** The coming occurrences of a schedule as the server computes them, with the freezes that hit them and the clock changes they meet. */
import type { Client, ScheduleDescription } from '@temporalio/client';
import type { Calendars } from '../calendars/calendars.js';
import type { Problem } from '../domain/failures.js';
import type { Freeze } from '../domain/gates/gates.js';
import { namedError } from './errors.js';
import { clockSurprises, comesTwice, type ClockSurprise } from './daylight-saving.js';
import { localMs } from '../time/time-zone.js';
import { describeWallTime } from '../time/wall-clock.js';

/** One start to come. Times are epoch milliseconds. */
export interface Occurrence {
  readonly atMs: number;
  /** `2027-03-28 02:30`, on the clock of the schedule's zone. */
  readonly localTime: string;
  /** Its time on the clock comes twice on that day. */
  readonly comesTwice: boolean;
  /** Freezes that touch its window; those that contain its start refuse it or let it wait. */
  readonly freezes: readonly (Freeze & { readonly atStart: boolean })[];
}

/** The starts to come, and what is odd about them. */
export interface Occurrences {
  readonly timezone: string;
  /** In order. With jitter these are the moments of the starts, as the server will keep them: up to the jitter after the nominal times. */
  readonly coming: readonly Occurrence[];
  /** Local times in the same stretch of time that are skipped or come twice. */
  readonly surprises: readonly ClockSurprise[];
  /** Calendars that cannot be read: they count as frozen when a run reads them. */
  readonly problems: readonly Problem[];
}

/** Which occurrences are asked for, `[fromMs, untilMs)` in epoch milliseconds, at most `count`. */
export interface NextOptions {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly count: number;
  readonly freezeNames: readonly string[];
  /** Window of a run: freezes that begin within it after the start are shown as well. */
  readonly windowMs: number;
  readonly freezesBetween: Calendars['freezesBetween'];
}

/** Asks the server for the occurrences to come. @throws ServerUnreachable and the other errors of `errors.ts` */
export async function nextOccurrences(
  client: Client,
  { scheduleId, spec }: ScheduleDescription,
  { fromMs, untilMs, count, freezeNames, windowMs, freezesBetween }: NextOptions,
): Promise<Occurrences> {
  const timezone = spec.timezone === undefined || spec.timezone === '' ? 'UTC' : spec.timezone;
  const times = (await matchingTimes(client, scheduleId, fromMs, untilMs)).slice(0, count);
  const last = times.at(-1);
  // Clock changes are listed until a day after the last start that is shown, so that one in the next night is mentioned, too.
  const shownUntilMs = last === undefined || times.length < count ? untilMs : last + 86_400_000;
  const { freezes, problems } =
    freezeNames.length === 0 || last === undefined
      ? { freezes: [], problems: [] }
      : await freezesBetween(freezeNames, fromMs, last + windowMs + 1);
  const coming = times.map((atMs) => ({
    atMs,
    localTime: describeWallTime(localMs(timezone, atMs)),
    comesTwice: comesTwice(timezone, atMs),
    freezes: freezes
      .filter((freeze) => freeze.fromMs < atMs + Math.max(windowMs, 1) && atMs < freeze.toMs)
      .map((freeze) => ({ ...freeze, atStart: freeze.fromMs <= atMs })),
  }));
  return {
    timezone,
    coming,
    surprises: clockSurprises(spec.calendars ?? [], timezone, fromMs, shownUntilMs),
    problems,
  };
}

/** The times as the server computes them, at most 1,000. */
async function matchingTimes(client: Client, scheduleId: string, fromMs: number, untilMs: number): Promise<number[]> {
  try {
    const { startTime } = await client.workflowService.listScheduleMatchingTimes({
      namespace: client.options.namespace,
      scheduleId,
      startTime: toTimestamp(fromMs),
      endTime: toTimestamp(untilMs),
    });
    return (startTime ?? []).map(({ seconds, nanos }) => Number(seconds ?? 0) * 1_000 + Math.floor((nanos ?? 0) / 1e6));
  } catch (error) {
    throw namedError(error, scheduleId);
  }
}

function toTimestamp(ms: number) {
  return { seconds: Math.floor(ms / 1_000) as unknown as Long, nanos: (ms % 1_000) * 1_000_000 };
}
