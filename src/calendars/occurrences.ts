/** Events → freezes within a time: recurrences, exceptions and changed occurrences, in bounded time whatever the rules say. */
import { createContext, Script } from 'node:vm';
import ICAL from 'ical.js';
import type { Freeze } from '../domain/gates.js';
import type { LineProblem } from './content-lines.js';
import type { IcsEvent, Moment, RepeatRule } from './ics-events.js';
import { beginningNear } from './ics-rules.js';
import { cannotBeRead } from './ics-zones.js';
import { icalTime, wallMsOf, type WallMs } from './zones.js';

const DAY_MS = 86_400_000;
/** No zone is further from UTC. */
const ZONE_MARGIN_MS = 2 * DAY_MS;
/** A daily event since 1999 fits; who counts further has to write a rule without COUNT. */
const MOST_OCCURRENCES = 10_000;
/** The library looks for ever for the next 30th of February. */
const LONGEST_MS = 1_000;

/** Occurrences that others stand for, or that are taken out. */
class Excluded {
  readonly #moments = new Set<number>();
  readonly #days = new Set<WallMs>();

  add({ wallMs, zone, allDay }: Moment): void {
    this.#moments.add(zone.msOf(wallMs));
    if (allDay) this.#days.add(wallMs);
  }

  has(wallMs: WallMs, { zone }: Moment): boolean {
    return this.#days.has(wallMs - (((wallMs % DAY_MS) + DAY_MS) % DAY_MS)) || this.#moments.has(zone.msOf(wallMs));
  }
}

export class Occurrences {
  readonly #changed = new Map<string, Moment[]>();

  constructor(
    events: readonly IcsEvent[],
    readonly calendar: string,
    readonly fromMs: number,
    readonly toMs: number,
  ) {
    for (const { uid, replaces } of events)
      if (uid !== null && replaces !== null) this.#changed.set(uid, [...(this.#changed.get(uid) ?? []), replaces]);
  }

  /** The freezes of one event that overlap the time asked for, or why its rules cannot be worked out. */
  of(event: IcsEvent): Freeze[] | LineProblem {
    if (event.cancelled) return [];
    const { start, name, wallLengthMs, exactLengthMs } = event;
    const starts = event.rules.length === 0 ? this.#startsWithout(event) : this.#startsOfRules(event);
    if (!Array.isArray(starts)) return starts;
    const near = starts.filter((wallMs) => this.#isNear(wallMs, event));
    if (near.length === 0) return [];
    const excluded = this.#excludedOf(event);
    return near.flatMap((wallMs) => {
      if (excluded.has(wallMs, start)) return [];
      const fromMs = start.zone.msOf(wallMs);
      const toMs = start.zone.msOf(wallMs + wallLengthMs) + exactLengthMs;
      const overlaps = toMs > fromMs && toMs > this.fromMs && fromMs < this.toMs;
      return overlaps ? [{ calendar: this.calendar, name, fromMs, toMs }] : [];
    });
  }

  /** Before zones are asked, which takes its time. */
  #isNear(wallMs: WallMs, event: IcsEvent): boolean {
    return wallMs + lengthOf(event) + ZONE_MARGIN_MS > this.fromMs && wallMs - ZONE_MARGIN_MS < this.toMs;
  }

  #excludedOf({ uid, except, replaces }: IcsEvent): Excluded {
    const excluded = new Excluded();
    for (const moment of except) excluded.add(moment);
    if (replaces === null && uid !== null) for (const moment of this.#changed.get(uid) ?? []) excluded.add(moment);
    return excluded;
  }

  #startsWithout({ start, more }: IcsEvent): WallMs[] {
    return [...new Set([start.wallMs, ...more.map((moment) => wallIn(moment, start))])];
  }

  #startsOfRules(event: IcsEvent): WallMs[] | LineProblem {
    const starts = new Set(this.#startsWithout(event));
    for (const repeated of event.rules) {
      try {
        const found = withinTime(() => this.#startsOfRule(event, repeated));
        if (found === null) return tooMany(repeated);
        for (const wallMs of found) starts.add(wallMs);
      } catch (error) {
        return cannotBeRead(repeated.line, error);
      }
    }
    return [...starts].sort((left, right) => left - right);
  }

  #startsOfRule(event: IcsEvent, { rule }: RepeatRule): WallMs[] | null {
    const { start } = event;
    endByWallClock(rule, start);
    const wantedMs = this.fromMs - lengthOf(event) - 2 * ZONE_MARGIN_MS;
    const begunMs = beginningNear(rule, start.wallMs, wantedMs);
    const iterator = rule.iterator(icalTime(begunMs));
    const found: WallMs[] = [];
    for (let looked = 0; looked < MOST_OCCURRENCES; looked++) {
      const next = iterator.next() as InstanceType<typeof ICAL.Time> | null;
      if (next === null) return found;
      const wallMs = wallMsOf(next);
      if (wallMs - ZONE_MARGIN_MS >= this.toMs) return found;
      // The library makes a 1st of March of the 29th of February in the years that have none.
      if (isLeapDay(rule, start) && new Date(wallMs).getUTCDate() !== 29) continue;
      // It gives the beginning itself first, whether the rule fits it or not.
      if (wallMs > begunMs && this.#isNear(wallMs, event)) found.push(wallMs);
    }
    return null;
  }
}

function lengthOf({ wallLengthMs, exactLengthMs }: IcsEvent): number {
  return wallLengthMs + exactLengthMs;
}

function isLeapDay({ freq, parts }: RepeatRule['rule'], { wallMs }: Moment): boolean {
  const date = new Date(wallMs);
  const byItsDay = freq === 'YEARLY' && !Object.keys(parts).some((part) => /DAY|MONTH/.test(part));
  return byItsDay && date.getUTCMonth() === 1 && date.getUTCDate() === 29;
}

function wallIn(moment: Moment, start: Moment): WallMs {
  return moment.zone === start.zone ? moment.wallMs : start.zone.wallOf(moment.zone.msOf(moment.wallMs));
}

/** Rules are followed by the wall clock, so their end has to be one too. A date as the end of a series of times means its whole day. */
function endByWallClock(rule: RepeatRule['rule'], start: Moment): void {
  const { until } = rule;
  if (until === null) return;
  const wallMs = wallMsOf(until);
  if (until.isDate) rule.until = icalTime(start.allDay ? wallMs : wallMs + DAY_MS - 1_000);
  else rule.until = icalTime(until.zone === ICAL.Timezone.utcTimezone ? start.zone.wallOf(wallMs) : wallMs);
}

function tooMany({ line }: RepeatRule): LineProblem {
  return {
    line,
    code: 'too-many-occurrences',
    found: `the rule has more than ${MOST_OCCURRENCES} occurrences, or takes too long to work out`,
    remedy: 'Write a longer event, or a rule without COUNT that repeats less often',
  };
}

const call = new Script('work()');

/** Ends what does not end by itself: a time limit is the one thing that stops a loop inside a library. `null`: it was reached. */
function withinTime<Value>(work: () => Value | null): Value | null {
  try {
    return call.runInContext(createContext({ work }), { timeout: LONGEST_MS }) as Value | null;
  } catch (error) {
    // Made by another context, so it is no instance of this one's `Error`.
    if ((error as { readonly code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null;
    throw error;
  }
}
