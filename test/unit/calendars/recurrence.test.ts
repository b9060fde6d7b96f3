/** Recurrence rules: the examples of the standard, and random rules compared with its definition, day by day. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasOccurrence, occurrencesOf } from '../../../src/calendars/recurrence.js';
import { readRule, type Rule } from '../../../src/calendars/recurrence-rule.js';

const DAY_MS = 86_400_000;
const at = (text: string) => Date.parse(`${text}Z`);
const short = (ms: number) => new Date(ms).toISOString().slice(0, 10);

function rule(text: string, start: number): Rule {
  const read = readRule(text, start);
  if (typeof read === 'string') throw new Error(`${text}: ${read}`);
  return read;
}
function starts(text: string, start: number, from: number, to: number): number[] {
  const read = rule(text, start);
  const untilMs = read.until === null ? Infinity : read.until.wallMs;
  return [...occurrencesOf(read, start, untilMs, from, to, { left: 10_000_000 })];
}

describe('https://www.rfc-editor.org/rfc/rfc5545#section-3.8.5.3', () => {
  it.each([
    ['19970902', 'FREQ=DAILY;COUNT=10', '1997-09-02 03 04 05 06 07 08 09 10 11'],
    ['19970902', 'FREQ=DAILY;INTERVAL=10;COUNT=5', '1997-09-02 12 22 1997-10-02 12'],
    ['19970902', 'FREQ=WEEKLY;COUNT=10', '1997-09-02 09 16 23 30 1997-10-07 14 21 28 1997-11-04'],
    ['19970902', 'FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=6', '1997-09-02 16 30 1997-10-14 28 1997-11-11'],
    [
      '19970902',
      'FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH',
      '1997-09-02 04 09 11 16 18 23 25 30 1997-10-02',
    ],
    [
      '19970901',
      'FREQ=WEEKLY;INTERVAL=2;COUNT=10;WKST=SU;BYDAY=MO,WE,FR',
      '1997-09-01 03 05 15 17 19 29 1997-10-01 03 13',
    ],
    ['19970902', 'FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH', '1997-09-02 04 16 18 30 1997-10-02 14 16'],
    ['19970905', 'FREQ=MONTHLY;COUNT=6;BYDAY=1FR', '1997-09-05 1997-10-03 1997-11-07 1997-12-05 1998-01-02 1998-02-06'],
    ['19970907', 'FREQ=MONTHLY;INTERVAL=2;COUNT=6;BYDAY=1SU,-1SU', '1997-09-07 28 1997-11-02 30 1998-01-04 25'],
    [
      '19970922',
      'FREQ=MONTHLY;COUNT=6;BYDAY=-2MO',
      '1997-09-22 1997-10-20 1997-11-17 1997-12-22 1998-01-19 1998-02-16',
    ],
    [
      '19970928',
      'FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=6',
      '1997-09-28 1997-10-29 1997-11-28 1997-12-29 1998-01-29 1998-02-26',
    ],
    [
      '19970930',
      'FREQ=MONTHLY;COUNT=8;BYMONTHDAY=1,-1',
      '1997-09-30 1997-10-01 31 1997-11-01 30 1997-12-01 31 1998-01-01',
    ],
    [
      '19970910',
      'FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15',
      '1997-09-10 11 12 13 14 15 1999-03-10 11 12 13',
    ],
    ['19970610', 'FREQ=YEARLY;COUNT=5;BYMONTH=6,7', '1997-06-10 1997-07-10 1998-06-10 1998-07-10 1999-06-10'],
    [
      '19970310',
      'FREQ=YEARLY;INTERVAL=2;COUNT=5;BYMONTH=1,2,3',
      '1997-03-10 1999-01-10 1999-02-10 1999-03-10 2001-01-10',
    ],
    [
      '19970101',
      'FREQ=YEARLY;INTERVAL=3;COUNT=7;BYYEARDAY=1,100,200',
      '1997-01-01 1997-04-10 1997-07-19 2000-01-01 2000-04-09 2000-07-18 2003-01-01',
    ],
    ['19970519', 'FREQ=YEARLY;BYDAY=20MO;COUNT=3', '1997-05-19 1998-05-18 1999-05-17'],
    ['19970512', 'FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3', '1997-05-12 1998-05-11 1999-05-17'],
    ['19970313', 'FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=5', '1997-03-13 20 27 1998-03-05 12'],
    [
      '19970902',
      'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=5',
      '1998-02-13 1998-03-13 1998-11-13 1999-08-13 2000-10-13',
    ],
    [
      '19970913',
      'FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13;COUNT=4',
      '1997-09-13 1997-10-11 1997-11-08 1997-12-13',
    ],
    [
      '19961105',
      'FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3',
      '1996-11-05 2000-11-07 2004-11-02',
    ],
    ['19970904', 'FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3', '1997-09-04 1997-10-07 1997-11-06'],
    [
      '19970929',
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=4',
      '1997-09-29 1997-10-30 1997-11-27 1997-12-30',
    ],
    ['19970805', 'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO', '1997-08-05 10 19 24'],
    ['19970805', 'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU', '1997-08-05 17 19 31'],
    ['20070115', 'FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5', '2007-01-15 30 2007-02-15 2007-03-15 30'],
  ])('from %s, %s', (start, text, wanted) => {
    const startMs = at(`${start.slice(0, 4)}-${start.slice(4, 6)}-${start.slice(6)}T09:00:00`);
    let month = '';
    const days = wanted.split(' ').map((each) => {
      if (each.length > 2) month = each.slice(0, 8);
      return `${month}${each.slice(-2)}`;
    });
    const found = starts(text, startMs, startMs, at('2010-01-01T00:00:00'));
    expect(found.map(short)).toEqual(days);
    expect(new Set(found.map((ms) => ms % DAY_MS))).toEqual(new Set([9 * 3_600_000]));
  });

  it.each([
    ['FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000', '09:00 12:00 15:00'],
    ['FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20,40;COUNT=6', '09:00 09:20 09:40 10:00 10:20 10:40'],
    ['FREQ=HOURLY;BYHOUR=9,11;BYMINUTE=15,45;UNTIL=19970902T230000', '09:15 09:45 11:15 11:45'],
    ['FREQ=DAILY;BYHOUR=6,12,18;BYSETPOS=-1;COUNT=1', '18:00'],
  ])('times of a day: %s', (text, wanted) => {
    const start = at('1997-09-02T09:00:00');
    const found = starts(text, start, start, at('1997-09-03T00:00:00'));
    expect(found.map((ms) => new Date(ms).toISOString().slice(11, 16)).join(' ')).toBe(wanted);
  });
});

describe('a rule without any occurrence', () => {
  it.each([
    ['FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=31', false],
    ['FREQ=MONTHLY;BYDAY=6MO', false],
    ['FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29', true],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO', true],
    ['FREQ=YEARLY;BYWEEKNO=53', true],
  ])('is detected: %s', (text, wanted) => {
    const start = at('2024-01-01T00:00:00');
    expect(hasOccurrence(rule(text, start), start, Infinity, { left: 10_000_000 })).toBe(wanted);
  });
});

const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
interface Parts {
  readonly FREQ: string;
  readonly INTERVAL?: number;
  readonly COUNT?: number;
  readonly WKST?: string;
  readonly BYMONTH?: readonly number[];
  readonly BYMONTHDAY?: readonly number[];
  readonly BYYEARDAY?: readonly number[];
  readonly BYWEEKNO?: readonly number[];
  readonly BYDAY?: readonly string[];
  readonly BYSETPOS?: readonly number[];
}

/** The definition, taken literally: which period a day lies in, and whether the day has every property of the rule. */
function byDefinition(parts: Parts, start: number, to: number): number[] {
  const {
    FREQ,
    INTERVAL = 1,
    COUNT = Infinity,
    WKST = 'MO',
    BYMONTH,
    BYMONTHDAY,
    BYYEARDAY,
    BYWEEKNO,
    BYDAY,
    BYSETPOS,
  } = parts;
  const first = new Date(start);
  const weekStart = WEEKDAYS.indexOf(WKST);
  const weekOf = (ms: number) => ms - ((new Date(ms).getUTCDay() - weekStart + 7) % 7) * DAY_MS;
  const weekYear = (ms: number) => new Date(weekOf(ms) + 3 * DAY_MS).getUTCFullYear();
  const firstWeek = (year: number) => weekOf(Date.UTC(year, 0, 4));
  const periodOf = (ms: number): number => {
    const date = new Date(ms);
    const years = (BYWEEKNO === undefined ? date.getUTCFullYear() : weekYear(ms)) - first.getUTCFullYear();
    if (FREQ === 'DAILY') return Math.round((ms - start) / DAY_MS);
    if (FREQ === 'WEEKLY') return Math.round((weekOf(ms) - weekOf(start)) / DAY_MS / 7);
    return FREQ === 'YEARLY' ? years : years * 12 + date.getUTCMonth() - first.getUTCMonth();
  };
  const among = (list: readonly number[] | undefined, place: number, length: number) =>
    list === undefined || list.includes(place) || list.includes(place - length - 1);
  const fits = (ms: number): boolean => {
    const date = new Date(ms);
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
    const monthDays = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    const yearDay = (ms - Date.UTC(year, 0, 1)) / DAY_MS + 1;
    const yearDays = (Date.UTC(year + 1, 0, 1) - Date.UTC(year, 0, 1)) / DAY_MS;
    const week = (weekOf(ms) - firstWeek(weekYear(ms))) / DAY_MS / 7 + 1;
    const weeks = (firstWeek(weekYear(ms) + 1) - firstWeek(weekYear(ms))) / DAY_MS / 7;
    if (BYMONTH?.includes(month + 1) === false) return false;
    if (!among(BYMONTHDAY, day, monthDays) || !among(BYYEARDAY, yearDay, yearDays) || !among(BYWEEKNO, week, weeks))
      return false;
    if (BYDAY !== undefined) {
      const inMonth = FREQ === 'MONTHLY' || BYMONTH !== undefined;
      const [place, length] = inMonth ? [day, monthDays] : [yearDay, yearDays];
      return BYDAY.some((each) => {
        const nth = Number.parseInt(each, 10);
        if (!each.endsWith(WEEKDAYS[date.getUTCDay()] ?? '')) return false;
        return Number.isNaN(nth) || nth === Math.ceil(place / 7) || nth === -Math.ceil((length - place + 1) / 7);
      });
    }
    if (BYMONTHDAY !== undefined || BYYEARDAY !== undefined || FREQ === 'DAILY') return true;
    if (FREQ === 'WEEKLY' || BYWEEKNO !== undefined) return date.getUTCDay() === first.getUTCDay();
    return day === first.getUTCDate() && (FREQ === 'MONTHLY' || BYMONTH !== undefined || month === first.getUTCMonth());
  };
  const periods = new Map<number, number[]>();
  for (let ms = start - 400 * DAY_MS; ms < to + 400 * DAY_MS; ms += DAY_MS)
    if (periodOf(ms) >= 0 && periodOf(ms) % INTERVAL === 0 && fits(ms))
      periods.set(periodOf(ms), [...(periods.get(periodOf(ms)) ?? []), ms]);
  const all = [...periods.values()].flatMap((days) =>
    days.filter(
      (_day, index) =>
        BYSETPOS === undefined || BYSETPOS.some((nth) => nth === index + 1 || nth === index - days.length),
    ),
  );
  return all
    .filter((ms) => ms >= start)
    .slice(0, COUNT)
    .filter((ms) => ms <= to);
}

describe('a random rule', { timeout: 600_000 }, () => {
  const several = <Value>(values: fc.Arbitrary<Value>) => fc.uniqueArray(values, { minLength: 1, maxLength: 3 });
  const numbers = (...values: number[]) =>
    several(fc.oneof(fc.constantFrom(...values), fc.integer({ min: 1, max: 28 })));
  const days = fc.constantFrom(...WEEKDAYS);
  const numbered = fc.tuple(fc.constantFrom('1', '2', '-1', '5', '-5', ''), days).map((both) => both.join(''));
  const inYear = fc.tuple(fc.constantFrom('20', '53', '-53', '-1', ''), days).map((both) => both.join(''));
  const common = {
    INTERVAL: fc.integer({ min: 1, max: 4 }),
    COUNT: fc.integer({ min: 1, max: 60 }),
    WKST: days,
    BYMONTH: several(fc.integer({ min: 1, max: 12 })),
    BYSETPOS: several(fc.constantFrom(1, 2, -1, -2)),
  };
  const monthDays = numbers(29, 30, 31, -1, -5, -31);
  const parts: fc.Arbitrary<Parts> = fc.oneof(
    fc.record(
      { FREQ: fc.constant('DAILY'), ...common, BYMONTHDAY: monthDays, BYDAY: several(days) },
      { requiredKeys: ['FREQ'] },
    ),
    fc.record({ FREQ: fc.constant('WEEKLY'), ...common, BYDAY: several(days) }, { requiredKeys: ['FREQ'] }),
    fc.record(
      { FREQ: fc.constant('MONTHLY'), ...common, BYMONTHDAY: monthDays, BYDAY: several(numbered) },
      { requiredKeys: ['FREQ'] },
    ),
    fc.record(
      {
        FREQ: fc.constant('YEARLY'),
        ...common,
        BYMONTHDAY: monthDays,
        BYYEARDAY: numbers(60, 365, 366, -1, -366),
        BYDAY: several(inYear),
      },
      { requiredKeys: ['FREQ'] },
    ),
    fc.record(
      {
        FREQ: fc.constant('YEARLY'),
        COUNT: common.COUNT,
        WKST: days,
        BYWEEKNO: numbers(1, 52, 53, -1, -53),
        BYDAY: several(days),
      },
      { requiredKeys: ['FREQ', 'BYWEEKNO'] },
    ),
  );

  it('yields the days of its definition, also when asked from the middle', () => {
    const someDay = fc.integer({ min: 0, max: 1_500 }).map((day) => at('2019-01-01T00:00:00') + day * DAY_MS);
    const [from, to] = [at('2026-01-01T00:00:00'), at('2029-01-01T00:00:00')];
    fc.assert(
      fc.property(parts, someDay, (given, start) => {
        const text = Object.entries(given)
          .map(([name, value]) => `${name}=${String(value)}`)
          .join(';');
        const wanted = byDefinition(given, start, to).filter((ms) => ms >= from);
        expect(starts(text, start, from, to).map(short)).toEqual(wanted.map(short));
      }),
      { numRuns: 60 },
    );
  });
});
