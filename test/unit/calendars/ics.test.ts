/** iCalendar files of Google, Outlook and Apple, and malformed ones: which moments are frozen, or what is wrong and where. */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { icsFreezes } from '../../../src/calendars/ics-file.js';

const at = (text: string) => Date.parse(text);
const YEAR = [at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z')] as const;

function frozen(text: string, from: number = YEAR[0], to: number = YEAR[1]): string[] {
  const { freezes, problems } = icsFreezes(text, 'c', from, to);
  expect(problems).toEqual([]);
  const short = (ms: number) => new Date(ms).toISOString().slice(0, 16);
  return freezes
    .sort((left, right) => left.fromMs - right.fromMs)
    .map(({ name, fromMs, toMs }) => `${name}: ${short(fromMs)} ${short(toMs)}`);
}
const exported = (name: string) => readFile(new URL(`./files/${name}.ics`, import.meta.url), 'utf8');
const calendar = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...lines, 'END:VCALENDAR'].join('\r\n');
const event = (...lines: string[]) => ['BEGIN:VEVENT', 'SUMMARY:f', ...lines, 'END:VEVENT'];
const problemsOf = (text: string) => {
  const { problems } = icsFreezes(text, 'c', ...YEAR);
  return problems.map(({ line, code }) => `${line} ${code}`);
};

describe('an export', () => {
  it('of Google: own zone, X-WR-TIMEZONE for days, a changed and a cancelled occurrence', async () => {
    expect(frozen(await exported('google'))).toEqual([
      'Release freeze: 2026-03-27T17:00 2026-03-30T06:00',
      'Quarter end: 2026-03-30T22:00 2026-04-01T22:00',
      'Weekly freeze: 2026-10-16T16:00 2026-10-16T20:00',
      'Weekly freeze: 2026-10-24T08:00 2026-10-24T09:00',
      'Weekly freeze: 2026-11-06T17:00 2026-11-06T21:00',
    ]);
  });

  it('of Outlook: Windows zone names with their VTIMEZONE, and days without a zone', async () => {
    expect(frozen(await exported('outlook'))).toEqual([
      'Patch night: 2026-03-10T21:00 2026-03-11T02:00',
      'Patch night: 2026-04-14T20:00 2026-04-15T01:00',
      'Year end (no time zone is named: widened to all): 2026-12-20T10:00 2027-01-02T12:00',
    ]);
  });

  it('of Apple: folded lines, DURATION, and its own form of EXDATE', async () => {
    expect(frozen(await exported('apple'))).toEqual([
      'Black week, every shop and every country (no time zone is named: widened to all): 2026-11-22T10:00 2026-11-24T12:00',
      'Standby: 2026-12-01T08:00 2026-12-01T09:30',
      'Standby: 2026-12-03T08:00 2026-12-03T09:30',
    ]);
  });
});

describe('a file of another program', () => {
  it.each([
    ['all-day-equal-end', ['Freeze day: 2026-11-29T23:00 2026-11-30T23:00']],
    [
      'all-day-zero-duration',
      [
        'Freeze (no time zone is named: widened to all): 2026-11-30T10:00 2026-12-02T12:00',
        'Freeze (no time zone is named: widened to all): 2026-12-02T10:00 2026-12-04T12:00',
      ],
    ],
    ['notes-zone', ['Release weekend: 2026-12-01T15:00 2026-12-01T23:00']],
    ['day-without-value-date', ['Freeze day: 2026-11-30T23:00 2026-12-01T23:00']],
  ])('%s is read', async (name, wanted) => {
    expect(frozen(await exported(name))).toEqual(wanted);
  });

  it.each([
    ['quotes', '"Zone A"', 'Zone A'],
    ['escapes of parameters and of text', `"Ours^, ^'A^'; B^^"`, `Ours^\\, "A"\\; B^`],
    ['both with a colon', '"(UTC+01:00) Berlin"', '(UTC+01:00) Berlin'],
  ])('names a zone with %s', (_what, parameter, text) => {
    const zone = VTIMEZONE.map((line) => line.replace(/^TZID:.*/, `TZID:${text}`));
    const lines = event(`DTSTART;X-A="b;c:d";TZID=${parameter}:20260601T100000`, 'DURATION:PT1H');
    expect(frozen(calendar(...zone, ...lines))).toEqual(['f: 2026-06-01T08:00 2026-06-01T09:00']);
  });

  it.each([
    ['CR alone', (text: string) => text.replaceAll('\r\n', '\r')],
    ['LF alone', (text: string) => text.replaceAll('\r\n', '\n')],
    ['blank lines', (text: string) => text.replaceAll('\r\n', '\r\n\r\n')],
    ['a byte order mark', (text: string) => `\uFEFF${text}`],
    [
      'lines folded anywhere',
      (text: string) => text.replaceAll('2026', '20\r\n\t26').replaceAll('DTEND', 'DT\r\n END'),
    ],
    [
      'a zone written twice',
      (text: string) => text.replace('BEGIN:VEVENT', `${VTIMEZONE.join('\r\n')}\r\nBEGIN:VEVENT`),
    ],
    ['two calendars', (text: string) => `${text}\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR`],
  ])('may have %s', (_what, write) => {
    const tzid = ';TZID=W. Europe Standard Time';
    const lines = event(`DTSTART${tzid}:20260601T100000`, `DTEND${tzid}:20260601T110000`);
    expect(frozen(write(calendar(...VTIMEZONE, ...lines)))).toEqual(['f: 2026-06-01T08:00 2026-06-01T09:00']);
  });

  it('may have names of any length and with any characters: they are shown as one short line', () => {
    const name = `a\u001b[31m\\nb\u202e\u0007${'ü'.repeat(5_000)}`;
    const text = calendar('BEGIN:VEVENT', `SUMMARY:${name}`, 'DTSTART;TZID=UTC:20260601', 'END:VEVENT');
    const [freeze] = icsFreezes(text, 'c', ...YEAR).freezes;
    expect(freeze?.name).toMatch(/^a\\u001b\[31m b\\u202e\\u0007ü+ … \(\d+ bytes\)$/);
    expect(Buffer.byteLength(freeze?.name ?? '')).toBeLessThanOrEqual(120);
  });
});

describe('a time', () => {
  it.each([
    ['in UTC', 'DTSTART:20260601T100000Z', 'DTEND:20260601T110000Z', '2026-06-01T10:00 2026-06-01T11:00'],
    [
      'of an IANA zone without VTIMEZONE',
      'DTSTART;TZID=Europe/Berlin:20260601T100000',
      'DTEND;TZID=Europe/Berlin:20260601T110000',
      '2026-06-01T08:00 2026-06-01T09:00',
    ],
    [
      'that ends in another zone',
      'DTSTART;TZID=Europe/Berlin:20260601T100000',
      'DTEND;TZID=America/New_York:20260601T100000',
      '2026-06-01T08:00 2026-06-01T14:00',
    ],
    [
      'whose end occurs twice when clocks go back, which is the later one',
      'DTSTART;TZID=Europe/Berlin:20261024T200000',
      'DTEND;TZID=Europe/Berlin:20261025T023000',
      '2026-10-24T18:00 2026-10-25T01:30',
    ],
    ['with a leap second', 'DTSTART:20161231T235900Z', 'DTEND:20261231T235960Z', '2016-12-31T23:59 2027-01-01T00:00'],
    [
      'in lower case',
      'dtstart;tzid=Europe/Berlin:20260601t100000',
      'duration:pt1h',
      '2026-06-01T08:00 2026-06-01T09:00',
    ],
    [
      'in a zone with a global name',
      'DTSTART;TZID=/freeassociation.sourceforge.net/Tzfile/Europe/Berlin:20260601T100000',
      'DURATION:PT1H',
      '2026-06-01T08:00 2026-06-01T09:00',
    ],
    [
      'that is skipped when clocks go forward',
      'DTSTART;TZID=Europe/Berlin:20260329T023000',
      'DURATION:PT1H',
      '2026-03-29T01:30 2026-03-29T02:30',
    ],
    [
      'that is skipped, and so later than its end: the whole day',
      'DTSTART;TZID=Europe/Berlin:20260329T023000',
      'DTEND;TZID=Europe/Berlin:20260329T030000',
      '2026-03-28T23:00 2026-03-29T22:00',
    ],
    [
      'that occurs twice when clocks go back',
      'DTSTART;TZID=Europe/Berlin:20261025T023000',
      'DURATION:PT1H',
      '2026-10-25T00:30 2026-10-25T01:30',
    ],
    [
      'of a day with 25 hours',
      'DTSTART;TZID=Europe/Berlin:20261025T000000',
      'DURATION:P1D',
      '2026-10-24T22:00 2026-10-25T23:00',
    ],
  ])('%s', (_what, start, end, wanted) => {
    expect(frozen(calendar(...event(start, end)))).toEqual([`f: ${wanted}`]);
  });

  it.each([
    [
      'days, end excluded',
      ['DTSTART;VALUE=DATE:20260601', 'DTEND;VALUE=DATE:20260603'],
      '05-31T22:00 2026-06-02T22:00',
    ],
    ['a day without end', ['DTSTART;VALUE=DATE:20260601', 'TRANSP:TRANSPARENT'], '05-31T22:00 2026-06-01T22:00'],
    ['a day that is not marked as one', ['DTSTART:20260601', 'DTEND:20260602'], '05-31T22:00 2026-06-01T22:00'],
    ['a day that ends when it starts', ['DTSTART:20260601', 'DTEND:20260601'], '05-31T22:00 2026-06-01T22:00'],
    ['a day of no length', ['DTSTART:20260601', 'DURATION:P0D'], '05-31T22:00 2026-06-01T22:00'],
    ['a day of half its length', ['DTSTART:20260601', 'DURATION:PT12H'], '05-31T22:00 2026-06-01T22:00'],
    ['two days by hours', ['DTSTART:20260601', 'DURATION:PT30H'], '05-31T22:00 2026-06-02T22:00'],
    ['a day with a zone', ['DTSTART;TZID=UTC:20260601'], '06-01T00:00 2026-06-02T00:00'],
    ['a time of the zone', ['DTSTART:20260601T100000', 'DURATION:PT1H'], '06-01T08:00 2026-06-01T09:00'],
  ])('of a calendar with a zone: %s', (_what, lines, wanted) => {
    expect(frozen(calendar('X-WR-TIMEZONE:Europe/Berlin', ...event(...lines)))).toEqual([`f: 2026-${wanted}`]);
  });

  it.each([
    ['a moment', ['DTSTART;TZID=Asia/Tokyo:20260601T100000'], '05-31T15:00 2026-06-01T15:00'],
    ['no length', ['DTSTART;TZID=Asia/Tokyo:20260601T100000', 'DURATION:PT0S'], '05-31T15:00 2026-06-01T15:00'],
    [
      'a moment in UTC, its day in the zone of the calendar',
      ['DTSTART:20260601T230000Z'],
      '06-01T22:00 2026-06-02T22:00',
    ],
    ['an end at the start', ['DTSTART:20260601T230000Z', 'DTEND:20260601T230000Z'], '06-01T22:00 2026-06-02T22:00'],
  ])('that has no length freezes its whole day: %s', (_what, lines, wanted) => {
    const text = calendar('X-WR-TIMEZONE:Europe/Berlin', ...event(...lines));
    expect(frozen(text)).toEqual([`f (no end: its whole day): 2026-${wanted}`]);
  });

  it.each([
    ['a day', ['DTSTART:20260601'], '', '05-31T10:00 2026-06-02T12:00'],
    ['a time', ['DTSTART:20260601T100000', 'DURATION:PT1H'], '', '05-31T20:00 2026-06-01T23:00'],
    ['a moment', ['DTSTART:20260601T100000'], 'no end: its whole day; ', '05-31T10:00 2026-06-02T12:00'],
    ['a moment in UTC', ['DTSTART:20260601T100000Z'], 'no end: its whole day; ', '05-31T10:00 2026-06-02T10:00'],
  ])('without a zone freezes every possible reading: %s', (_what, lines, note, wanted) => {
    const shown = `f (${note}no time zone is named: widened to all)`;
    expect(frozen(calendar(...event(...lines)))).toEqual([`${shown}: 2026-${wanted}`]);
    const other = VTIMEZONE.map((line) => line.replace('W. Europe', 'E. Europe'));
    expect(frozen(calendar(...VTIMEZONE, ...other, ...event(...lines)))).toEqual([`${shown}: 2026-${wanted}`]);
  });

  it('of a day is in the zone of the calendar, even if only X-WR-TIMEZONE names it', () => {
    const text = calendar('X-WR-TIMEZONE:Asia/Shanghai', ...event('DTSTART;VALUE=DATE:20260601'));
    expect(frozen(text)).toEqual(['f: 2026-05-31T16:00 2026-06-01T16:00']);
  });

  it.each([
    ['a cancelled event', event('DTSTART;VALUE=DATE:20260601', 'STATUS:CANCELLED')],
    ['a day of another year', event('DTSTART;VALUE=DATE:20200601')],
    ['no events', []],
    ['a cancelled event in lower case', event('DTSTART:20260601', 'STATUS:cancelled')],
  ])('is none for %s', (_what, lines) => {
    expect(frozen(calendar(...lines))).toEqual([]);
  });

  it('keeps its whole length when only a part is requested', () => {
    const text = calendar(...event('DTSTART:20251220T000000Z', 'DTEND:20260110T000000Z'));
    expect(frozen(text)).toEqual(['f: 2025-12-20T00:00 2026-01-10T00:00']);
  });
});

const VTIMEZONE = [
  'BEGIN:VTIMEZONE',
  'TZID:W. Europe Standard Time',
  'BEGIN:STANDARD',
  'DTSTART:16010101T030000',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
  'RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10',
  'END:STANDARD',
  'BEGIN:DAYLIGHT',
  'DTSTART:16010101T020000',
  'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0200',
  'RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3',
  'END:DAYLIGHT',
  'END:VTIMEZONE',
];

describe('a VTIMEZONE', () => {
  it('is equivalent to the IANA zone with the same rules, at every hour of the year', () => {
    const hours = fc.integer({ min: 0, max: 24 * 365 * 4 }).map((quarter) => new Date(YEAR[0] + quarter * 900_000));
    fc.assert(
      fc.property(hours, (hour) => {
        const local = hour.toISOString().slice(0, 16).replaceAll(/[-:]/g, '');
        const lines = (tzid: string) => event(`DTSTART;TZID=${tzid}:${local}00`, 'DURATION:PT1H');
        const own = frozen(calendar(...VTIMEZONE, ...lines('W. Europe Standard Time')), ...AROUND);
        expect(own).toEqual(frozen(calendar(...lines('Europe/Berlin')), ...AROUND));
      }),
      { numRuns: 20, examples: [[new Date('2026-03-29T02:30:00Z')], [new Date('2026-10-25T02:30:00Z')]] },
    );
  });
});
const AROUND = [YEAR[0] - 86_400_000 * 2, YEAR[1] + 86_400_000 * 2] as const;

describe('a recurrence', () => {
  it('follows the wall clock across clock changes', () => {
    const lines = event('DTSTART;TZID=Europe/Berlin:20200103T180000', 'DURATION:PT1H', 'RRULE:FREQ=WEEKLY;BYDAY=FR');
    expect(frozen(calendar(...lines), at('2026-10-20T00:00:00Z'), at('2026-11-02T00:00:00Z'))).toEqual([
      'f: 2026-10-23T16:00 2026-10-23T17:00',
      'f: 2026-10-30T17:00 2026-10-30T18:00',
    ]);
  });

  it.each([
    ['UNTIL in UTC', 'RRULE:FREQ=DAILY;UNTIL=20260603T215959Z', ['01', '02', '03']],
    ['UNTIL as a date, its day included', 'RRULE:FREQ=DAILY;UNTIL=20260603', ['01', '02', '03']],
    ['COUNT', 'RRULE:FREQ=DAILY;INTERVAL=2;COUNT=3', ['01', '03', '05']],
  ])('ends by %s', (_what, rule, days) => {
    const lines = event('DTSTART;TZID=Europe/Berlin:20260601T200000', 'DURATION:PT1H', rule);
    expect(frozen(calendar(...lines))).toEqual(days.map((day) => `f: 2026-06-${day}T18:00 2026-06-${day}T19:00`));
  });

  it('has its first day, additional days, and excluded days', () => {
    const lines = event(
      'DTSTART;VALUE=DATE:20260601',
      'RDATE;VALUE=DATE:20260605,20260607',
      'EXDATE;VALUE=DATE:20260605',
    );
    expect(frozen(calendar('X-WR-TIMEZONE:UTC', ...lines))).toEqual([
      'f: 2026-06-01T00:00 2026-06-02T00:00',
      'f: 2026-06-07T00:00 2026-06-08T00:00',
    ]);
  });

  it.each([
    ['a leap day', 'DTSTART;VALUE=DATE:20200229', 'RRULE:FREQ=YEARLY', []],
    [
      'the day of the first one, in months that have it',
      'DTSTART;VALUE=DATE:20230131',
      'RRULE:FREQ=MONTHLY',
      ['2026-01-31', '2026-03-31'],
    ],
    ['a yearly one of a birthday of 1604', 'DTSTART;VALUE=DATE:16040312', 'RRULE:FREQ=YEARLY', ['2026-03-12']],
    [
      'the 31st of each month',
      'DTSTART;VALUE=DATE:20230131',
      'RRULE:FREQ=MONTHLY;BYMONTHDAY=31',
      ['2026-01-31', '2026-03-31'],
    ],
    [
      'the last Friday',
      'DTSTART;VALUE=DATE:20200131',
      'RRULE:FREQ=MONTHLY;BYDAY=-1FR',
      ['2026-01-30', '2026-02-27', '2026-03-27'],
    ],
    [
      'the last working day',
      'DTSTART;VALUE=DATE:20200131',
      'RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      ['2026-01-30', '2026-02-27', '2026-03-31'],
    ],
  ])('%s', (_what, start, rule, days) => {
    const text = calendar('X-WR-TIMEZONE:UTC', ...event(start, rule));
    const found = frozen(text, YEAR[0], at('2026-04-01T00:00:00Z'));
    expect(found.map((each) => each.slice(3, 13))).toEqual(days);
  });

  it.each([
    [
      'periods with an end',
      'RDATE;VALUE=PERIOD:20260605T100000Z/20260605T120000Z',
      '2026-06-05T10:00 2026-06-05T12:00',
    ],
    ['periods with a length', 'RDATE;VALUE=PERIOD:20260605T100000Z/PT90M', '2026-06-05T10:00 2026-06-05T11:30'],
    ['a time', 'RDATE:20260605T100000Z', '2026-06-05T10:00 2026-06-05T11:00'],
    ['a whole day among times', 'RDATE;TZID=UTC:20260605', '2026-06-05T00:00 2026-06-07T00:00'],
  ])('has additional occurrences: %s', (_what, line, wanted) => {
    const text = calendar('X-WR-TIMEZONE:UTC', ...event('DTSTART:20260601T100000Z', 'DURATION:PT1H', line));
    expect(frozen(text)).toEqual(['f: 2026-06-01T10:00 2026-06-01T11:00', `f: ${wanted}`]);
  });

  it('lasts as long as its first, or to the same wall-clock time, whichever ends later', () => {
    const zone = ';TZID=Europe/Berlin';
    const lines = event(
      `DTSTART${zone}:20260320T220000`,
      `DTEND${zone}:20260321T060000`,
      'RRULE:FREQ=WEEKLY;BYDAY=SA,FR',
    );
    expect(frozen(calendar(...lines), at('2026-03-28T12:00:00Z'), at('2026-03-29T12:00:00Z'))).toEqual([
      'f: 2026-03-28T21:00 2026-03-29T05:00',
    ]);
  });

  it('is frozen if a changed occurrence has no series', () => {
    const lines = event('UID:1', 'RECURRENCE-ID;TZID=UTC:20260601T100000', 'DTSTART:20260602T100000Z', 'DURATION:PT1H');
    expect(frozen(calendar(...lines))).toEqual(['f: 2026-06-02T10:00 2026-06-02T11:00']);
  });

  it('yields the same whether its start is far away or near', () => {
    const rules = fc.constantFrom(
      ...[
        'DAILY;INTERVAL=3',
        'WEEKLY;INTERVAL=2;BYDAY=MO,TH',
        'WEEKLY;WKST=SU;INTERVAL=3;BYDAY=SU,SA',
        'HOURLY;INTERVAL=7',
      ],
      ...[
        'MONTHLY;INTERVAL=5',
        'MONTHLY;BYDAY=2TU',
        'MONTHLY;BYMONTHDAY=-1',
        'YEARLY;BYMONTH=5;BYDAY=1MO',
        'DAILY;BYMONTH=5',
      ],
    );
    const days = fc.integer({ min: 0, max: 3_000 });
    fc.assert(
      fc.property(rules, days, (rule, day) => {
        const start = new Date(at('2018-01-01T00:00:00Z') + day * 86_400_000)
          .toISOString()
          .slice(0, 10)
          .replaceAll('-', '');
        const from = at('2026-05-01T00:00:00Z');
        const lines = event(`DTSTART;VALUE=DATE:${start}`, `RRULE:FREQ=${rule}`);
        const timed = rule.startsWith('HOURLY')
          ? lines.map((line) => line.replace(/VALUE=DATE:(\d+)/, 'X=1:$1T000000'))
          : lines;
        const near = frozen(calendar(...timed), from, from + 20 * 86_400_000);
        // An hourly rule since 2018 has more occurrences than the limit.
        const since = rule.startsWith('HOURLY') ? from - 100 * 86_400_000 : at('2018-01-01T00:00:00Z');
        const all = frozen(calendar(...timed), since, from + 20 * 86_400_000);
        expect(near).toEqual(all.filter((text) => at(`${text.slice(-16)}Z`) > from));
      }),
      { numRuns: 40 },
    );
  });
});

const DAILY = ['UID:1', 'DTSTART;TZID=Europe/Berlin:20260601T100000', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;COUNT=3'];

describe('an exception', () => {
  const days = (...lines: string[]) => frozen(calendar(...lines)).map((each) => each.slice(3, 13));

  it.each([
    ['in the form of the start', 'EXDATE;TZID=Europe/Berlin:20260602T100000'],
    ['in UTC, for a time that the clock shows once', 'EXDATE:20260602T080000Z'],
    ['by another name of the zone', 'EXDATE;TZID=/citadel.org/Europe/Berlin:20260602T100000'],
  ])('excludes an occurrence that it matches exactly: %s', (_what, exception) => {
    expect(days(...event(...DAILY, exception))).toEqual(['2026-06-01', '2026-06-03']);
  });

  it('excludes nothing that it does not match', () => {
    expect(days(...event(...DAILY, 'EXDATE:20260602T100000Z'))).toHaveLength(3);
  });

  const DAYS = ['UID:1', 'DTSTART:20260601', 'RRULE:FREQ=DAILY;COUNT=3'];
  const UTC_TIMES = ['UID:1', 'DTSTART:20260601T100000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY'];
  const FLOATING = ['UID:1', 'DTSTART:20260601T100000', 'DURATION:PT1H', 'RRULE:FREQ=DAILY'];
  it.each([
    ['without a zone, of a zone', DAILY, ':20260602T100000'],
    ['without a zone, of UTC', UTC_TIMES, ':20260602T100000'],
    ['a day, of times', DAILY, ';VALUE=DATE:20260602'],
    ['a day, of times without a zone', FLOATING, ':20260602'],
    ['a time, of days', DAYS, ':20260602T000000'],
    ['in UTC, of times without a zone', FLOATING, ':20260602T100000Z'],
    ['a day of another zone', DAYS, ';TZID=UTC:20260602'],
    ['a time that occurs twice in its zone', UTC_TIMES, ';TZID=Europe/Berlin:20261025T023000'],
  ])('that may not match an occurrence is a problem: %s', (_what, lines, value) => {
    const master = event(...lines, `EXDATE${value}`);
    const line = 6 + lines.length;
    for (const zone of [[], ['X-WR-TIMEZONE:Europe/Berlin']]) {
      expect(problemsOf(calendar(...master, ...zone))).toEqual([`${line} unclear-exception`]);
      const other = event('UID:1', `RECURRENCE-ID${value}`, 'DTSTART:20260602T100000Z', 'STATUS:CANCELLED');
      expect(problemsOf(calendar(...event(...lines), ...other, ...zone))).toEqual([`${line + 4} unclear-exception`]);
    }
  });

  const cancelled = (...lines: string[]) =>
    event('UID:1', 'RECURRENCE-ID;TZID=Europe/Berlin:20260602T100000', 'DTSTART:20260602T080000Z', ...lines);
  it('for one of two series with the same UID excludes nothing, and is a problem', () => {
    const text = calendar(...event(...DAILY), ...event(...DAILY), ...cancelled('STATUS:CANCELLED'));
    expect(problemsOf(text)).toEqual(['21 unclear-exception']);
    expect(icsFreezes(text, 'c', ...YEAR).freezes).toHaveLength(6);
  });

  it('that is older than its series excludes nothing, and is a problem', () => {
    const text = (sequence: number) =>
      calendar(...event(...DAILY, 'SEQUENCE:2'), ...cancelled(`SEQUENCE:${sequence}`, 'STATUS:CANCELLED'));
    expect(problemsOf(text(1))).toEqual(['15 unclear-exception']);
    expect(icsFreezes(text(1), 'c', ...YEAR).freezes).toHaveLength(3);
    expect(frozen(text(2))).toHaveLength(2);
  });
});

describe('a time that two clocks may mean', () => {
  const part = (name: string, start: string, from: string, to: string, ...lines: string[]) => [
    ...[`BEGIN:${name}`, `DTSTART:${start}`, `TZOFFSETFROM:${from}`, `TZOFFSETTO:${to}`],
    ...[...lines, `END:${name}`],
  ];
  const zone = (tzid: string, ...lines: string[]) => ['BEGIN:VTIMEZONE', `TZID:${tzid}`, ...lines, 'END:VTIMEZONE'];
  const inZone = (lines: string[], start: string) => {
    const tzid = lines[1]?.slice('TZID:'.length) ?? '';
    const text = calendar(...lines, ...event(`DTSTART;TZID=${tzid}:${start}`, 'DURATION:PT1H'));
    return frozen(text, at('2026-01-01T00:00:00Z'), at('2028-01-01T00:00:00Z'));
  };
  const shown = 'f (its time zone is described in two ways: widened to both)';
  const year = (summer: string, winter: string) => [
    ...part('DAYLIGHT', summer, '+0100', '+0200'),
    ...part('STANDARD', winter, '+0200', '+0100'),
  ];

  it.each([
    [
      'both parts since 1601 without rules',
      zone('W. Europe Standard Time', ...year('16010101T000000', '16010101T000000')),
    ],
    ['the same, at once', zone('W. Europe Standard Time', ...year('16010101T020000', '16010101T030000'))],
    ['the changes of one year, after them', zone('Ours', ...year('20260329T020000', '20261025T030000'))],
    ['the same under an IANA name', zone('Europe/Berlin', ...year('20260329T020000', '20261025T030000'))],
    ['the changes of a later year, before them', zone('Ours', ...year('20280326T020000', '20281029T030000'))],
    [
      'an IANA name with winter time only',
      zone('Europe/Berlin', ...part('STANDARD', '19700101T000000', '+0100', '+0100')),
    ],
  ])('is frozen by both: %s', (_what, lines) => {
    expect(inZone(lines, '20270701T100000')).toEqual([`${shown}: 2027-07-01T08:00 2027-07-01T10:00`]);
  });

  it('is frozen once if the file and the IANA zone agree', () => {
    const lines = zone('Europe/Berlin', ...year('20260329T020000', '20261025T030000'));
    expect(inZone(lines, '20260701T100000')).toEqual(['f: 2026-07-01T08:00 2026-07-01T09:00']);
  });

  it('is not read if a part of the zone is missing', () => {
    const only = part('STANDARD', '19961027T030000', '+0200', '+0100', 'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU');
    expect(problemsOf(calendar(...zone('Ours', ...only)))).toEqual(['4 invalid-time-zone']);
  });

  it.each([
    ['each hour', 'RRULE:FREQ=HOURLY'],
    [
      'each hour, by their names',
      `RRULE:FREQ=DAILY;BYHOUR=${Array.from({ length: 24 }, (_item, hour) => hour).join(',')}`,
    ],
  ])('leaves no gap when clocks change: %s', (_what, rule) => {
    for (const day of ['20261024', '20260328']) {
      const text = calendar(...event(`DTSTART;TZID=Europe/Berlin:${day}T000000`, 'DURATION:PT1H', rule));
      const fromMs = at(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
      for (let hour = 0; hour < 60; hour += 1) {
        const ms = fromMs + hour * 3_600_000;
        expect(icsFreezes(text, 'c', ms, ms + 3_600_000).freezes.filter((each) => each.fromMs <= ms)).not.toEqual([]);
      }
    }
  });

  it('follows the wall clock for hours of the day, and freezes both readings of an ambiguous one', () => {
    const lines = event('DTSTART;TZID=Europe/Berlin:20261024T023000', 'DURATION:PT10M', 'RRULE:FREQ=DAILY;BYHOUR=2,14');
    expect(frozen(calendar(...lines), at('2026-10-25T00:00:00Z'), at('2026-10-26T00:00:00Z'))).toEqual([
      'f: 2026-10-25T00:30 2026-10-25T00:40',
      'f: 2026-10-25T01:30 2026-10-25T01:40',
      'f: 2026-10-25T13:30 2026-10-25T13:40',
    ]);
  });

  it('ends a rule at the later one if UNTIL has no zone', () => {
    const lines = event(
      'DTSTART;TZID=Europe/Berlin:20260601T100000',
      'DURATION:PT1H',
      'RRULE:FREQ=DAILY;UNTIL=20260602T080000',
    );
    expect(frozen(calendar(...lines))).toHaveLength(2);
  });

  it('counts hours by the offset of the start, and by the current one', () => {
    const lines = event('DTSTART;TZID=Europe/Berlin:20261024T230000', 'DURATION:PT10M', 'RRULE:FREQ=HOURLY;INTERVAL=5');
    expect(frozen(calendar(...lines), at('2026-10-25T00:00:00Z'), at('2026-10-25T04:00:00Z'))).toEqual([
      'f: 2026-10-25T02:00 2026-10-25T02:10',
      'f: 2026-10-25T03:00 2026-10-25T03:10',
    ]);
  });
});

describe('a malformed file', () => {
  it.each([
    ['an empty file', '', ['1 no-calendar']],
    ['a web page', '<html>\n<a href="x:y">', ['1 ics-syntax', '2 ics-syntax']],
    ['a calendar that is cut off', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260601T100000Z', ['2 ics-syntax']],
    ['an end of something else', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR', ['3 ics-syntax']],
    ['a line without a colon', calendar('BEGIN:VEVENT', 'DTSTART', 'END:VEVENT'), ['5 ics-syntax']],
    ['no DTSTART', calendar(...event('DTEND:20260601T100000Z')), ['4 missing']],
    ['a 13th month', calendar(...event('DTSTART:20261301T100000Z')), ['6 ics-time']],
    ['a 30th of February', calendar(...event('DTSTART;VALUE=DATE:20260230')), ['6 ics-time']],
    ['a time in words', calendar(...event('DTSTART:tomorrow')), ['6 ics-time']],
    [
      'an end before the beginning',
      calendar(...event('DTSTART:20260601T100000Z', 'DTEND:20260601T090000Z')),
      ['7 ends-before-start'],
    ],
    ['a negative duration', calendar(...event('DTSTART:20260601T100000Z', 'DURATION:-PT1H')), ['7 ends-before-start']],
    ['an invalid duration', calendar(...event('DTSTART:20260601T100000Z', 'DURATION:an hour')), ['7 ics-time']],
    [
      'an unknown zone',
      calendar(...event('DTSTART;TZID=W. Europe Standard Time:20260601T100000')),
      ['6 unknown-time-zone'],
    ],
    ['an unknown zone of the calendar', calendar('X-WR-TIMEZONE:Nowhere/City'), ['4 unknown-time-zone']],
    ['a zone without rules', calendar('BEGIN:VTIMEZONE', 'TZID:X', 'END:VTIMEZONE'), ['4 invalid-time-zone']],
    [
      'a zone that changes each second',
      calendar(...VTIMEZONE.map((line) => line.replace('FREQ=YEARLY', 'FREQ=SECONDLY'))),
      ['10 invalid-time-zone', '16 invalid-time-zone'],
    ],
    [
      'an invented frequency',
      calendar(...event('DTSTART:20260601T100000Z', 'RRULE:FREQ=FORTNIGHTLY')),
      ['7 rule-not-supported'],
    ],
    [
      'a rule without a frequency',
      calendar(...event('DTSTART:20260601T100000Z', 'RRULE:COUNT=3')),
      ['7 rule-not-supported'],
    ],
    [
      'a rule of seconds',
      calendar(...event('DTSTART:20260601T100000Z', 'RRULE:FREQ=SECONDLY')),
      ['7 rule-not-supported'],
    ],
    [
      'a huge interval',
      calendar(...event('DTSTART:20260601T100000Z', 'RRULE:FREQ=DAILY;INTERVAL=999999999')),
      ['7 rule-not-supported'],
    ],
    [
      'a week of every other year, which the standard leaves open',
      calendar(...event('DTSTART:20260601T100000Z', 'RRULE:FREQ=YEARLY;INTERVAL=2;BYWEEKNO=20')),
      ['7 rule-not-supported'],
    ],
    ['an EXRULE', calendar(...event('DTSTART:20260601T100000Z', 'EXRULE:FREQ=DAILY')), ['7 not-supported']],
    [
      'a change of all later occurrences',
      calendar(...event('DTSTART:20260601T100000Z', 'RECURRENCE-ID;RANGE=THISANDFUTURE:20260601T100000Z')),
      ['7 not-supported'],
    ],
  ])('%s', (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it.each([
    ['a task', ['BEGIN:VTODO', 'DUE:20260601', 'END:VTODO'], '4 not-supported'],
    ['a note', ['BEGIN:VJOURNAL', 'DTSTART:20260601', 'END:VJOURNAL'], '4 not-supported'],
    ['busy times', ['BEGIN:VFREEBUSY', 'FREEBUSY:20260601T100000Z/PT1H', 'END:VFREEBUSY'], '4 not-supported'],
    ['availability', ['BEGIN:VAVAILABILITY', 'END:VAVAILABILITY'], '4 not-supported'],
    ['a custom component', ['BEGIN:X-FREEZE', 'DTSTART:20260601', 'END:X-FREEZE'], '4 not-supported'],
    ['a start without an event', ['DTSTART:20260601', 'DTEND:20260602'], '4 not-supported', '5 not-supported'],
    ['an older format', ['VERSION:1.0'], '4 not-supported'],
    ['another calendar system', ['CALSCALE:CHINESE'], '4 not-supported'],
    ['a mistyped end', event('DTSTART:20260601', 'DTEDN:20260610'), '7 not-supported'],
    ['an event in an event', event('DTSTART:20260601', ...event('DTSTART:20260602')), '7 not-supported'],
    ['two starts', event('DTSTART:20260601', 'DTSTART:20260602'), '7 not-supported'],
    ['two ends', event('DTSTART:20260601', 'DTEND:20260602', 'DURATION:P3D'), '8 not-supported'],
    ['a day that ends with a time', event('DTSTART:20260601', 'DTEND:20260602T100000'), '7 ics-time'],
    ['a date with a time', event('DTSTART;VALUE=DATE:20260601T100000'), '6 ics-time'],
    ['two zones at once', event('DTSTART;TZID=Europe/Berlin:20260601T100000Z'), '6 ics-time'],
    ['a time with an offset', event('DTSTART:20260601T100000+0100'), '6 ics-time'],
    ['an end after the end of time', event('DTSTART:20260601', 'DURATION:P9999999D'), '7 ics-time'],
    ['parameters that are cut off', event('DTSTART;TZID="Europe:20260601T100000'), '6 ics-syntax'],
    ['another zone of the calendar', ['X-WR-TIMEZONE:UTC', 'X-WR-TIMEZONE:Asia/Tokyo'], '5 invalid-time-zone'],
    [
      'a zone defined twice',
      [...VTIMEZONE, ...VTIMEZONE.map((line) => line.replace('=-1SU', '=-2SU'))],
      '19 invalid-time-zone',
    ],
    ['an unknown part of a rule', event('DTSTART:20260601', 'RRULE:FREQ=DAILY;BYWEEK=3'), '7 rule-not-supported'],
    ['COUNT and UNTIL', event('DTSTART:20260601', 'RRULE:FREQ=DAILY;COUNT=3;UNTIL=20270101'), '7 rule-not-supported'],
    [
      'an event in a reminder',
      event('DTSTART:20260601', 'BEGIN:VALARM', ...event('DTSTART:20260602'), 'END:VALARM'),
      '8 not-supported',
    ],
    [
      'an event in a custom component',
      event('DTSTART:20260601', 'BEGIN:X-FOO', ...event('DTSTART:20260602'), 'END:X-FOO'),
      '8 not-supported',
    ],
    [
      'a rule in a reminder',
      event('DTSTART:20260601', 'BEGIN:VALARM', 'RRULE:FREQ=DAILY', 'END:VALARM'),
      '8 not-supported',
    ],
    [
      'an event in a zone',
      [...VTIMEZONE.slice(0, -1), ...event('DTSTART:20260601'), 'END:VTIMEZONE'],
      '18 not-supported',
    ],
    [
      'an event in a part of a zone',
      [...VTIMEZONE.slice(0, -2), ...event('DTSTART:20260601'), ...VTIMEZONE.slice(-2)],
      '17 not-supported',
    ],
    ['a mistyped part of a zone', VTIMEZONE.map((line) => line.replace('DAYLIGHT', 'DAYLIGTH')), '12 not-supported'],
    [
      'exceptions of a zone',
      [...VTIMEZONE.slice(0, -2), 'EXRULE:FREQ=YEARLY', ...VTIMEZONE.slice(-2)],
      '17 not-supported',
    ],
    ['a zone until', [...VTIMEZONE.slice(0, 2), 'TZUNTIL:20260101T000000Z', ...VTIMEZONE.slice(2)], '6 not-supported'],
    [
      'two offsets of a zone',
      [...VTIMEZONE.slice(0, -2), 'TZOFFSETTO:+0300', ...VTIMEZONE.slice(-2)],
      '17 not-supported',
    ],
    ['two names of a zone', [...VTIMEZONE.slice(0, 2), 'TZID:Other', ...VTIMEZONE.slice(2)], '6 not-supported'],
    [
      'a zone whose clocks change in UTC',
      VTIMEZONE.map((line) => line.replace('T020000', 'T020000Z')),
      '13 invalid-time-zone',
    ],
    ['a status that is cut off', event('DTSTART:20260601', 'STATUS;X-NOTE="see:CANCELLED"'), '7 ics-syntax'],
    ['a summary that is cut off', event('DTSTART:20260601', 'SUMMARY;X:CANCELLED'), '7 ics-syntax'],
    ['two starts in one', event('DTSTART;VALUE=DATE:20261224,20261225'), '6 ics-time'],
    ['two ends in one', event('DTSTART:20261224', 'DTEND:20261225,20261227'), '7 ics-time'],
    ['two changed occurrences in one', event('DTSTART:20261224', 'RECURRENCE-ID:20261224,20261225'), '7 ics-time'],
    ['a start that is a period', event('DTSTART;VALUE=PERIOD:20261224T100000Z/PT1H'), '6 ics-time'],
    ['two zones of a start', event('DTSTART;TZID=UTC;TZID=Europe/Berlin:20260601T100000'), '6 ics-syntax'],
    [
      'a period of three',
      event('DTSTART:20260601T100000Z', 'RDATE;VALUE=PERIOD:20260603T100000Z/PT1H/PT9H'),
      '7 ics-time',
    ],
    ['a version that is not a number', event('DTSTART:20260601', 'SEQUENCE:new'), '7 ics-syntax'],
    ['an invalid period', event('DTSTART:20260601', 'RDATE;VALUE=PERIOD:20260603T100000Z/x'), '7 ics-time'],
  ])('is a problem at the line that is not read: %s', (_what, lines, ...wanted) => {
    expect(problemsOf(calendar(...lines))).toEqual(wanted);
  });

  it('has one problem for an unreadable zone, not one more for each event in it', () => {
    const broken = VTIMEZONE.map((line) => line.replace('-1SU', 'XX'));
    const lines = event('DTSTART;TZID=W. Europe Standard Time:20260601T100000');
    expect(problemsOf(calendar(...broken, ...lines, ...lines))).toEqual([
      '10 invalid-time-zone',
      '16 invalid-time-zone',
    ]);
  });

  it('gets a remedy that differs from its text', () => {
    const zone = VTIMEZONE.map((line) => line.replace('FREQ=YEARLY;', 'FREQ=YEARLY;BYWEEKNO=60;'));
    const lines = [
      ...event('DTSTART:20260231'),
      ...event('DTSTART:20261201T180000Z', 'DURATION:1D'),
      ...event('DTSTART;TZID=Berlin:20260601T100000'),
      ...event('DTSTART:20260601', 'RRULE:FREQ=MONTHLY;BYDAY=9MO'),
    ];
    const text = calendar(...zone, ...lines).split('\r\n');
    const { problems } = icsFreezes(text.join('\n'), 'c', ...YEAR);
    expect(problems).toHaveLength(6);
    for (const { line, remedy } of problems)
      for (const word of (text[line - 1] ?? '').split(/[:;]/).slice(1))
        expect(remedy.split(/[ ,.]/)).not.toContain(word);
  });

  it('is reported in full, every event', () => {
    const text = calendar(
      ...event('DTSTART:x'),
      ...event('DTSTART;VALUE=DATE:20260601'),
      ...event('DTSTART:y', 'RRULE:FREQ=Z'),
    );
    expect(problemsOf(text)).toEqual(['6 ics-time', '14 ics-time']);
  });

  it.each([
    ['each second of each hour', `RRULE:FREQ=HOURLY;BYMINUTE=${sixty()};BYSECOND=${sixty()}`, 'too-many-occurrences'],
    ['a count without end', 'RRULE:FREQ=HOURLY;BYMINUTE=1;COUNT=999999999999', 'too-many-occurrences'],
    ['each second', 'RRULE:FREQ=SECONDLY', 'rule-not-supported'],
    ['a 30th of February', 'RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', 'rule-not-supported'],
    ['a 31st of November', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=31', 'rule-not-supported'],
    ['a position beyond the last', 'RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6', 'rule-not-supported'],
    ['an end before the start', 'RRULE:FREQ=DAILY;UNTIL=17001231', 'rule-not-supported'],
  ])('does not block the worker, and is a problem: %s', (_what, rule, code) => {
    const text = calendar(...event('DTSTART:18000601T100000Z', 'DURATION:PT1S', rule));
    expect(problemsOf(text)).toEqual([`${code === 'too-many-occurrences' ? 4 : 8} ${code}`]);
  });

  it('of any kind is reported with its lines, and never throws', () => {
    const words = [
      'BEGIN:VCALENDAR',
      'BEGIN:VEVENT',
      'END:VEVENT',
      'END:VCALENDAR',
      'DTSTART:20260601',
      'RRULE:FREQ=DAILY',
      'DTEND;',
      ':',
      ' x',
      'UID:1',
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string()), { maxLength: 12 }), (lines) => {
        const { problems } = icsFreezes(lines.join('\n'), 'c', ...YEAR);
        for (const { line, found, remedy } of problems) {
          expect(line).toBeGreaterThan(0);
          expect(found).not.toBe('');
          expect(remedy).not.toBe('');
        }
      }),
    );
  });
});

it('reads ten thousand events', () => {
  const events = Array.from({ length: 10_000 }, (_item, index) => {
    const day = new Date(at('2010-01-01T00:00:00Z') + index * 86_400_000 * 0.6)
      .toISOString()
      .slice(0, 10)
      .replaceAll('-', '');
    return event(
      `UID:${index}`,
      `DTSTART;TZID=Europe/Berlin:${day}T200000`,
      `DTEND;TZID=Europe/Berlin:${day}T210000`,
    ).join('\r\n');
  });
  const found = frozen(calendar(...events), at('2026-05-01T00:00:00Z'), at('2026-05-04T00:00:00Z'));
  expect(new Set(found).size).toBe(3);
});

function sixty(): string {
  return Array.from({ length: 60 }, (_item, index) => index).join(',');
}
