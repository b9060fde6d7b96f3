/**
 * Cron lines: does Temporal accept one, and what does it mean, field by field? Written by hand, since the server has no way to check without
 * creating, and cron libraries follow other dialects.
 * Stricter than the server where a line would be read in two ways: no six fields, no shorthands, no zone inside.
 * `test/schedules/cron.test.ts` holds both to the server's own answers.
 */
import { stepProblem, type SteppedField } from './steps.js';
import type { DescribedCalendar } from './ownership.js';
import { DAYS_OF_WEEK, MONTHS } from './schedule-file.js';

interface Field {
  readonly key: SteppedField;
  readonly name: string;
  readonly minimum: number;
  readonly maximum: number;
  /** Words for the numbers, from `minimum` on. */
  readonly words: readonly string[];
}

const short = (names: readonly string[]) => names.map((name) => name.slice(0, 3).toLowerCase());
const field = (
  key: SteppedField,
  name: string,
  minimum: number,
  maximum: number,
  words: readonly string[] = [],
): Field => ({
  key,
  name,
  minimum,
  maximum,
  words,
});
const SECOND = field('second', 'second', 0, 59);
const MINUTE = field('minute', 'minute', 0, 59);
const HOUR = field('hour', 'hour', 0, 23);
const DAY_OF_MONTH = field('dayOfMonth', 'day of month', 1, 31);
const MONTH = field('month', 'month', 1, 12, short(MONTHS));
// 7 is Sunday as well.
const DAY_OF_WEEK = field('dayOfWeek', 'day of week', 0, 7, short(DAYS_OF_WEEK));
const YEAR = field('year', 'year', 2000, 2100);
const FIVE = [MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK];
const SEVEN = [SECOND, ...FIVE, YEAR];
const EXAMPLE = 'as in "30 2 * * 1-5" (minute hour day-of-month month day-of-week)';

/** What is wrong with a cron line, one for each field; none when Temporal takes it. */
export function cronProblems(cron: string): { found: string; remedy: string }[] {
  const shown = `"${cron.slice(0, 100)}"`;
  if (/^(CRON_)?TZ=/.test(cron.trim()))
    return [{ found: `${shown} contains a time zone`, remedy: 'Write the zone after timezone:' }];
  if (cron.trim().startsWith('@') || cron.includes('#'))
    return [{ found: `${shown} is not a list of fields`, remedy: `Write five fields, ${EXAMPLE}` }];
  const parts = cron.trim().split(/\s+/);
  const fields = parts.length === 5 ? FIVE : parts.length === 7 ? SEVEN : null;
  if (fields === null) {
    const remedy = `Write five fields, ${EXAMPLE}; or seven, with second first and year last`;
    return [{ found: `${shown} has ${cron.trim() === '' ? 0 : parts.length} fields`, remedy }];
  }
  const problems = fields.flatMap((field, index) => {
    const part = parts[index] ?? '';
    const problem = part
      .split(',')
      .map((item) => itemProblem(field, item))
      .find((each) => each !== null);
    if (problem === undefined) return [];
    const { found, remedy } = problem;
    return [{ found: `the ${field.name} "${part.slice(0, 60)}": ${found}`, remedy }];
  });
  return problems.length > 0 ? problems : daysOfBothKinds(parts.slice(fields.indexOf(DAY_OF_MONTH)));
}

/** Classic cron starts on days that fit either of the two, unless one begins with a star; Temporal on days that fit both. */
function daysOfBothKinds([dayOfMonth = '*', , dayOfWeek = '*']: readonly string[]) {
  if (dayOfMonth.startsWith('*') || dayOfWeek.startsWith('*')) return [];
  const found = `both the day of month "${dayOfMonth.slice(0, 60)}" and the day of week "${dayOfWeek.slice(0, 60)}" are given: Temporal starts where both fit, classic cron where one does`;
  const remedy =
    'Write calendar: { dayOfMonth: …, dayOfWeek: … } where both have to fit, or two schedules where one is enough';
  return [{ found, remedy }];
}

function itemProblem(field: Field, item: string): { found: string; remedy: string } | null {
  const found = shapeProblem(field, item);
  if (found !== null) return { found, remedy: ruleOf(field) };
  const [range] = rangesOf(field, item);
  if (range === undefined) return null;
  const { key, minimum, words } = field;
  return stepProblem(key, range, words[range.start - minimum] ?? String(range.start));
}

function shapeProblem(field: Field, item: string): string | null {
  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0) return 'it has more than one slash';
  if (step !== undefined && !/^[1-9]\d{0,3}$/.test(step)) return `the step "${step}" is not a positive number`;
  if (range === '*') return null;
  const [first = '', last, ...rest] = range.split('-');
  if (rest.length > 0) return 'it has more than one dash';
  const start = valueOf(field, first);
  if (start === null) return `"${first}" does not fit`;
  if (last === undefined) return null;
  const end = valueOf(field, last);
  if (end === null) return `"${last}" does not fit`;
  return end < start ? 'it ends before it starts' : null;
}

function valueOf({ minimum, maximum, words }: Field, text: string): number | null {
  const word = words.indexOf(text.toLowerCase());
  if (word >= 0) return minimum + word;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= minimum && value <= maximum ? value : null;
}

function ruleOf({ minimum, maximum, words }: Field): string {
  const names = words.length === 0 ? '' : `, or ${words[0]} to ${words.at(-1)}`;
  return `Write * or numbers from ${minimum} to ${maximum}${names}; ranges 1-5, lists 1,3 and steps */2 are allowed`;
}

/** What a line without problems means, with every field spelled out. */
export function calendarOfCron(cron: string): DescribedCalendar {
  const parts = cron.trim().split(/\s+/);
  const [second, minute, hour, dayOfMonth, month, dayOfWeek, year = '*'] = parts.length === 7 ? parts : ['0', ...parts];
  return {
    second: rangesOf(SECOND, second),
    minute: rangesOf(MINUTE, minute),
    hour: rangesOf(HOUR, hour),
    dayOfMonth: rangesOf(DAY_OF_MONTH, dayOfMonth),
    month: rangesOf(MONTH, month).map((range) => namedRange(MONTHS, 1, range)),
    dayOfWeek: rangesOf(DAY_OF_WEEK, dayOfWeek).flatMap(daysOf),
    year: year === '*' ? [] : rangesOf(YEAR, year),
    comment: cron,
  };
}

interface NumberRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function rangesOf(field: Field, text = '*'): NumberRange[] {
  return text.split(',').map((item) => {
    const [range = '', step] = item.split('/');
    const [first = '', last] = range.split('-');
    const start = valueOf(field, first) ?? field.minimum;
    const isOpen = range === '*' || (last === undefined && step !== undefined);
    const end = isOpen ? field.maximum : last === undefined ? start : (valueOf(field, last) ?? field.maximum);
    return { start, end, step: Number(step ?? 1) };
  });
}

function daysOf({ start, end, step }: NumberRange) {
  const sunday = end === 7 && (7 - start) % step === 0 && start > 0;
  return [
    ...(sunday ? [namedRange(DAYS_OF_WEEK, 0, { start: 0, end: 0, step: 1 })] : []),
    ...(start === 7 ? [] : [namedRange(DAYS_OF_WEEK, 0, { start, end: Math.min(end, 6), step })]),
  ];
}

function namedRange<Name extends string>(names: readonly Name[], first: number, { start, end, step }: NumberRange) {
  const nameOf = (value: number): Name => names[value - first] as Name;
  return { start: nameOf(start), end: nameOf(end), step };
}
