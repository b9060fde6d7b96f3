/** Offsets of IANA time zones from UTC, by Temporal, the coming standard of JavaScript. Nothing else here asks for an offset. */
import { Temporal } from 'temporal-polyfill';

/** A stretch of time, `[fromMs, toMs)` in epoch milliseconds, in which the clocks of a zone have one offset. Both ends may be infinite. */
interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  /** Local time minus UTC. */
  readonly offsetMs: number;
}

/** Looks up the stretch that a moment lies in. */
export type Offsets = (ms: number) => Stretch;

/** Names alone: Temporal also takes `+01:00`, and a whole time with a zone behind it. */
const NAME = /^[A-Za-z][\w+/-]*$/;

/** By name. Kept for good: there are some 600 names, and events and schedules ask for the same few years again and again. */
const known = new Map<string, Offsets>();

/** Upper and lower case are the same. @returns `null` if no zone has the name */
export function offsetsOf(name: string): Offsets | null {
  if (!NAME.test(name)) return null;
  const offsets = known.get(name) ?? createOffsets(name);
  if (offsets !== null) known.set(name, offsets);
  return offsets;
}

function createOffsets(name: string): Offsets | null {
  try {
    at(0, name);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  // To work out a stretch takes about half a millisecond, to find it again next to nothing.
  const stretches: Stretch[] = [];
  return (ms) => {
    const found = stretches.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);
    if (found !== undefined) return found;
    const stretch = stretchAround(ms, name);
    stretches.push(stretch);
    return stretch;
  };
}

function stretchAround(ms: number, name: string): Stretch {
  const here = at(ms, name);
  return {
    // "Previous" is strictly before, and the stretch may begin at this very moment.
    fromMs: at(Math.floor(ms) + 1, name).getTimeZoneTransition('previous')?.epochMilliseconds ?? -Infinity,
    toMs: here.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity,
    offsetMs: here.offsetNanoseconds / 1e6,
  };
}

function at(ms: number, name: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(ms)).toZonedDateTimeISO(name);
}
