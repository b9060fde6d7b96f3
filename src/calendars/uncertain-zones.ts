/** Zones of times whose zone is not certain: whatever may be meant is covered, since a freeze that is missed lets a restart through. */
import type { TimeZone } from '../time/time-zone.js';

const HOUR_MS = 3_600_000;

/**
 * For a time whose zone is not known. `first` is where the day begins first (UTC+14), `last` where it comes last (UTC-12), so that
 * everything from the first reading to the last one is covered. `wallOf` gives the clock that is furthest ahead.
 */
export const ANY_ZONE: TimeZone = {
  name: 'any zone',
  msOf: (wallMs, which = 'first') => (which === 'first' ? wallMs - 14 * HOUR_MS : wallMs + 12 * HOUR_MS),
  wallOf: (ms) => ms + 14 * HOUR_MS,
};

/** For a time that may be meant by either of two zones. `wallOf` gives the clock that is further ahead. */
export function eitherOf(one: TimeZone, other: TimeZone): TimeZone {
  return {
    name: one.name,
    either: [one, other],
    msOf: (wallMs, which) =>
      (which === 'last' ? Math.max : Math.min)(one.msOf(wallMs, which), other.msOf(wallMs, which)),
    wallOf: (ms) => Math.max(one.wallOf(ms), other.wallOf(ms)),
  };
}
