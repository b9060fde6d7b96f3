/** Time zones: from a wall clock to moments and back, by an IANA name or by any other function of offsets. */
import { offsetsOf } from './offsets.js';
import { DAY_MS, type WallMs } from './wall-clock.js';

/** The clocks of one zone. */
export interface TimeZone {
  readonly name: string;
  /**
   * The moment at which the clocks show a reading, in epoch milliseconds. Where clocks go back, a reading comes twice: `first`, the
   * default, is the rule of RFC 5545 3.3.5. Where they go forward, a reading is missing and is read by the offset before the change, also
   * as in RFC 5545. Temporal calls this `compatible`, and `later` for `last`.
   */
  msOf(wallMs: WallMs, which?: 'first' | 'last'): number;
  /** What the clocks show at a moment. */
  wallOf(ms: number): WallMs;
  /** The zones that may be meant, where it is not certain which. */
  readonly either?: readonly TimeZone[];
}

/** Coordinated Universal Time. */
export const UTC: TimeZone = { name: 'UTC', msOf: (wallMs) => wallMs, wallOf: (ms) => ms };

/** The zone with an IANA name, in any case of letters. @returns `null` if there is none */
export function ianaZone(name: string): TimeZone | null {
  const offsets = offsetsOf(name);
  return offsets === null ? null : zoneOf(name, (ms) => offsets(ms).offsetMs);
}

/**
 * A zone by its offset from UTC at each moment, both in milliseconds. Written by hand because Temporal takes no zones but its own, and a
 * VTIMEZONE of a calendar is one: IANA zones go the same way, so that both are read by one rule.
 */
export function zoneOf(name: string, offsetMs: (ms: number) => number): TimeZone {
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

/** What the clocks of a zone show at a moment. A name that is not known here counts as UTC: a server may know more zones than we do. */
export function localMs(zone: string, atMs: number): WallMs {
  return (ianaZone(zone) ?? UTC).wallOf(atMs);
}
