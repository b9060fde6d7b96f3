/** Wall clocks and time zones of calendars: wall clock ↔ moment, by IANA name, by the VTIMEZONE of a file, or for a time whose zone is unknown. */
import { IANAZone } from 'luxon';

/** A wall clock's reading, written as the epoch milliseconds it would have in UTC. */
export type WallMs = number;

/** A time as iCalendar writes it. A date stands for midnight. */
export interface Stamp {
  readonly wallMs: WallMs;
  readonly isDate: boolean;
  readonly isUtc: boolean;
}

export interface CalendarZone {
  readonly name: string;
  /**
   * Where clocks go back, a reading comes twice: the first is meant, as RFC 5545 says, unless the last is asked for.
   * Where they go forward, a reading is missing: it is read by the clock of before.
   */
  msOf(wallMs: WallMs, which?: 'first' | 'last'): number;
  wallOf(ms: number): WallMs;
  /** The clocks that may be meant, where it is not certain which. */
  readonly either?: readonly CalendarZone[];
}

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export const UTC: CalendarZone = { name: 'UTC', msOf: (wallMs) => wallMs, wallOf: (ms) => ms };

/**
 * Of a time whose zone is not known: `first` is where the day begins first (UTC+14), `last` where it comes last (UTC-12), so that
 * from the first reading to the last one everything is covered. `wallOf` gives the clock that is furthest ahead.
 */
export const ANY_ZONE: CalendarZone = {
  name: 'any zone',
  msOf: (wallMs, which = 'first') => (which === 'first' ? wallMs - 14 * HOUR_MS : wallMs + 12 * HOUR_MS),
  wallOf: (ms) => ms + 14 * HOUR_MS,
};

/** @returns `null` where there is no such zone */
export function ianaZone(name: string): CalendarZone | null {
  if (!IANAZone.isValidZone(name)) return null;
  const zone = IANAZone.create(name);
  return zoneOf(name, (ms) => Math.round(zone.offset(ms) * 60_000));
}

/** Of a time that may be meant by either of two clocks. `wallOf` gives the one that is further ahead. */
export function eitherOf(one: CalendarZone, other: CalendarZone): CalendarZone {
  return {
    name: one.name,
    either: [one, other],
    msOf: (wallMs, which) =>
      (which === 'last' ? Math.max : Math.min)(one.msOf(wallMs, which), other.msOf(wallMs, which)),
    wallOf: (ms) => Math.max(one.wallOf(ms), other.wallOf(ms)),
  };
}

/** A zone by its offset from UTC at each moment, both in milliseconds. */
export function zoneOf(name: string, offsetMs: (ms: number) => number): CalendarZone {
  return {
    name,
    wallOf: (ms) => ms + offsetMs(ms),
    msOf: (wallMs, which = 'first') => {
      const before = offsetMs(wallMs - DAY_MS);
      const after = offsetMs(wallMs + DAY_MS);
      if (before === after) return wallMs - before;
      const candidates = [wallMs - before, wallMs - after].filter((ms) => ms + offsetMs(ms) === wallMs);
      if (candidates.length === 0) return wallMs - before;
      return which === 'first' ? Math.min(...candidates) : Math.max(...candidates);
    },
  };
}

const STAMP = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/;

/** `20261201`, `20261201T023000` or `20261201T023000Z`. @returns `null` where it is none, such as the 30th of February */
export function readStamp(text: string): Stamp | null {
  const [, year, month, day, hour, minute, second, utc] = STAMP.exec(text.toUpperCase()) ?? [];
  if (year === undefined) return null;
  const dayMs = wallTime(Number(year), Number(month), Number(day));
  const date = new Date(dayMs);
  if (date.getUTCMonth() + 1 !== Number(month) || date.getUTCDate() !== Number(day)) return null;
  if (hour === undefined) return { wallMs: dayMs, isDate: true, isUtc: false };
  // A leap second is the 60th.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const timeMs = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000;
  return { wallMs: dayMs + timeMs, isDate: false, isUtc: utc === 'Z' };
}

/** Midnight of the day. `Date.UTC` would take the years before 100 for those of 1900. */
export function wallTime(year: number, month: number, day: number): WallMs {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

/** Midnight before a reading of the wall clock. */
export function dayOf(wallMs: WallMs): WallMs {
  return Math.floor(wallMs / DAY_MS) * DAY_MS;
}
