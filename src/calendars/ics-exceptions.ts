/** Which occurrences of an event are taken out: only those that an exception meets exactly, in the same type of value (RFC 5545 3.8.5.1). */
import type { Moment } from './ics-times.js';
import type { WallMs } from '../time/wall-clock.js';

/** EXDATE or RECURRENCE-ID. */
export interface Exception {
  readonly line: number;
  readonly name: string;
  readonly at: Moment;
}

/** The exceptions of one event. */
export class Exceptions {
  /** It is not certain what these take out, so they take out nothing. */
  readonly uncertain: Exception[] = [];
  readonly #walls = new Set<WallMs>();
  readonly #moments = new Set<number>();

  constructor(
    readonly start: Moment,
    exceptions: readonly Exception[],
  ) {
    for (const exception of exceptions) {
      const { at } = exception;
      if (!isOfSameType(at, start) || (at.zone !== start.zone && !isExact(at))) this.uncertain.push(exception);
      else if (at.zone === start.zone) this.#walls.add(at.wallMs);
      else this.#moments.add(at.zone.msOf(at.wallMs));
    }
  }

  has(moment: Moment): boolean {
    if (!isOfSameType(moment, this.start)) return false;
    if (moment.zone === this.start.zone && this.#walls.has(moment.wallMs)) return true;
    return this.#moments.size > 0 && isExact(moment) && this.#moments.has(moment.zone.msOf(moment.wallMs));
  }
}

function isOfSameType(one: Moment, other: Moment): boolean {
  return one.allDay === other.allDay && one.floating === other.floating;
}

/** Whether it can be compared with a time of another zone: its clock shows it once. */
function isExact({ wallMs, zone, allDay }: Moment): boolean {
  const ms = zone.msOf(wallMs);
  return !allDay && zone.msOf(wallMs, 'last') === ms && zone.wallOf(ms) === wallMs;
}
