/** When an entry starts runs, with every field spelled out: the form in which the server gives a calendar back. Pure. */
import { calendarOfCron } from './cron.js';
import type { DescribedCalendar } from './ownership.js';
import type { Calendar, ScheduleEntry } from './schedule-file.js';

/** The calendar of an entry with every field given, whether it was written as cron or as fields. */
export function calendarOf({ cron, calendar = {} }: Pick<ScheduleEntry, 'cron' | 'calendar'>): DescribedCalendar {
  return cron === undefined ? calendarOfFields(calendar) : calendarOfCron(cron);
}

function calendarOfFields({ second, minute, hour, dayOfMonth, month, year, dayOfWeek }: Calendar): DescribedCalendar {
  return {
    second: rangesOf(second ?? 0, 0, 59),
    minute: rangesOf(minute ?? 0, 0, 59),
    hour: rangesOf(hour ?? 0, 0, 23),
    dayOfMonth: rangesOf(dayOfMonth ?? '*', 1, 31),
    month: rangesOf(month ?? '*', 'JANUARY', 'DECEMBER'),
    // No year at all means every year.
    year: year === undefined || year === '*' ? [] : rangesOf(year, 2000, 2100),
    dayOfWeek: rangesOf(dayOfWeek ?? '*', 'SUNDAY', 'SATURDAY'),
  };
}

interface Range<Unit> {
  start: Unit;
  end: Unit;
  step?: number | undefined;
}

function rangesOf<Unit extends number | string>(
  value: '*' | Unit | Range<Unit> | (Unit | Range<Unit>)[],
  first: Unit,
  last: Unit,
): (Range<Unit> & { step: number })[] {
  if (value === '*') return [{ start: first, end: last, step: 1 }];
  return (Array.isArray(value) ? value : [value]).map((item) =>
    typeof item === 'object'
      ? { start: item.start, end: item.end, step: item.step ?? 1 }
      : { start: item, end: item, step: 1 },
  );
}
