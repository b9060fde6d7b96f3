/** Steps that never take effect: the server counts them from the beginning in each round of their field, so a step of 90 minutes starts every hour. Pure. */

/** A field of a cron line or calendar, as far as steps go. */
export type SteppedField = 'second' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek' | 'year';

/** Positions: months from 1, days of the week from 0 for Sunday. */
export interface SteppedRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

interface Unit {
  readonly unit: string;
  /** What the field is counted from the beginning in. */
  readonly round: string;
  /** How many there are in a round, where each round has as many. */
  readonly count: number | null;
  /** Length of one, where each is as long. */
  readonly seconds: number | null;
}

const DAY = 86_400;
const UNITS: Readonly<Record<SteppedField, Unit>> = {
  second: { unit: 'seconds', round: 'minute', count: 60, seconds: 1 },
  minute: { unit: 'minutes', round: 'hour', count: 60, seconds: 60 },
  hour: { unit: 'hours', round: 'day', count: 24, seconds: 3_600 },
  dayOfMonth: { unit: 'days', round: 'month', count: null, seconds: DAY },
  month: { unit: 'months', round: 'year', count: 12, seconds: null },
  dayOfWeek: { unit: 'days', round: 'week', count: 7, seconds: DAY },
  year: { unit: 'years', round: 'range', count: null, seconds: null },
};
/** More schedules than that are not helpful advice. */
const MOST_LINES = 4;
const LONGEST_MONTH = 31;

/**
 * What is wrong with a step, or `null`. Wrong is one that leads nowhere from the start of its range. Seven days of the week and
 * twelve months are right: a round has exactly so many.
 * @param shown the start of the range, as it would be written alone
 */
export function stepProblem(
  field: SteppedField,
  { start, end, step }: SteppedRange,
  shown: string,
): { readonly found: string; readonly remedy: string } | null {
  if (step === 1 || start + step <= end) return null;
  const isExactRound =
    (field === 'dayOfWeek' && step === 7 && start === 0 && end >= 6) ||
    (field === 'month' && step === 12 && start === 1 && end === 12);
  if (isExactRound) return null;
  const { unit, round } = UNITS[field];
  return {
    found: `the step of ${step} ${unit} is never reached: it is counted from the beginning in every ${round}, so this means ${shown} alone`,
    remedy:
      field === 'year'
        ? 'Name each year that is meant, or end the range where the step reaches; leave the year out for every year'
        : `Write ${shown} if once ${round === 'hour' ? 'an' : 'a'} ${round} is meant${insteadOf(field, step)}`,
  };
}

/** What to write for the interval that was probably meant. */
function insteadOf(field: SteppedField, step: number): string {
  const { unit, round, count, seconds } = UNITS[field];
  const every = `. Every ${step} ${unit}`;
  if (step === count) return '';
  if (count !== null && count % step === 0) return `${every} is */${step}, a range over the whole ${round}`;
  if (field === 'month' && step % 12 === 0)
    return `${every} needs the years, such as */${step / 12} as the last of seven fields of a cron line`;
  const length = seconds === null ? 0 : step * seconds;
  const lines = length > 0 && DAY % length === 0 ? cronLines(length) : [];
  if (lines.length === 1) return `${every} is cron "${lines[0]}"`;
  if (lines.length > 1 && lines.length <= MOST_LINES)
    return `${every} are ${lines.length} schedules: cron ${lines.map((line) => `"${line}"`).join(' and ')}`;
  if (length === 7 * DAY) return `${every} is a day of the week, such as cron "0 0 * * 1"`;
  if (length > 0 && length % DAY === 0 && length / DAY < LONGEST_MONTH)
    return `${every} comes nearest to cron "0 0 */${length / DAY} * *", which begins again with each month`;
  return `${every} cannot be written as times on a clock: name the times, days or months themselves, in several schedules where one is not enough`;
}

/** Lines that together start at this interval from midnight on; a day has a whole number of them. */
function cronLines(seconds: number): string[] {
  const everyMinutes = leastCommon(seconds, 60) / 60;
  return parts(seconds, 60).flatMap((start) => {
    const [second, minute] = [start % 60, Math.floor(start / 60)];
    if (everyMinutes < 60 && 60 % everyMinutes === 0) return [line(second, stepped(minute, everyMinutes, 59), '*')];
    const everyHours = leastCommon(everyMinutes, 60) / 60;
    return parts(everyMinutes, 60).map((later) =>
      line(second, `${(minute + later) % 60}`, stepped(Math.floor((minute + later) / 60), everyHours, 23)),
    );
  });
}

/** Splits a step that is not a whole number of rounds into steps that are. @returns where each begins */
function parts(step: number, round: number): number[] {
  return Array.from({ length: leastCommon(step, round) / step }, (_item, index) => index * step);
}

function leastCommon(left: number, right: number): number {
  let common = left;
  while (common % right !== 0) common += left;
  return common;
}

/** One value where the step leaves the round. */
function stepped(start: number, step: number, last: number): string {
  if (start + step > last) return `${start}`;
  if (start === 0) return step === 1 ? '*' : `*/${step}`;
  return step === 1 ? `${start}-${last}` : `${start}-${last}/${step}`;
}

function line(second: number, minute: string, hour: string): string {
  const five = `${minute} ${hour} * * *`;
  return second === 0 ? five : `${second} ${five} *`;
}

/** A step that fits twice into its round, unevenly: one of 45 minutes starts after 45 and then after 15. @returns what it means, or `null` */
export function unevenStep(field: SteppedField, { start, end, step }: SteppedRange): string | null {
  const count = { second: 60, minute: 60, hour: 24 }[field as 'second' | 'minute' | 'hour'];
  if (count === undefined || start !== 0 || end !== count - 1) return null;
  if (step <= count / 2 || step >= count) return null;
  const { unit, round } = UNITS[field];
  return `a step of ${step} ${unit} starts at ${field} 0 and ${step} of every ${round}: after ${step} ${unit}, then after ${count - step}`;
}
