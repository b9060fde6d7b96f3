/** Time zones of calendars: wall clock ↔ moment, by IANA name or by the VTIMEZONE that an iCalendar file brings. */
import ICAL from 'ical.js';
import { IANAZone } from 'luxon';

/** A wall clock's reading, written as the epoch milliseconds it would have in UTC. */
export type WallMs = number;

export interface CalendarZone {
  readonly name: string;
  /**
   * Where clocks go back, a reading comes twice: the first is meant, as RFC 5545 says, unless the last is asked for.
   * Where they go forward, a reading is missing: it is read by the clock of before.
   */
  msOf(wallMs: WallMs, which?: 'first' | 'last'): number;
  wallOf(ms: number): WallMs;
}

export const UTC: CalendarZone = { name: 'UTC', msOf: (wallMs) => wallMs, wallOf: (ms) => ms };

const DAY_MS = 86_400_000;

/** `null`: there is no such zone. */
export function ianaZone(name: string): CalendarZone | null {
  if (!IANAZone.isValidZone(name)) return null;
  const zone = IANAZone.create(name);
  const offsetMs = (ms: number) => Math.round(zone.offset(ms) * 60_000);
  return {
    name,
    wallOf: (ms) => ms + offsetMs(ms),
    msOf: (wallMs, which = 'first') => {
      const before = offsetMs(wallMs - DAY_MS);
      const after = offsetMs(wallMs + DAY_MS);
      const candidates = [wallMs - before, wallMs - after].filter((ms) => ms + offsetMs(ms) === wallMs);
      if (candidates.length === 0) return wallMs - before;
      return which === 'first' ? Math.min(...candidates) : Math.max(...candidates);
    },
  };
}

/** A zone as the file defines it. `utcOffset` of the library goes by the wall clock and takes the later reading; RFC 5545 wants the earlier. */
export function vtimezone(name: string, component: InstanceType<typeof ICAL.Component>): CalendarZone {
  const zone = new ICAL.Timezone({ component, tzid: name });
  const offsetMs = (wallMs: WallMs) => zone.utcOffset(icalTime(wallMs)) * 1_000;
  const msOf: CalendarZone['msOf'] = (wallMs, which = 'first') => {
    const offset = offsetMs(wallMs);
    const before = offsetMs(wallMs - DAY_MS);
    const changed = Math.abs(before - offset);
    // Missing and doubled readings look alike here: that much earlier the old clock was still in force.
    const inChange = changed > 0 && offsetMs(wallMs - changed) === before;
    const useOld = inChange && (which === 'first' || before < offset);
    return wallMs - (useOld ? before : offset);
  };
  return {
    name,
    msOf,
    wallOf: (ms) => {
      const offsets = [offsetMs(ms - DAY_MS), offsetMs(ms + DAY_MS)];
      return ms + (offsets.find((offset) => msOf(ms + offset) === ms) ?? offsets[1] ?? 0);
    },
  };
}

/** As the library's own floating time. */
export function icalTime(wallMs: WallMs): InstanceType<typeof ICAL.Time> {
  const date = new Date(wallMs);
  return ICAL.Time.fromData({
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    isDate: false,
  });
}

export function wallMsOf({ year, month, day, hour, minute, second }: InstanceType<typeof ICAL.Time>): WallMs {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
