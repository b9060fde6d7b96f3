/** One iCalendar file → its freezes within a time, or every problem with its line. Nothing is passed over: what is not read is a problem, which counts as frozen. */
import type { Freeze } from '../domain/gates.js';
import { readComponents, readProperty, type IcsComponent, type LineProblem } from './content-lines.js';
import { readEvent, type IcsEvent } from './ics-events.js';
import { spanOf, type Length, type Moment } from './ics-times.js';
import { IcsZones } from './ics-zones.js';
import { occurrencesOf, spend, TooMuchWork, type Budget } from './recurrence.js';
import { ANY_ZONE, DAY_MS, dayOf, UTC, type CalendarZone, type WallMs } from './zones.js';

/** Days and times looked at. Chosen: ten thousand daily events that have counted for a year, in a few seconds. */
const MOST_WORK = 10_000_000;
/** No rule of a freeze comes near it: a daily one that counts reaches back 1,300 years. */
const MOST_WORK_OF_EVENT = 1_000_000;
/** A freeze takes so much longer than a day that is looked at. */
const WORK_OF_FREEZE = 10;
/** No zone is further from UTC, and no day that is widened is longer. */
const MARGIN_MS = 3 * DAY_MS;
const UNREAD_TIMES = ['DTSTART', 'DTEND', 'DURATION', 'RRULE', 'RDATE', 'EXDATE', 'RECURRENCE-ID', 'FREEBUSY', 'DUE'];

/** What a calendar says about `[fromMs, toMs)`, epoch milliseconds. Freezes keep their whole length, in the order of the file. */
export interface IcsFreezes {
  readonly freezes: Freeze[];
  readonly problems: LineProblem[];
}

/** TRANSP is not looked at: an event of a freeze calendar freezes, whether it shows its people as busy or as free. */
export function icsFreezes(text: string, calendar: string, fromMs: number, toMs: number): IcsFreezes {
  const { calendars, problems } = readComponents(text);
  if (problems.length > 0) return { freezes: [], problems };
  const budget: Budget = { left: MOST_WORK };
  const found = calendars.map((part) => new IcsCalendar(part, calendar, fromMs, toMs, budget).read());
  return { freezes: found.flatMap(({ freezes }) => freezes), problems: found.flatMap((each) => each.problems) };
}

/** Occurrences that others stand for, or that are taken out. A date takes out whatever begins on it. */
class Excluded {
  readonly #moments = new Set<number>();
  readonly #days = new Set<WallMs>();

  constructor(moments: readonly Moment[]) {
    for (const { wallMs, zone, allDay } of moments) {
      this.#moments.add(zone.msOf(wallMs));
      if (allDay) this.#days.add(wallMs);
    }
  }

  has({ wallMs, zone }: Moment): boolean {
    return this.#days.has(dayOf(wallMs)) || (this.#moments.size > 0 && this.#moments.has(zone.msOf(wallMs)));
  }
}

class IcsCalendar {
  readonly #problems: LineProblem[] = [];
  readonly #changed = new Map<string, Moment[]>();

  constructor(
    readonly component: IcsComponent,
    readonly calendar: string,
    readonly fromMs: number,
    readonly toMs: number,
    readonly budget: Budget,
  ) {}

  read(): IcsFreezes {
    this.#refuseUnread();
    const zones = this.#within(
      this.component.line,
      (budget) => new IcsZones(this.component, this.fromMs, this.toMs, budget),
    );
    if (zones === null) return { freezes: [], problems: this.#problems };
    const events = this.component.parts
      .filter(({ name }) => name === 'VEVENT')
      .flatMap((part) => this.#event(part, zones) ?? []);
    this.#problems.unshift(...zones.problems);
    for (const { uid, replaces } of events)
      if (uid !== null && replaces !== null) this.#changed.set(uid, [...(this.#changed.get(uid) ?? []), replaces]);
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
    const excluded = this.#excludedOf(event);
    const name = `${event.name}${noteOf(event, zones)}`;
    return this.#occurrences(event, budget).flatMap(({ start, length, lastsMs }) => {
      spend(budget, WORK_OF_FREEZE);
      if (excluded.has(start)) return [];
      const [fromMs, endMs] = spanOf(start, length, zones.byDefault);
      const toMs = Math.max(endMs, fromMs + lastsMs);
      return toMs > this.fromMs && fromMs < this.toMs ? [{ calendar: this.calendar, name, fromMs, toMs }] : [];
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
    const lastsMs = allDay ? 0 : zone.msOf(start.wallMs + length.wallMs) + length.exactMs - zone.msOf(start.wallMs);
    return [
      ...own.map((wallMs) => ({ start: { ...start, wallMs }, length, lastsMs: wallMs === start.wallMs ? 0 : lastsMs })),
      ...added,
    ];
  }

  #excludedOf({ uid, except, replaces }: IcsEvent): Excluded {
    const changed = replaces === null && uid !== null ? this.#changed.get(uid) : undefined;
    return new Excluded([...except, ...(changed ?? [])]);
  }

  #refuseUnread(): void {
    const refuse = (line: number, found: string, remedy: string) =>
      this.#problems.push({ line, code: 'not-supported', found, remedy });
    for (const line of this.component.lines) {
      const value = readProperty(line)?.value ?? '';
      if (UNREAD_TIMES.includes(line.name))
        refuse(
          line.line,
          `${line.name} stands outside an event`,
          'Put it between BEGIN:VEVENT and END:VEVENT, or delete it',
        );
      if (line.name === 'VERSION' && value !== '2.0')
        refuse(
          line.line,
          `version "${value.slice(0, 40)}" of the format is not read`,
          'Export the calendar as iCalendar 2.0',
        );
      if (line.name === 'CALSCALE' && value.toUpperCase() !== 'GREGORIAN')
        refuse(
          line.line,
          `the calendar system "${value.slice(0, 40)}" is not read`,
          'Export the calendar with CALSCALE:GREGORIAN',
        );
    }
    for (const { name, line } of this.component.parts)
      if (name !== 'VEVENT' && name !== 'VTIMEZONE')
        refuse(
          line,
          `${name.slice(0, 40)} is not read: only events freeze`,
          'Write an event where something is frozen, or delete it',
        );
  }
}

interface Occurrence {
  readonly start: Moment;
  readonly length: Length;
  /** It ends no earlier than so long after its start. */
  readonly lastsMs: number;
}

/** A day added to times, or a time added to days, may mean either: whole days are frozen, and the length of the event after them. */
function additionOf(
  { start: added, length: own }: IcsEvent['more'][number],
  start: Moment,
  length: Length,
): Occurrence {
  if (own !== null || added.allDay === start.allDay) return { start: added, length: own ?? length, lastsMs: 0 };
  const wallMs = Math.ceil((length.wallMs + length.exactMs) / DAY_MS) * DAY_MS + DAY_MS;
  return { start: { ...added, wallMs: dayOf(added.wallMs), allDay: true }, length: { wallMs, exactMs: 0 }, lastsMs: 0 };
}

/** Said with the name wherever it is shown: what was widened, and why. */
function noteOf({ start: { zone, allDay }, length }: IcsEvent, { byDefault }: { byDefault: CalendarZone }): string {
  const whole = !allDay && length.wallMs + length.exactMs === 0;
  const anywhere = zone === ANY_ZONE || (whole && zone === UTC && byDefault === ANY_ZONE);
  const notes = [
    ...(whole ? ['no end: its whole day'] : []),
    ...(anywhere ? ['no time zone is named: widened to all'] : []),
  ];
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`;
}
