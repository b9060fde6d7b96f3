/** Which local times of a schedule do not exist on a day when the clocks are changed, or come twice. Pure. */
import type { DescribedCalendar } from './ownership.js';
import type { DesiredSchedule } from './read-schedules.js';
import { DAYS_OF_WEEK, MONTHS } from './schedule-file.js';
import { calendarOf } from './spelled-out.js';
import { clockChanges, type ClockChange } from '../time/clock-changes.js';
import { localMs } from '../time/time-zone.js';
import { describeWallTime } from '../time/wall-clock.js';

/** A local time of a schedule that a change of the clocks takes away or repeats. */
export interface ClockSurprise {
  readonly kind: ClockChange['kind'];
  /** `2027-03-28 02:30`: the time on the clock that is missing or comes twice. */
  readonly localTime: string;
  /** When the clocks are changed. */
  readonly atMs: number;
}

const MINUTE_MS = 60_000;
/** Times named for one change of the clocks: a schedule of every minute would name each of them. */
const MOST_TIMES = 5;

/** Surprises in `[fromMs, toMs)`. A calendar of every hour is left out: no one waits for one of its starts. */
export function clockSurprises(
  calendars: readonly DescribedCalendar[],
  zone: string,
  fromMs: number,
  toMs: number,
): ClockSurprise[] {
  const byTheClock = calendars.filter(
    ({ hour }) => !hour.some(({ start, end, step }) => start === 0 && end === 23 && step === 1),
  );
  return clockChanges(zone, fromMs, toMs).flatMap(({ atMs, kind, fromLocalMs, toLocalMs }) => {
    const times: string[] = [];
    for (let timeMs = fromLocalMs; timeMs < toLocalMs && times.length < MOST_TIMES; timeMs += MINUTE_MS)
      if (byTheClock.some((calendar) => matchesMinute(calendar, timeMs))) times.push(describeWallTime(timeMs));
    return times.map((localTime) => ({ kind, localTime, atMs }));
  });
}

/** The clock change that makes this moment's time on the clock come twice, if one does. */
export function comesTwice(zone: string, atMs: number): boolean {
  const local = localMs(zone, atMs);
  return clockChanges(zone, atMs - 86_400_000, atMs + 86_400_000).some(
    ({ kind, fromLocalMs, toLocalMs }) => kind === 'twice' && fromLocalMs <= local && local < toLocalMs,
  );
}

/** Whether a calendar fits the minute, given as local milliseconds; the second does not matter. */
function matchesMinute(
  { minute, hour, dayOfMonth, month, year, dayOfWeek }: DescribedCalendar,
  timeMs: number,
): boolean {
  const time = new Date(timeMs);
  const position = (names: readonly string[]) => (name: string) => names.indexOf(name);
  const asIs = (value: number) => value;
  return (
    fits(minute, time.getUTCMinutes(), asIs) &&
    fits(hour, time.getUTCHours(), asIs) &&
    fits(dayOfMonth, time.getUTCDate(), asIs) &&
    fits(month, time.getUTCMonth(), position(MONTHS)) &&
    // No year at all means every year.
    (year.length === 0 || fits(year, time.getUTCFullYear(), asIs)) &&
    fits(dayOfWeek, time.getUTCDay(), position(DAYS_OF_WEEK))
  );
}

function fits<Unit>(
  ranges: readonly { start: Unit; end: Unit; step: number }[],
  value: number,
  positionOf: (unit: Unit) => number,
): boolean {
  return ranges.some(({ start, end, step }) => {
    const [first, last] = [positionOf(start), positionOf(end)];
    return first <= value && value <= last && (value - first) % step === 0;
  });
}

/** In words, for people. */
export function describeSurprise({ kind, localTime }: ClockSurprise, zone: string): string {
  return kind === 'missing'
    ? `${localTime} does not exist in ${zone}: the clocks jump over it, and no run is started that day`
    : `${localTime} comes twice in ${zone}: the clocks go back over it, and the server starts one run or two; choose another hour`;
}

/** A surprise of one schedule of a file, in words. */
export interface ClockWarning extends ClockSurprise {
  readonly id: string;
  readonly text: string;
}

/** Surprises of all schedules of a file in `[fromMs, toMs)`, epoch milliseconds, without asking a server. */
export function clockWarnings(schedules: readonly DesiredSchedule[], fromMs: number, toMs: number): ClockWarning[] {
  return schedules.flatMap(({ id, entry }) =>
    clockSurprises([calendarOf(entry)], entry.timezone, fromMs, toMs).map((surprise) => ({
      ...surprise,
      id,
      text: describeSurprise(surprise, entry.timezone),
    })),
  );
}
