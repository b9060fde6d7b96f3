/** Readings of a wall clock, without a zone: what they are, how iCalendar writes them, and the midnights among them. */

/** A reading of a wall clock, written as the epoch milliseconds it would have in UTC; read it with the `getUTC…` methods of `Date`. */
export type WallMs = number;

/** A time as iCalendar writes it, RFC 5545 3.3.4 and 3.3.5. A date means its midnight. */
export interface Stamp {
  readonly wallMs: WallMs;
  readonly isDate: boolean;
  readonly isUtc: boolean;
}

/** Milliseconds of a day of 24 hours. */
export const DAY_MS = 86_400_000;

const STAMP = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/;

/** Reads `20261201`, `20261201T023000` or `20261201T023000Z`. @returns `null` for anything else, such as the 30th of February */
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

/** Midnight of a day; months count from 1, and a 13th is the next January. `Date.UTC` would take the years before 100 for those of 1900. */
export function wallTime(year: number, month: number, day: number): WallMs {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

/** The midnight before a reading. */
export function dayOf(wallMs: WallMs): WallMs {
  return Math.floor(wallMs / DAY_MS) * DAY_MS;
}

/** `2027-03-28 02:30`, for people. */
export function describeWallTime(wallMs: WallMs): string {
  return new Date(wallMs).toISOString().slice(0, 16).replace('T', ' ');
}
