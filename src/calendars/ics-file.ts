/** One iCalendar file → its freezes within a time, or every problem with its line. Nothing is ignored: what is not read is a problem, which counts as frozen. */
import type { Freeze } from '../domain/gates/gates.js';
import { readComponents, type IcsComponent, type LineProblem } from './content-lines.js';
import { Exceptions, type Exception } from './ics-exceptions.js';
import { unreadIn } from './ics-grammar.js';
import { readEvent, type IcsEvent } from './ics-events.js';
import { spanOf, type Length, type Moment } from './ics-times.js';
import { IcsZones } from './ics-zones.js';
import { occurrencesOf, spend, TooMuchWork, type Budget } from './recurrence.js';
import { UTC, type TimeZone } from '../time/time-zone.js';
import { DAY_MS, dayOf } from '../time/wall-clock.js';
import { ANY_ZONE } from './uncertain-zones.js';

/** Days and times that are checked. Chosen: ten thousand daily events that have counted for a year, in a few seconds. */
const MOST_WORK = 10_000_000;
/** No rule of a freeze comes near it: a daily one that counts reaches back 1,300 years. */
const MOST_WORK_OF_EVENT = 1_000_000;
/** A freeze costs this many times the work of a day that is checked. */
const WORK_OF_FREEZE = 10;
/** No zone is further from UTC, and no day that is widened is longer. */
const MARGIN_MS = 3 * DAY_MS;

/** What a calendar freezes within `[fromMs, toMs)`, epoch milliseconds. Freezes keep their whole length, in the order of the file. */
export interface IcsFreezes {
  readonly freezes: Freeze[];
  readonly problems: LineProblem[];
}

/** Reads a file. TRANSP does not matter: an event of a freeze calendar freezes, whether it shows its people as busy or as free. */
export function icsFreezes(text: string, calendar: string, fromMs: number, toMs: number): IcsFreezes {
  const { calendars, problems } = readComponents(text);
  if (problems.length > 0) return { freezes: [], problems };
  const budget: Budget = { left: MOST_WORK };
  const found = calendars.map((part) => new IcsCalendar(part, calendar, fromMs, toMs, budget).read());
  return { freezes: found.flatMap(({ freezes }) => freezes), problems: found.flatMap((each) => each.problems) };
}

class IcsCalendar {
  readonly #problems: LineProblem[] = [];
  /** By UID: series, and what changes them. */
  readonly #series = new Map<string, IcsEvent[]>();

  constructor(
    readonly component: IcsComponent,
    readonly calendar: string,
    readonly fromMs: number,
    readonly toMs: number,
    readonly budget: Budget,
  ) {}

  read(): IcsFreezes {
    this.#problems.push(...unreadIn(this.component));
    const zones = this.#within(
      this.component.line,
      (budget) => new IcsZones(this.component, this.fromMs, this.toMs, budget),
    );
    if (zones === null) return { freezes: [], problems: this.#problems };
    const events = this.component.parts
      .filter(({ name }) => name === 'VEVENT')
      .flatMap((part) => this.#event(part, zones) ?? []);
    this.#problems.unshift(...zones.problems);
    for (const event of events) {
      const { uid } = event;
      if (uid === null) continue;
      const series = this.#series.get(uid);
      if (series === undefined) this.#series.set(uid, [event]);
      else series.push(event);
    }
    const freezes = events.flatMap(
      (event) => this.#within(event.line, (budget) => this.#freezes(event, zones, budget)) ?? [],
    );
    return { freezes, problems: this.#problems };
  }

  #event(part: IcsComponent, zones: IcsZones): IcsEvent | null {
    const event = this.#within(part.line, (budget) => readEvent(part, zones, budget));
    if (!Array.isArray(event)) return event;
    this.#problems.push(...event);
    return null;
  }

  /** `null`: it took too much work, which is a problem. */
  #within<Value>(line: number, work: (budget: Budget) => Value): Value | null {
    const own: Budget = { left: Math.min(this.budget.left, MOST_WORK_OF_EVENT) };
    const begun = own.left;
    try {
      return work(own);
    } catch (error) {
      if (!(error instanceof TooMuchWork)) throw error;
      const found = 'its recurrences take too long to work out';
      this.#problems.push({
        line,
        code: 'too-many-occurrences',
        found,
        remedy: 'Write longer events that recur less often, or delete those that are over',
      });
      return null;
    } finally {
      this.budget.left -= begun - Math.max(0, own.left);
    }
  }

  #freezes(event: IcsEvent, zones: IcsZones, budget: Budget): Freeze[] {
    if (event.cancelled) return [];
    const exceptions = this.#exceptionsOf(event);
    return this.#occurrences(event, budget).flatMap(({ start, length, lastsMs, stays }) => {
      spend(budget, WORK_OF_FREEZE);
      if (stays !== true && exceptions.has(start)) return [];
      const spans = (start.zone.either ?? [start.zone]).map((zone) => {
        const [begunMs, endMs] = spanOf({ ...start, zone }, length, zones.byDefault);
        return [begunMs, Math.max(endMs, begunMs + lastsMs)] as const;
      });
      const fromMs = Math.min(...spans.map(([begunMs]) => begunMs));
      const toMs = Math.max(...spans.map(([, endMs]) => endMs));
      if (toMs <= this.fromMs || fromMs >= this.toMs) return [];
      return [{ calendar: this.calendar, name: `${event.name}${noteOf(start, event, zones)}`, fromMs, toMs }];
    });
  }

  /** Those that can touch the time asked for. */
  #occurrences({ start, length, rules, more }: IcsEvent, budget: Budget): Occurrence[] {
    const { zone, allDay } = start;
    const ownMs = length.wallMs + length.exactMs + MARGIN_MS;
    const [nearMs, farMs] = [this.fromMs - ownMs, this.toMs + MARGIN_MS];
    const walls = new Set([start.wallMs]);
    for (const { rule, untilMs } of rules)
      for (const wallMs of occurrencesOf(rule, start.wallMs, untilMs, nearMs, farMs, budget)) walls.add(wallMs);
    const added = more.map((addition) => additionOf(addition, start, length));
    const own = [...walls].filter((wallMs) => wallMs >= nearMs && wallMs <= farMs);
    if (own.length === 0) return added;
    // RFC 5545 gives each occurrence the exact length of the first, calendar programs the same end on the clock: the later end counts.
    const exact = (each: TimeZone) => each.msOf(start.wallMs + length.wallMs) - each.msOf(start.wallMs);
    const lastsMs = allDay ? 0 : Math.max(...(zone.either ?? [zone]).map(exact)) + length.exactMs;
    const hourly = rules.some(({ rule }) => rule.frequency === 'HOURLY');
    const hasClock = rules.length > 0 && !allDay && zone !== ANY_ZONE;
    return [
      ...own.flatMap((wallMs) => {
        const written = { start: { ...start, wallMs }, length, lastsMs: wallMs === start.wallMs ? 0 : lastsMs };
        return hasClock ? [written, ...byOtherClocks(written, start, hourly)] : [written];
      }),
      ...added,
    ];
  }

  /** What is not certain to take out an occurrence takes out nothing, and is a problem. */
  #exceptionsOf({ uid, start, except, replaces, sequence }: IcsEvent): Exceptions {
    const series = uid === null || replaces !== null ? [] : (this.#series.get(uid) ?? []);
    const changed = series.flatMap((each): Exception[] => {
      if (each.replaces === null) return [];
      if (series.filter((other) => other.replaces === null).length > 1)
        return this.#unclear(each.replaces.line, 'two series have its UID', 'Give each series a UID of its own');
      if (each.sequence < sequence)
        return this.#unclear(
          each.replaces.line,
          `SEQUENCE ${each.sequence} is older than ${sequence} of its series`,
          'Export the calendar again, or delete this change',
        );
      return [each.replaces];
    });
    const exceptions = new Exceptions(start, [...except, ...changed]);
    for (const { line, name } of exceptions.uncertain)
      this.#unclear(line, `${name} is not written like DTSTART`, 'Write both in the same form, with the same TZID');
    return exceptions;
  }

  #unclear(line: number, why: string, remedy: string): [] {
    const found = `it is not certain which occurrence is taken out: ${why}`;
    if (!this.#problems.some((other) => other.line === line && other.found === found))
      this.#problems.push({ line, code: 'unclear-exception', found, remedy });
    return [];
  }
}

interface Occurrence {
  readonly start: Moment;
  readonly length: Length;
  /** It lasts at least this many milliseconds. */
  readonly lastsMs: number;
  /** It may mean something else than what is written, so no exception is certain to meet it. */
  readonly stays?: true;
}

/** A rule may mean both readings of an hour that comes twice. One by the hour may count on by the clock of its start. */
function byOtherClocks({ start, ...rest }: Occurrence, { wallMs, zone }: Moment, hourly: boolean): Occurrence[] {
  const again = zone.msOf(start.wallMs, 'last');
  const counted = () => [zone.msOf(wallMs), zone.msOf(wallMs, 'last')].map((ms) => ms + start.wallMs - wallMs);
  const others = hourly ? [again, ...counted()] : [again];
  return [...new Set(others)]
    .filter((ms) => ms !== zone.msOf(start.wallMs))
    .map((ms) => ({ ...rest, start: { ...start, wallMs: ms, zone: UTC }, stays: true }));
}

/** A day added to times, or a time added to days, may mean either: whole days are frozen, and the length of the event after them. */
function additionOf(
  { start: added, length: own }: IcsEvent['more'][number],
  start: Moment,
  length: Length,
): Occurrence {
  if (own !== null || added.allDay === start.allDay) return { start: added, length: own ?? length, lastsMs: 0 };
  const wallMs = Math.ceil((length.wallMs + length.exactMs) / DAY_MS) * DAY_MS + DAY_MS;
  return {
    start: { ...added, wallMs: dayOf(added.wallMs), allDay: true },
    length: { wallMs, exactMs: 0 },
    lastsMs: 0,
    stays: true,
  };
}

/** What was widened, and why: shown with the name everywhere. */
function noteOf(
  { zone, allDay, wallMs }: Moment,
  { length }: IcsEvent,
  { byDefault }: { byDefault: TimeZone },
): string {
  const whole = !allDay && length.wallMs + length.exactMs === 0;
  const anywhere = zone === ANY_ZONE || (whole && zone === UTC && byDefault === ANY_ZONE);
  const either = new Set(zone.either?.map((each) => each.msOf(wallMs))).size > 1;
  const notes = [
    ...(whole ? ['no end: its whole day'] : []),
    ...(anywhere ? ['no time zone is named: widened to all'] : []),
    ...(either ? ['its time zone is described in two ways: widened to both'] : []),
  ];
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`;
}
