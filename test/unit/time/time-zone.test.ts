/** Zones, their clocks and clock changes, compared day by day with Temporal. */
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { clockChanges } from '../../../src/time/clock-changes.js';
import { ianaZone, localMs, UTC } from '../../../src/time/time-zone.js';
import { readStamp } from '../../../src/time/wall-clock.js';
import { isTimeZone, timeZoneNames } from '../../../src/time/zone-names.js';

const HOUR_MS = 3_600_000;
const zoned = (ms: number, zone: string) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);

/** Zones with odd changes: half an hour, several a year, at midnight, and a day that was left out. */
const ODD = [
  ['Europe/Berlin', 2026],
  ['Australia/Lord_Howe', 2026],
  ['Africa/Casablanca', 2026],
  ['America/Havana', 2026],
  ['Pacific/Apia', 2011],
  ['Asia/Shanghai', 1991],
  ['UTC', 2026],
] as const;

describe('the clocks of a zone', () => {
  const around = ODD.flatMap(([name, year]) =>
    clockChanges(name, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)).map(({ atMs }) => ({ name, atMs })),
  );
  it.each(around)('of $name read each half hour around $atMs as Temporal does', ({ name, atMs }) => {
    const zone = ianaZone(name) ?? UTC;
    for (let wallMs = atMs - 40 * HOUR_MS; wallMs < atMs + 40 * HOUR_MS; wallMs += HOUR_MS / 2) {
      const local = zoned(wallMs, 'UTC').toPlainDateTime();
      const moment = (disambiguation: 'compatible' | 'later') =>
        local.toZonedDateTime(name, { disambiguation }).epochMilliseconds;
      expect([zone.msOf(wallMs), zone.msOf(wallMs, 'last')]).toEqual([moment('compatible'), moment('later')]);
    }
  });

  it('have the same offset as in Temporal, in any century', () => {
    for (const name of timeZoneNames().filter((_name, index) => index % 20 === 0)) {
      for (const year of [1, 1700, 1890, 1916, 1945, 1986, 2011, 2026, 2060, 2500]) {
        const ms = new Date(0).setUTCFullYear(year, 5, 17);
        expect([name, localMs(name, ms) - ms]).toEqual([name, zoned(ms, name).offsetNanoseconds / 1e6]);
      }
    }
  });

  it('count as UTC if the zone is unknown', () => {
    expect(localMs('Nowhere/Land', 12_345)).toBe(12_345);
    expect(clockChanges('Nowhere/Land', 0, Date.UTC(2026, 0, 1))).toEqual([]);
  });
});

describe('changes of the clocks', () => {
  it.each(ODD)('of %s in %i are all found, and no others', (name, year) => {
    const offset = (ms: number) => zoned(ms, name).offsetNanoseconds;
    const [fromMs, toMs] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)];
    const days = Array.from({ length: 365 }, (_item, day) => fromMs + day * 24 * HOUR_MS);
    const changed = days.filter((ms) => offset(ms) !== offset(ms + 24 * HOUR_MS));
    const found = clockChanges(name, fromMs, toMs);
    expect(found.map(({ atMs }) => days.findLast((ms) => ms < atMs))).toEqual(changed);
    for (const { atMs } of found) expect(offset(atMs - 1)).not.toBe(offset(atMs));
  });

  it('name the local times that are missing or come twice', () => {
    const [spring, autumn] = clockChanges('Europe/Berlin', Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1));
    const hour = (month: number, day: number, of: number) => Date.UTC(2026, month, day, of);
    expect(spring).toEqual({
      kind: 'missing',
      atMs: hour(2, 29, 1),
      fromLocalMs: hour(2, 29, 2),
      toLocalMs: hour(2, 29, 3),
    });
    expect(autumn).toEqual({
      kind: 'twice',
      atMs: hour(9, 25, 1),
      fromLocalMs: hour(9, 25, 2),
      toLocalMs: hour(9, 25, 3),
    });
  });

  it('are those from the first moment on, before the last', () => {
    const atMs = Date.UTC(2026, 2, 29, 1);
    expect(clockChanges('Europe/Berlin', atMs, atMs + 1)).toHaveLength(1);
    expect(clockChanges('Europe/Berlin', atMs - 1, atMs)).toHaveLength(0);
  });
});

describe('names of zones', () => {
  it.each(['UTC', 'Europe/Berlin', 'US/Eastern', 'Etc/GMT+3', 'America/Argentina/Buenos_Aires'])(
    '%s is one',
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );

  // A server finds names as files. BST would be Bangladesh to some and British summer time to others.
  it.each(['europe/berlin', 'Europe/berlin', 'Nowhere/Land', '+01:00', 'BST', 'IST', 'Z', '', 'Europe/Berlin '])(
    '"%s" is none',
    (name) => {
      expect(isTimeZone(name)).toBe(false);
    },
  );

  it('in a calendar may be in upper or lower case, but must be names', () => {
    expect(ianaZone('europe/berlin')).not.toBeNull();
    for (const name of ['+01:00', '-02', '2026-01-01T00:00[Europe/Berlin]', 'BST', '__proto__'])
      expect(ianaZone(name)).toBeNull();
  });
});

describe('a time of iCalendar', () => {
  it.each([
    ['20261201', { wallMs: Date.UTC(2026, 11, 1), isDate: true, isUtc: false }],
    ['20261201t023000z', { wallMs: Date.UTC(2026, 11, 1, 2, 30), isDate: false, isUtc: true }],
    ['00040229T235960', { wallMs: new Date(0).setUTCFullYear(4, 2, 1), isDate: false, isUtc: false }],
    ['20260230', null],
    ['20261301', null],
    ['20261201T240000', null],
    ['2026-12-01', null],
  ])('%s is read, or refused if no clock shows it', (text, stamp) => {
    expect(readStamp(text)).toEqual(stamp);
  });
});
