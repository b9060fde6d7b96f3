/** The events of an iCalendar file, each value checked at its line. Times are wall clocks with their zone until they are asked for. */
import { unescapeText, type IcsComponent, type LineProblem, type Property } from './content-lines.js';
import { freezeName } from './freeze-name.js';
import type { Exception } from './ics-exceptions.js';
import type { IcsZones } from './ics-zones.js';
import { hasOccurrence, type Budget } from './recurrence.js';
import { readRule, type Rule } from './recurrence-rule.js';
import { durationOf, type Length, type Moment } from './ics-times.js';
import { UTC } from '../time/time-zone.js';
import { DAY_MS, readStamp, type WallMs } from '../time/wall-clock.js';

/** A rule with its UNTIL on the wall clock of its event. */
interface EventRule {
  readonly rule: Rule;
  readonly line: number;
  readonly untilMs: WallMs;
}

/** A further occurrence, by RDATE. `length: null`: as long as the event. */
interface Addition {
  readonly start: Moment;
  readonly length: Length | null;
}

/** One VEVENT. */
export interface IcsEvent {
  readonly line: number;
  readonly uid: string | null;
  /** Counts the changes of the whole event. */
  readonly sequence: number;
  readonly name: string;
  readonly cancelled: boolean;
  readonly start: Moment;
  readonly length: Length;
  /** For a changed occurrence: which one of the series it replaces. */
  readonly replaces: Exception | null;
  readonly rules: readonly EventRule[];
  readonly more: readonly Addition[];
  readonly except: readonly Exception[];
}

/** Chosen: an event that lasts longer is a typing error. */
const LONGEST_MS = 1_000 * 366 * DAY_MS;
const WRITE_TIME = 'Write such as 20261231T180000, 20261231T180000Z, or 20261231 for a whole day';
const EXPORT_AGAIN = 'Export the calendar again, or correct the line';

/** One event, or every problem of its lines. */
export function readEvent(component: IcsComponent, zones: IcsZones, budget: Budget): IcsEvent | LineProblem[] {
  return new EventReader(component, zones, budget).read();
}

class EventReader {
  readonly #problems: LineProblem[] = [];
  /** A zone that is not known was reported by the zones. */
  #unread = false;

  constructor(
    readonly component: IcsComponent,
    readonly zones: IcsZones,
    readonly budget: Budget,
  ) {}

  read(): IcsEvent | LineProblem[] {
    const start = this.#moment('DTSTART');
    if (this.#property('DTSTART') === undefined)
      this.#problem(this.component.line, 'missing', 'the event has no DTSTART', 'Add it, or delete the event');
    const length = start === null ? null : this.#length(start);
    const [replaces = null] = this.#exceptions('RECURRENCE-ID');
    const rules = start === null ? [] : this.#rules(start);
    const more = this.#additions();
    const except = this.#exceptions('EXDATE');
    const sequence = this.#sequence();
    if (this.#problems.length > 0 || this.#unread || start === null || length === null) return this.#problems;
    const cancelled = this.#text('STATUS')?.toUpperCase() === 'CANCELLED';
    const name = freezeName(this.#text('SUMMARY') ?? 'without a name');
    return {
      line: this.component.line,
      uid: this.#text('UID'),
      sequence,
      name,
      cancelled,
      start,
      length,
      replaces,
      rules,
      more,
      except,
    };
  }

  #properties(name: string): Property[] {
    return this.component.lines.filter((line) => line.name === name);
  }

  #property(name: string): Property | undefined {
    return this.component.lines.find((line) => line.name === name);
  }

  #problem(line: number, code: string, found: string, remedy: string): null {
    this.#problems.push({ line, code, found, remedy });
    return null;
  }

  #text(name: string): string | null {
    const value = unescapeText(this.#property(name)?.value ?? '');
    return value === '' ? null : value;
  }

  #sequence(): number {
    const { value, line } = this.#property('SEQUENCE') ?? { value: '0', line: 0 };
    if (/^\d{1,15}$/.test(value)) return Number(value);
    this.#problem(line, 'ics-syntax', 'SEQUENCE is not a number', EXPORT_AGAIN);
    return 0;
  }

  #moment(name: string): Moment | null {
    const property = this.#property(name);
    return property === undefined ? null : this.#momentOf(property, property.value);
  }

  #exceptions(name: 'EXDATE' | 'RECURRENCE-ID'): Exception[] {
    return this.#properties(name).flatMap((property) =>
      (name === 'EXDATE' ? property.value.split(',') : [property.value]).flatMap((value): Exception[] => {
        const at = this.#momentOf(property, value);
        return at === null ? [] : [{ line: property.line, name, at }];
      }),
    );
  }

  /** The form of the value decides whether it is a date: many programs leave `VALUE=DATE` out. */
  #momentOf({ line, name, parameters }: Property, value: string): Moment | null {
    const tzid = parameters.get('TZID');
    const stamp = readStamp(value.trim());
    const wrong = (found: string) => this.#problem(line, 'ics-time', found, WRITE_TIME);
    if (stamp === null) return wrong(`${name} "${value.slice(0, 60)}" is not a time`);
    const called = parameters.get('VALUE')?.toUpperCase();
    if (called !== undefined && called !== (stamp.isDate ? 'DATE' : 'DATE-TIME'))
      return wrong(`${name} is called a ${called.slice(0, 40)} and is none`);
    const zone = tzid === undefined ? this.zones.byDefault : this.zones.named(tzid, line);
    if (zone === null) {
      this.#unread = true;
      return null;
    }
    if (stamp.isUtc && tzid !== undefined && zone.msOf(stamp.wallMs) !== stamp.wallMs)
      return wrong(`${name} ends in Z, which is UTC, and names the zone ${tzid.slice(0, 60)}`);
    const floating = tzid === undefined && !stamp.isUtc;
    return { wallMs: stamp.wallMs, allDay: stamp.isDate, zone: stamp.isUtc ? UTC : zone, floating };
  }

  #length(start: Moment): Length | null {
    const ended = this.#property('DTEND');
    const lasting = this.#property('DURATION');
    if (ended !== undefined && lasting !== undefined)
      return this.#problem(
        lasting.line,
        'not-supported',
        'the event has both DTEND and DURATION',
        'Keep one of the two',
      );
    const { line } = ended ?? lasting ?? this.component;
    if (ended === undefined)
      return lasting === undefined ? { wallMs: 0, exactMs: 0 } : this.#checked(line, durationOf(lasting.value), start);
    const end = this.#moment('DTEND');
    return end === null ? null : this.#between(line, start, end);
  }

  #between(line: number, start: Moment, end: Moment): Length | null {
    if (start.allDay !== end.allDay)
      return this.#problem(
        line,
        'ics-time',
        'one of start and end is a day, the other a time',
        'Write both as days or both as times',
      );
    if (end.zone === start.zone) return this.#checked(line, { wallMs: end.wallMs - start.wallMs, exactMs: 0 }, start);
    const exactMs = end.zone.msOf(end.wallMs, 'last') - start.zone.msOf(start.wallMs);
    return this.#checked(line, { wallMs: 0, exactMs }, start);
  }

  /** Days are frozen whole, whatever length they are given. */
  #checked(line: number, length: Length | null, { allDay }: Moment): Length | null {
    if (length === null)
      return this.#problem(
        line,
        'ics-time',
        'the duration cannot be read',
        'Write such as P1D for a day or PT90M for 90 minutes',
      );
    const wholeMs = length.wallMs + length.exactMs;
    if (wholeMs < 0)
      return this.#problem(
        line,
        'ends-before-start',
        'the event ends before it begins',
        'Correct its start or its end',
      );
    if (wholeMs > LONGEST_MS)
      return this.#problem(line, 'ics-time', 'the event lasts longer than 1,000 years', 'Correct its start or its end');
    return allDay ? { wallMs: Math.ceil(wholeMs / DAY_MS) * DAY_MS, exactMs: 0 } : length;
  }

  #rules(start: Moment): EventRule[] {
    return this.#properties('RRULE').flatMap(({ line, value }) => {
      const rule = readRule(value, start.wallMs);
      const refuse = (found: string, remedy: string) => this.#problem(line, 'rule-not-supported', found, remedy) ?? [];
      if (typeof rule === 'string') return refuse(rule, 'Write the occurrences as events of their own');
      const untilMs = untilOf(rule, start);
      if (untilMs >= start.wallMs && hasOccurrence(rule, start.wallMs, untilMs, this.budget))
        return { rule, line, untilMs };
      return refuse('the rule has no occurrence', 'Correct its days or its end, or delete the rule');
    });
  }

  /** A day among times, or a time among days, may mean either: the whole day counts. */
  #additions(): Addition[] {
    return this.#properties('RDATE').flatMap((property) =>
      property.value.split(',').flatMap((value): Addition[] => {
        const [from = '', to, more] = value.trim().split('/');
        const called = { ...property, parameters: withoutPeriod(property) };
        if (more !== undefined)
          this.#problem(property.line, 'ics-time', `RDATE "${value.slice(0, 60)}" is not a period`, WRITE_TIME);
        const start = this.#momentOf(called, from);
        if (start === null) return [];
        if (to === undefined) return [{ start, length: null }];
        const isDuration = /^[+-]?P/i.test(to);
        const end = isDuration ? null : this.#momentOf(called, to);
        const length = isDuration
          ? this.#checked(property.line, durationOf(to), start)
          : end && this.#between(property.line, start, end);
        return length === null ? [] : [{ start, length }];
      }),
    );
  }
}

function withoutPeriod({ parameters }: Property): Property['parameters'] {
  return new Map([...parameters].filter(([name, value]) => name !== 'VALUE' || value.toUpperCase() !== 'PERIOD'));
}

/** A date as the end of a series of times means its whole day. */
function untilOf(rule: Rule, start: Moment): WallMs {
  const { until } = rule;
  const { zone } = start;
  if (until === null) return Infinity;
  if (until.isDate) return until.wallMs + DAY_MS - 1;
  // Without Z it should be of no zone: where the start has one, UTC may be meant all the same.
  if (!until.isUtc) return start.floating ? until.wallMs : Math.max(until.wallMs, zone.wallOf(until.wallMs));
  // By the clock of then, and by that of the start: hours may be counted on by either.
  const byStart = until.wallMs + start.wallMs - start.zone.msOf(start.wallMs);
  return rule.frequency === 'HOURLY' ? Math.max(zone.wallOf(until.wallMs), byStart) : zone.wallOf(until.wallMs);
}
