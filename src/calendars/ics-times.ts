/** Moments and lengths of events, and the stretch of time that they freeze. */
import { UTC, type TimeZone } from '../time/time-zone.js';
import { DAY_MS, dayOf, type WallMs } from '../time/wall-clock.js';
import { ANY_ZONE } from './uncertain-zones.js';

/** A time of an event. */
export interface Moment {
  readonly wallMs: WallMs;
  readonly zone: TimeZone;
  /** A date: midnight of its day. */
  readonly allDay: boolean;
  /** The file names no zone for it. */
  readonly floating: boolean;
}

/** The end by the wall clock, then that much later by any clock: `P1D` and `PT24H` differ when clocks change. Both 0: the event names no length. */
export interface Length {
  readonly wallMs: number;
  readonly exactMs: number;
}

const DURATION = /^([+-]?)P(?:(\d{1,7})W)?(?:(\d{1,7})D)?(T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/i;

/** `P1DT12H`. @returns `null` if it is not a duration */
export function durationOf(text: string): Length | null {
  const [whole = '', sign, weeks, days, , hours, minutes, seconds] = DURATION.exec(text.trim()) ?? [];
  if (!/\d[WDHMS]$/i.test(whole)) return null;
  const [week, day, hour, minute, second] = [weeks, days, hours, minutes, seconds].map((part) => Number(part ?? 0));
  const direction = sign === '-' ? -1 : 1;
  return {
    wallMs: direction * ((week ?? 0) * 7 + (day ?? 0)) * DAY_MS,
    exactMs: direction * ((hour ?? 0) * 3_600 + (minute ?? 0) * 60 + (second ?? 0)) * 1_000,
  };
}

/** From when to when an occurrence freezes; epoch milliseconds. One without a length freezes its whole day. */
export function spanOf(
  { wallMs, zone, allDay }: Moment,
  { wallMs: lengthMs, exactMs }: Length,
  byDefault: TimeZone,
): [fromMs: number, toMs: number] {
  if (lengthMs + exactMs === 0) return allDay ? spanOfDay(zone, wallMs) : spanOfMoment(zone, wallMs, byDefault);
  const fromMs = zone.msOf(wallMs);
  // The later one of a reading that comes twice: too long by an hour is safe. Without whole days in between, it is the start that comes twice.
  const endMs = lengthMs === 0 && zone !== ANY_ZONE ? fromMs : zone.msOf(wallMs + lengthMs, 'last');
  // A start that is missing when clocks go forward can be read as later than its end.
  return endMs + exactMs > fromMs ? [fromMs, endMs + exactMs] : spanOfDay(zone, dayOf(wallMs));
}

function spanOfDay(zone: TimeZone, dayMs: WallMs): [number, number] {
  return [zone.msOf(dayMs), zone.msOf(dayMs + DAY_MS, 'last')];
}

/** A moment in UTC lies on a day of the calendar's own zone. If that zone is unknown, the day can begin up to 24 h before it and end up to 24 h after it. */
function spanOfMoment(zone: TimeZone, wallMs: WallMs, byDefault: TimeZone): [number, number] {
  if (zone !== UTC) return spanOfDay(zone, dayOf(wallMs));
  if (byDefault === ANY_ZONE) return [wallMs - DAY_MS, wallMs + DAY_MS];
  return spanOfDay(byDefault, dayOf(byDefault.wallOf(wallMs)));
}
