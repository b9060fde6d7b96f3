/** Steps that never take effect: the server counts them from the beginning in each round of their field, so a step of 90 minutes starts every hour. Pure. */

/** A field of a cron line or calendar, as far as steps go. */
export type SteppedField = 'second' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek' | 'year';

/** Positions: months from 1, days of the week from 0 for Sunday. */
export interface SteppedRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

const UNITS: Readonly<Record<SteppedField, { readonly unit: string; readonly round: string }>> = {
  second: { unit: 'seconds', round: 'minute' },
  minute: { unit: 'minutes', round: 'hour' },
  hour: { unit: 'hours', round: 'day' },
  dayOfMonth: { unit: 'days', round: 'month' },
  month: { unit: 'months', round: 'year' },
  dayOfWeek: { unit: 'days', round: 'week' },
  year: { unit: 'years', round: 'range' },
};
const MINUTES_OF_DAY = 1_440;
const HOURS_OF_DAY = 24;
/** More schedules than that are no advice. */
const MOST_LINES = 4;

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
    remedy: `Write ${shown} if once ${round === 'hour' ? 'an' : 'a'} ${round} is meant${insteadOf(field, step)}`,
  };
}

/** What to write for the interval that was probably meant. */
function insteadOf(field: SteppedField, step: number): string {
  const every = `. Every ${step} ${UNITS[field].unit}`;
  const minutes = field === 'minute' ? step : field === 'hour' ? step * 60 : 0;
  if (minutes === 60 || minutes === MINUTES_OF_DAY) return '';
  const lines = minutes > 0 && MINUTES_OF_DAY % minutes === 0 ? cronLines(minutes) : [];
  if (lines.length === 1) return `${every} is cron "${lines[0]}"`;
  if (lines.length > 1 && lines.length <= MOST_LINES)
    return `${every} are ${lines.length} schedules: cron ${lines.map((line) => `"${line}"`).join(' and ')}`;
  if (minutes > 0 && minutes % MINUTES_OF_DAY === 0 && minutes / MINUTES_OF_DAY < 31)
    return `${every} comes nearest to cron "0 0 */${minutes / MINUTES_OF_DAY} * *", which begins again with each month`;
  return `${every} cannot be said by times on a clock: name the times, days or months themselves, in several schedules where one is not enough`;
}

/** Lines that together start every so many minutes from midnight on; a day has a whole number of them. */
function cronLines(minutes: number): string[] {
  const hoursOf = new Map<number, number[]>();
  for (let time = 0; time < MINUTES_OF_DAY; time += minutes) {
    const minute = time % 60;
    hoursOf.set(minute, [...(hoursOf.get(minute) ?? []), Math.floor(time / 60)]);
  }
  return [...hoursOf].map(([minute, hours]) => {
    const [first = 0, second] = hours;
    if (second === undefined) return `${minute} ${first} * * *`;
    const step = second - first;
    const range = first === 0 ? '*' : `${first}-${HOURS_OF_DAY - 1}`;
    return step === 1 && first === 0 ? `${minute} * * * *` : `${minute} ${range}/${step} * * *`;
  });
}

/** A step that fits twice into its round, unevenly: one of 45 minutes starts after 45 and then after 15. @returns what it means, or `null` */
export function unevenStep(field: SteppedField, { start, end, step }: SteppedRange): string | null {
  const count = { second: 60, minute: 60, hour: 24 }[field as 'second' | 'minute' | 'hour'];
  if (count === undefined || start !== 0 || end !== count - 1) return null;
  if (step <= count / 2 || step >= count) return null;
  const { unit, round } = UNITS[field];
  return `a step of ${step} ${unit} starts at ${field} 0 and ${step} of every ${round}: after ${step} ${unit}, then after ${count - step}`;
}
