/** When a schedule starts runs, computed here without a server: its nominal times, without jitter. Pure. */
import type { DescribedCalendar } from './ownership.js';
import { DAYS_OF_WEEK, MONTHS, type ScheduleEntry } from './schedule-file.js';
import { calendarOf } from './spelled-out.js';
import { ianaZone, UTC, type TimeZone } from '../time/time-zone.js';
import { DAY_MS } from '../time/wall-clock.js';

/** The server counts no further. */
const LAST_YEAR = 2_100;
/** A year with 366 days that begins on each day of the week is among them. */
const FIRST_YEAR = 2_000;

type When = Pick<ScheduleEntry, 'cron' | 'calendar' | 'timezone'>;

/** Moments in `[fromMs, toMs)`, in order. As many as there are: a schedule of every second gives each. */
export function* startsBetween(entry: When, fromMs: number, toMs: number): Generator<number> {
  const calendar = calendarOf(entry);
  const times = timesOfDay(calendar);
  const zone = ianaZone(entry.timezone) ?? UTC;
  // A day more at both ends: the zone decides which moments these are.
  for (const dayMs of days(calendar, fromMs - DAY_MS, toMs + DAY_MS)) {
    for (const timeMs of times) {
      for (const atMs of momentsOf(zone, dayMs + timeMs)) if (atMs >= fromMs && atMs < toMs) yield atMs;
    }
  }
}

/** The first start at or after a moment, in epoch milliseconds; `null` if there is none. */
export function firstStart(entry: When, fromMs: number): number | null {
  for (const atMs of startsBetween(entry, fromMs, Date.UTC(LAST_YEAR + 1, 0, 1))) return atMs;
  return null;
}

/** Why a schedule never starts anything from a moment on; `null` if it does. */
export function neverStarts(entry: When, nowMs: number): { readonly found: string; readonly remedy: string } | null {
  if (firstStart(entry, nowMs) !== null) return null;
  const calendar = calendarOf(entry);
  const all = Date.UTC(LAST_YEAR + 1, 0, 1);
  const [someDay] = days({ ...calendar, year: [] }, Date.UTC(FIRST_YEAR, 0, 1), all);
  if (someDay === undefined)
    return {
      found: 'it never starts anything: no day of any year fits its day and month',
      remedy:
        'Name a day that one of its months has; of the last day of a month only its number can be named, such as 28',
    };
  let last: number | undefined;
  for (const dayMs of days(calendar, Date.UTC(FIRST_YEAR, 0, 1), nowMs + DAY_MS)) last = dayMs;
  const [coming] = days(calendar, nowMs + DAY_MS, all);
  if (coming !== undefined)
    return {
      found: `it never starts anything: on its days the clocks of ${entry.timezone} are changed, and its time is left out`,
      remedy: 'Choose another hour',
    };
  if (last === undefined)
    return {
      found: 'it never starts anything: no day of its years fits its other fields',
      remedy: 'Name a year that has such a day, or leave the year out',
    };
  return {
    found: `it never starts anything again: its last day was ${new Date(last).toISOString().slice(0, 10)}`,
    remedy: 'Remove the schedule, or name a year to come',
  };
}

/** Days that fit, as local milliseconds of their midnight. */
function* days(
  { dayOfMonth, month, year, dayOfWeek }: Pick<DescribedCalendar, 'dayOfMonth' | 'month' | 'year' | 'dayOfWeek'>,
  fromMs: number,
  toMs: number,
): Generator<number> {
  const fits = {
    dayOfMonth: valuesOf(dayOfMonth, asIs),
    month: valuesOf(month, (name) => MONTHS.indexOf(name)),
    year: valuesOf(year, asIs),
    dayOfWeek: valuesOf(dayOfWeek, (name) => DAYS_OF_WEEK.indexOf(name)),
  };
  for (let dayMs = Math.floor(fromMs / DAY_MS) * DAY_MS; dayMs < toMs; dayMs += DAY_MS) {
    const day = new Date(dayMs);
    // No year at all means every year.
    if (fits.year.size > 0 && !fits.year.has(day.getUTCFullYear())) continue;
    if (!fits.month.has(day.getUTCMonth()) || !fits.dayOfMonth.has(day.getUTCDate())) continue;
    if (fits.dayOfWeek.has(day.getUTCDay())) yield dayMs;
  }
}

/** Milliseconds since midnight, in order. */
function timesOfDay({ hour, minute, second }: Pick<DescribedCalendar, 'hour' | 'minute' | 'second'>): number[] {
  const [hours, minutes, seconds] = [hour, minute, second].map((ranges) =>
    [...valuesOf(ranges, asIs)].sort((left, right) => left - right),
  ) as [number[], number[], number[]];
  return hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => ((h * 60 + m) * 60 + s) * 1_000)));
}

function valuesOf<Unit>(
  ranges: readonly { readonly start: Unit; readonly end: Unit; readonly step: number }[],
  positionOf: (unit: Unit) => number,
): ReadonlySet<number> {
  const values = new Set<number>();
  for (const { start, end, step } of ranges)
    for (let value = positionOf(start); value <= positionOf(end); value += step) values.add(value);
  return values;
}

function asIs(value: number): number {
  return value;
}

/** Moments at which the clocks of a zone show a local time: one, or none or two where the clocks are changed. */
function momentsOf(zone: TimeZone, localTimeMs: number): number[] {
  const moments = new Set([zone.msOf(localTimeMs, 'first'), zone.msOf(localTimeMs, 'last')]);
  return [...moments].filter((atMs) => zone.wallOf(atMs) === localTimeMs);
}
