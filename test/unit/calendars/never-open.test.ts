/** The promise of calendars: every instant within an event is frozen, however the event is written and whichever reading was meant. */
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { icsFreezes } from '../../../src/calendars/ics-file.js';

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
];
const EVERYWHERE = [...ZONES, 'UTC', 'Etc/GMT+12', 'Etc/GMT-14', 'Pacific/Kiritimati', 'Asia/Tokyo'];
const WINDOWS = 'W. Europe Standard Time';
const VTIMEZONE = [
  'BEGIN:VTIMEZONE',
  `TZID:${WINDOWS}`,
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
/** With the changes of one year only. */
const ONE_YEAR = VTIMEZONE.filter((line) => !line.startsWith('RRULE'))
  .join('\n')
  .replace(WINDOWS, 'Europe/Berlin')
  .replace('16010101T03', '20261025T03')
  .replace('16010101T02', '20260329T02')
  .split('\n');

/** A time on a wall clock; `zone: null` if the file does not name its zone. */
const dates = fc.integer({ min: 0, max: 3 * 365 * 96 }).map((quarter) => Date.UTC(2025, 0, 1) + quarter * 900_000);
/** Half of the nights are nights in which clocks change. */
const walls = fc.oneof(
  dates,
  fc
    .tuple(
      fc.constantFrom('2026-03-29', '2026-10-25', '2026-03-08', '2026-11-01', '2026-04-05'),
      fc.oneof(fc.constantFrom(8, 9, 10, 11), fc.integer({ min: 0, max: 23 })),
    )
    .map(([day, quarter]) => Date.parse(`${day}T00:00:00Z`) + quarter * 900_000),
);
const lengths = fc.constantFrom(
  null,
  { minutes: 0 },
  { minutes: 30 },
  { hours: 8 },
  { hours: 30 },
  { days: 1 },
  { days: 3 },
  { weeks: 1, hours: 0 },
);
const recurrences = fc.constantFrom(
  null,
  { rule: 'FREQ=DAILY', step: { days: 1 } },
  { rule: 'FREQ=DAILY;INTERVAL=3;COUNT=40', step: { days: 3 } },
  { rule: 'FREQ=WEEKLY', step: { weeks: 1 } },
  { rule: 'FREQ=WEEKLY;INTERVAL=2;UNTIL=20400101', step: { weeks: 2 } },
  { rule: 'FREQ=HOURLY', step: { hours: 1 } },
  { rule: 'FREQ=HOURLY;INTERVAL=5', step: { hours: 5 } },
  { rule: 'FREQ=YEARLY;COUNT=40', step: { years: 4 } },
);
const events = fc.record({
  wallMs: walls,
  allDay: fc.boolean(),
  zone: fc.constantFrom(...ZONES, WINDOWS, 'Z', null),
  length: lengths,
  as: fc.constantFrom('DTEND', 'DURATION'),
  recurrence: recurrences,
  occurrence: fc.integer({ min: 0, max: 9 }),
  /** The position of the instant in the event, 0 to 1. */
  part: fc.double({ min: 0, max: 0.999, noNaN: true }),
  status: fc.constantFrom('', 'STATUS:CONFIRMED', 'STATUS:TENTATIVE'),
  /** What else the file contains: a change of the next occurrence, or an additional occurrence, which is then checked. */
  aside: fc.constantFrom('nothing', 'EXDATE', 'cancelled', 'moved', 'RDATE'),
  /** A line that may or may not cancel the checked occurrence or hide the event: the instant must be frozen, or a problem reported. */
  doubt: fc.constantFrom(
    ...['EXDATE', 'RECURRENCE-ID', 'two series', 'older', 'VALARM', 'VTIMEZONE', 'STANDARD', 'X-FOO'],
  ),
});
type Drawn = typeof events extends fc.Arbitrary<infer Value> ? Value : never;
const files = fc.record({
  event: events,
  named: fc.constantFrom(null, ...ZONES),
  vtimezone: fc.boolean(),
  oneYear: fc.boolean(),
  /** The zone that the author meant for a time without a zone. */
  meant: fc.constantFrom(...EVERYWHERE),
  end: fc.constantFrom('\r\n', '\n', '\r'),
  fold: fc.integer({ min: 3, max: 75 }),
  mark: fc.constantFrom('', '\uFEFF'),
  lowerCase: fc.boolean(),
  quoted: fc.boolean(),
  valueDate: fc.boolean(),
});
type File = typeof files extends fc.Arbitrary<infer Value> ? Value : never;

const basic = (wallMs: number) => new Date(wallMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
const onClock = (wallMs: number) =>
  Temporal.Instant.fromEpochMilliseconds(wallMs).toZonedDateTimeISO('UTC').toPlainDateTime();
const plus = (wallMs: number, duration: Temporal.DurationLike) =>
  onClock(wallMs).add(duration).toZonedDateTime('UTC').epochMilliseconds;

/** All moments at which a clock of the zone shows the time; for a skipped time, the one by the offset before the change. */
function momentsOf(wallMs: number, zone: string): number[] {
  return (['compatible', 'later'] as const).map(
    (disambiguation) => onClock(wallMs).toZonedDateTime(zone, { disambiguation }).epochMilliseconds,
  );
}

interface Written {
  readonly lines: string[];
  readonly instantMs: number;
  /** Its time, written like DTSTART. */
  readonly written: string;
  /** The same time as another type of value. */
  readonly otherwise: string;
}

/** The lines of the event, and an instant within it. */
function written({ event, named, vtimezone, oneYear, meant, quoted, valueDate }: File): Written {
  const { allDay, zone, length, as, occurrence, part, status, aside } = event;
  const hourly = event.recurrence?.rule.startsWith('FREQ=HOURLY') === true;
  const recurrence = hourly && allDay ? null : event.recurrence;
  const startMs = allDay ? Math.floor(event.wallMs / 86_400_000) * 86_400_000 : event.wallMs;
  const time = (wallMs: number) => {
    if (allDay) return `${valueDate ? ';VALUE=DATE' : ''}:${basic(wallMs).slice(0, 8)}`;
    if (zone === 'Z') return `:${basic(wallMs)}Z`;
    return `${zone === null ? '' : `;TZID=${quoted ? `"${zone}"` : zone}`}:${basic(wallMs)}`;
  };
  const wholeDays = allDay ? { days: daysOf(length) } : length;
  const ending =
    length === null
      ? []
      : as === 'DTEND'
        ? [`DTEND${time(plus(startMs, wholeDays ?? {}))}`]
        : [`DURATION:${durationText(allDay ? { days: daysOf(length) } : length)}`];
  const rule = recurrence === null ? [] : [`RRULE:${recurrence.rule}`];
  const nextMs = recurrence === null ? plus(startMs, { days: 500 }) : stepped(startMs, recurrence, occurrence + 1);
  const addedMs = plus(startMs, { days: 100 });
  const other = [
    'BEGIN:VEVENT',
    'UID:1',
    `RECURRENCE-ID${time(nextMs)}`,
    `DTSTART${time(aside === 'moved' ? plus(nextMs, { days: 1 }) : nextMs)}`,
    ...(aside === 'moved' ? [] : ['STATUS:CANCELLED']),
    'END:VEVENT',
  ];
  const lines = [
    ...(named === null ? [] : [`X-WR-TIMEZONE:${named}`]),
    ...(vtimezone || zone === WINDOWS ? VTIMEZONE : []),
    ...(oneYear ? ONE_YEAR : []),
    'BEGIN:VEVENT',
    'UID:1',
    'SUMMARY;X-NOTE="a;b:c":Freeze\\, with "all" of it: 1\\; 2',
    `DTSTART${time(startMs)}`,
    ...ending,
    ...rule,
    ...(status === '' ? [] : [status]),
    ...(aside === 'EXDATE' ? [`EXDATE${time(nextMs)}`] : []),
    ...(aside === 'RDATE' ? [`RDATE${time(addedMs)}`] : []),
    'TRANSP:TRANSPARENT',
    'BEGIN:VALARM',
    'TRIGGER:-PT15M',
    'END:VALARM',
    'END:VEVENT',
    ...(aside === 'cancelled' || aside === 'moved' ? other : []),
  ];
  const wallMs = aside === 'RDATE' ? addedMs : stepped(startMs, recurrence, occurrence);
  const author = authorOf(event, named, meant);
  const day = basic(wallMs).slice(0, 8);
  const otherwise = allDay ? `:${day}T000000` : meant === 'UTC' && zone !== null ? `:${basic(wallMs)}` : `:${day}`;
  const startedMs = Math.min(...momentsOf(startMs, author.of));
  // An hourly occurrence has the same distance from the first by any clock.
  const instantMs =
    hourly && !allDay && aside !== 'RDATE'
      ? startedMs + wallMs - startMs + Math.floor(parted(length ?? {}).exact * part)
      : instantIn(event, wallMs, author, part);
  return { lines, instantMs, written: time(wallMs), otherwise };
}

/** The file, with the doubtful line that was drawn. */
function doubted({ lines, written: exactly, otherwise }: Written, doubt: Drawn['doubt']): string[] {
  const at = lines.indexOf('BEGIN:VEVENT');
  const within = lines.indexOf('SUMMARY;X-NOTE="a;b:c":Freeze\\, with "all" of it: 1\\; 2');
  const cancelled = (when: string) => [
    ...['BEGIN:VEVENT', 'UID:1', `RECURRENCE-ID${when}`, `DTSTART${exactly}`, 'STATUS:CANCELLED', 'END:VEVENT'],
  ];
  const ofSeries = (line: string) => [...lines.slice(0, within), line, ...lines.slice(within)];
  if (doubt === 'EXDATE') return ofSeries(`EXDATE${otherwise}`);
  if (doubt === 'RECURRENCE-ID') return [...lines, ...cancelled(otherwise)];
  if (doubt === 'older') return [...ofSeries('SEQUENCE:3'), ...cancelled(exactly)];
  const other = ['BEGIN:VEVENT', 'UID:1', 'DTSTART:20240101', 'END:VEVENT'];
  if (doubt === 'two series') return [...lines, ...other, ...cancelled(exactly)];
  const outside = doubt === 'VTIMEZONE' || doubt === 'STANDARD' ? [] : other.slice(0, -1);
  return [
    ...lines.slice(0, at),
    ...outside,
    `BEGIN:${doubt}`,
    ...lines.slice(at),
    `END:${doubt}`,
    ...(outside.length > 0 ? ['END:VEVENT'] : []),
  ];
}

function authorOf({ allDay, zone }: Drawn, named: string | null, meant: string): { of: string; day: string } {
  const fileZone = named ?? meant;
  if (allDay || zone === null) return { of: fileZone, day: fileZone };
  if (zone === 'Z') return { of: 'UTC', day: fileZone };
  const iana = zone === WINDOWS ? 'Europe/Berlin' : zone;
  return { of: iana, day: iana };
}

function stepped(startMs: number, recurrence: Drawn['recurrence'], steps: number): number {
  return recurrence === null
    ? startMs
    : Array.from({ length: steps }).reduce<number>((ms) => plus(ms, recurrence.step), startMs);
}

/** In the occurrence that begins at `wallMs`. */
function instantIn(
  { allDay, length, as }: Drawn,
  wallMs: number,
  author: { of: string; day: string },
  part: number,
): number {
  const first = Math.min(...momentsOf(wallMs, author.of));
  const within = (fromMs: number, toMs: number) => fromMs + Math.floor((toMs - fromMs) * part);
  if (allDay)
    return within(first, Math.min(...momentsOf(plus(wallMs, { days: Math.max(1, daysOf(length)) }), author.of)));
  if (length === null || plus(0, length) === 0) {
    const day = Temporal.Instant.fromEpochMilliseconds(first).toZonedDateTimeISO(author.day).startOfDay();
    return within(day.epochMilliseconds, day.add({ days: 1 }).epochMilliseconds);
  }
  if (as === 'DURATION') {
    const { days, exact } = parted(length);
    return within(first, (days === 0 ? first : Math.min(...momentsOf(plus(wallMs, { days }), author.of))) + exact);
  }
  const lastEnd = Math.max(...momentsOf(plus(wallMs, length), author.of));
  return lastEnd > first ? within(first, lastEnd) : first;
}

function parted(length: object): { days: number; exact: number } {
  const { days = 0, weeks = 0, hours = 0, minutes = 0 } = length as Partial<Record<string, number>>;
  return { days: days + weeks * 7, exact: (hours * 60 + minutes) * 60_000 };
}
function daysOf(length: object | null): number {
  if (length === null) return 0;
  const { days, exact } = parted(length);
  return days + Math.ceil(exact / 86_400_000);
}
function durationText(length: object): string {
  const { days, exact } = parted(length);
  return exact === 0 && days > 0 ? `P${days}D` : `P${days === 0 ? '' : `${days}D`}T${exact / 60_000}M`;
}

function textOf({ end, fold, mark, lowerCase }: File, lines: readonly string[]): string {
  const all = ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR'].map((line) => {
    const name = /^[A-Z-]+/.exec(line)?.[0] ?? '';
    const cased = lowerCase ? name.toLowerCase() + line.slice(name.length) : line;
    return (cased.match(new RegExp(`.{1,${fold}}`, 'g')) ?? []).join(`${end} `);
  });
  return `${mark}${all.join(end)}${end}`;
}

const RUNS = { numRuns: Number(process.env['RUNS'] ?? 200) };

describe('an instant within an event', { timeout: 600_000 }, () => {
  it('is frozen without a problem, however the event is written', () => {
    fc.assert(
      fc.property(files, (file) => {
        const { lines, instantMs } = written(file);
        const { freezes, problems } = icsFreezes(textOf(file, lines), 'c', instantMs, instantMs + 1);
        expect(problems).toEqual([]);
        const covering = freezes.filter(({ fromMs, toMs }) => fromMs <= instantMs && instantMs < toMs);
        expect({ instant: new Date(instantMs).toISOString(), frozen: covering.length > 0 }).toMatchObject({
          frozen: true,
        });
      }),
      RUNS,
    );
  });

  it('is frozen, or the file has a problem, whatever seems to cancel or hide it', () => {
    fc.assert(
      fc.property(files, (file) => {
        const event = written(file);
        const text = textOf(file, doubted(event, file.event.doubt));
        const { freezes, problems } = icsFreezes(text, 'c', event.instantMs, event.instantMs + 1);
        expect(problems.length > 0 || freezes.length > 0).toBe(true);
      }),
      RUNS,
    );
  });

  const damage = fc.record({
    file: files,
    line: fc.nat(),
    text: fc.oneof(fc.string(), fc.constantFrom('', 'X', 'DTEND:', 'BEGIN:VTODO')),
  });
  it('is frozen, or the file has a problem, whatever line is inserted', () => {
    fc.assert(
      fc.property(damage, ({ file, line, text }) => {
        const { lines, instantMs } = written(file);
        const kept = lines.findIndex((each) => each.startsWith('DTSTART'));
        // Lines are only inserted: nothing could be expected of a line that is lost.
        const added = lines.flatMap((each, index) =>
          index === line % lines.length ? [each, text.replaceAll(/[\r\n]/g, '')] : [each],
        );
        expect(kept).toBeGreaterThan(0);
        const { freezes, problems } = icsFreezes(textOf(file, added), 'c', instantMs, instantMs + 1);
        expect(problems.length > 0 || freezes.length > 0).toBe(true);
      }),
      RUNS,
    );
  });
});
