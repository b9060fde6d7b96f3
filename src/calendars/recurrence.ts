/** Occurrences of a recurrence rule by the wall clock. Each period is worked out alone, so a rule without COUNT costs the same however long ago it began. */
import { sorted, type Frequency, type Rule } from './recurrence-rule.js';
import { DAY_MS, dayOf, wallTime, type WallMs } from '../time/wall-clock.js';

/** Work that a file may still cost. Counted, not timed: the same file ends the same way on any machine. */
export interface Budget {
  left: number;
}

/** The rules of a file ask for more work than any calendar of freezes needs. */
export class TooMuchWork extends Error {}

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * DAY_MS;
/** The Gregorian calendar repeats itself after so many years: a rule without an occurrence in them has none. */
const CYCLE_MS = 400 * 366 * DAY_MS;

/**
 * Occurrences in `[fromMs, toMs]`, in order. The start of the event itself is among them only where the rule yields it.
 * `untilMs` is the rule's UNTIL on the wall clock of the event. @throws TooMuchWork
 */
export function* occurrencesOf(
  rule: Rule,
  start: WallMs,
  untilMs: WallMs,
  fromMs: WallMs,
  toMs: WallMs,
  budget: Budget,
): Generator<WallMs> {
  const { frequency, interval, count, weekStart } = rule;
  const periods = PERIODS[frequency];
  const first = periods.indexOf(start, weekStart);
  // A year of weeks begins up to three days before the calendar's year, so one more period is checked.
  const skipped =
    count === null ? Math.max(0, Math.floor((periods.indexOf(fromMs, weekStart) - first) / interval) - 1) : 0;
  const lastMs = Math.min(untilMs, toMs);
  const times = timesOf(rule);
  let counted = 0;
  for (let index = first + skipped * interval; ; index += interval) {
    if (periods.beginOf(index, weekStart) - WEEK_MS > lastMs) return;
    for (const atMs of occurrencesIn(rule, index, times, budget)) {
      if (atMs < start) continue;
      if (atMs > lastMs || (count !== null && counted >= count)) return;
      counted += 1;
      if (atMs >= fromMs) yield atMs;
    }
  }
}

/** Whether the rule yields anything at all: the 31st of November never comes. @throws TooMuchWork */
export function hasOccurrence(rule: Rule, start: WallMs, untilMs: WallMs, budget: Budget): boolean {
  return !occurrencesOf(rule, start, untilMs, start, start + CYCLE_MS, budget).next().done;
}

/** How long after midnight, or after the full hour, occurrences are. */
function timesOf({ frequency, lists }: Rule): number[] {
  const { BYHOUR = [], BYMINUTE = [], BYSECOND = [] } = lists;
  const hours = frequency === 'HOURLY' ? [0] : BYHOUR;
  return hours.flatMap((hour) =>
    BYMINUTE.flatMap((minute) => BYSECOND.map((second) => ((hour * 60 + minute) * 60 + second) * 1_000)),
  );
}

function occurrencesIn(rule: Rule, index: number, times: readonly number[], budget: Budget): WallMs[] {
  const { frequency, lists, weekStart } = rule;
  const beginMs = PERIODS[frequency].beginOf(index, weekStart);
  const days = daysOf(rule, beginMs, budget);
  spend(budget, days.length * times.length);
  const hourly = frequency === 'HOURLY';
  if (hourly && lists.BYHOUR?.includes(new Date(beginMs).getUTCHours()) === false) return [];
  const all: WallMs[] = [];
  for (const dayMs of days) for (const timeMs of times) all.push((hourly ? beginMs : dayMs) + timeMs);
  return chosen(lists, all);
}

function chosen({ BYSETPOS: positions }: Rule['lists'], all: WallMs[]): WallMs[] {
  if (positions === undefined) return all;
  const wanted = new Set(positions.map((position) => (position > 0 ? position - 1 : all.length + position)));
  return all.filter((_at, position) => wanted.has(position));
}

/** Midnights of the days of a period that the rule takes, in order. */
function daysOf(rule: Rule, beginMs: WallMs, budget: Budget): WallMs[] {
  const days: WallMs[] = [];
  for (const [fromMs, toMs] of stretches(rule, beginMs)) {
    spend(budget, 1 + (toMs - fromMs) / DAY_MS);
    for (let dayMs = fromMs; dayMs < toMs; dayMs += DAY_MS) if (fits(rule, dayMs)) days.push(dayMs);
  }
  return days;
}

/** The parts of a period that can hold days of the rule: of a year only its months or weeks. */
function stretches({ frequency, lists, weekStart }: Rule, beginMs: WallMs): [WallMs, WallMs][] {
  const year = new Date(beginMs).getUTCFullYear();
  const month = new Date(beginMs).getUTCMonth();
  if (frequency === 'WEEKLY') return [[beginMs, beginMs + WEEK_MS]];
  if (frequency === 'MONTHLY') return [[beginMs, wallTime(year, month + 2, 1)]];
  if (frequency !== 'YEARLY') return [[dayOf(beginMs), dayOf(beginMs) + DAY_MS]];
  if (lists.BYWEEKNO !== undefined) {
    const firstMs = firstWeekOf(year, weekStart);
    const weeks = Math.round((firstWeekOf(year + 1, weekStart) - firstMs) / WEEK_MS);
    const numbers = lists.BYWEEKNO.map((week) => (week > 0 ? week : weeks + 1 + week));
    return sorted(numbers.filter((week) => week >= 1 && week <= weeks)).map((week) => [
      firstMs + (week - 1) * WEEK_MS,
      firstMs + week * WEEK_MS,
    ]);
  }
  const months = lists.BYMONTH ?? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  return months.map((each) => [wallTime(year, each, 1), wallTime(year, each + 1, 1)]);
}

function fits({ frequency, lists, weekdays }: Rule, dayMs: WallMs): boolean {
  const { BYMONTH: months, BYMONTHDAY: monthDays, BYYEARDAY: yearDays } = lists;
  const date = new Date(dayMs);
  const ofWeekday = weekdays.filter(({ weekday }) => weekday === date.getUTCDay());
  if (weekdays.length > 0 && ofWeekday.length === 0) return false;
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
  if (months !== undefined && !months.includes(month)) return false;
  const monthPlace = () => placeIn(wallTime(year, month, 1), dayMs, wallTime(year, month + 1, 1));
  const yearPlace = () => placeIn(wallTime(year, 1, 1), dayMs, wallTime(year + 1, 1, 1));
  if (monthDays !== undefined && !isAmong(monthDays, monthPlace())) return false;
  if (yearDays !== undefined && !isAmong(yearDays, yearPlace())) return false;
  if (weekdays.length === 0 || ofWeekday.some(({ nth }) => nth === 0)) return true;
  const { fromStart, fromEnd } = frequency === 'MONTHLY' || months !== undefined ? monthPlace() : yearPlace();
  return ofWeekday.some(({ nth }) => nth === Math.ceil(fromStart / 7) || nth === -Math.ceil(fromEnd / 7));
}

/** Which day of a stretch of days, counted from 1 at either end. */
interface Place {
  readonly fromStart: number;
  readonly fromEnd: number;
}

function placeIn(beginMs: WallMs, dayMs: WallMs, endMs: WallMs): Place {
  return { fromStart: daysBetween(beginMs, dayMs) + 1, fromEnd: daysBetween(dayMs, endMs) };
}

function isAmong(wanted: readonly number[], { fromStart, fromEnd }: Place): boolean {
  return wanted.includes(fromStart) || wanted.includes(-fromEnd);
}

/** @throws TooMuchWork once the budget is used up */
export function spend(budget: Budget, work: number): void {
  budget.left -= work;
  if (budget.left < 0) throw new TooMuchWork();
}

/** Periods of each frequency are numbered: the one a moment lies in, and where one begins. */
const PERIODS: Readonly<
  Record<
    Frequency,
    { indexOf(ms: WallMs, weekStart: number): number; beginOf(index: number, weekStart: number): WallMs }
  >
> = {
  YEARLY: { indexOf: (ms) => new Date(ms).getUTCFullYear(), beginOf: (index) => wallTime(index, 1, 1) },
  MONTHLY: {
    indexOf: (ms) => new Date(ms).getUTCFullYear() * 12 + new Date(ms).getUTCMonth(),
    beginOf: (index) => wallTime(Math.floor(index / 12), (((index % 12) + 12) % 12) + 1, 1),
  },
  WEEKLY: {
    // The epoch was a Thursday.
    indexOf: (ms, weekStart) => Math.floor((ms + (4 - weekStart) * DAY_MS) / WEEK_MS),
    beginOf: (index, weekStart) => index * WEEK_MS - (4 - weekStart) * DAY_MS,
  },
  DAILY: { indexOf: (ms) => Math.floor(ms / DAY_MS), beginOf: (index) => index * DAY_MS },
  HOURLY: { indexOf: (ms) => Math.floor(ms / HOUR_MS), beginOf: (index) => index * HOUR_MS },
};

/** The week that holds the 4th of January is the first of its year. */
function firstWeekOf(year: number, weekStart: number): WallMs {
  const weeks = PERIODS.WEEKLY;
  return weeks.beginOf(weeks.indexOf(wallTime(year, 1, 4), weekStart), weekStart);
}

function daysBetween(fromMs: WallMs, toMs: WallMs): number {
  return Math.round((toMs - fromMs) / DAY_MS);
}
