/** The events of an iCalendar file, each value checked at its line. Times are wall clocks with their zone until they are asked for. */
import {
  readProperty,
  unescapeText,
  type ContentLine,
  type IcsComponent,
  type LineProblem,
  type Property,
} from './content-lines.js';
import { freezeName } from './freeze-name.js';
import type { IcsZones } from './ics-zones.js';
import { hasOccurrence, type Budget } from './recurrence.js';
import { readRule, type Rule } from './recurrence-rule.js';
import { durationOf, type Length, type Moment } from './ics-times.js';
import { DAY_MS, readStamp, UTC, type WallMs } from './zones.js';

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
  readonly name: string;
  readonly cancelled: boolean;
  readonly start: Moment;
  readonly length: Length;
  /** Of a changed occurrence: which one of the series it stands for. */
  readonly replaces: Moment | null;
  readonly rules: readonly EventRule[];
  readonly more: readonly Addition[];
  readonly except: readonly Moment[];
}

/** Chosen: an event that lasts longer is a typing error. */
const LONGEST_MS = 1_000 * 366 * DAY_MS;
const WRITE_TIME = 'Write such as 20261231T180000, 20261231T180000Z, or 20261231 for a whole day';
const EXPORT_AGAIN = 'Export the calendar again, or correct the line';
const ONCE = ['DTSTART', 'DTEND', 'DURATION', 'RECURRENCE-ID', 'STATUS', 'UID'];
/** Properties of events in RFC 5545, 7986, 9073, 9074 and 9253 that say nothing of when. `X-` properties are not read either. */
const WITHOUT_TIME =
  'ATTACH ATTENDEE CATEGORIES CLASS COLOR COMMENT CONCEPT CONFERENCE CONTACT CREATED DESCRIPTION DTSTAMP GEO IMAGE LAST-MODIFIED LINK LOCATION LOCATION-TYPE ORGANIZER PARTICIPANT-TYPE PRIORITY PROXIMITY REFID RELATED-TO REQUEST-STATUS RESOURCES SEQUENCE STRUCTURED-DATA STYLED-DESCRIPTION SUMMARY TRANSP URL'.split(
    ' ',
  );
const READ = [...ONCE, 'RRULE', 'RDATE', 'EXDATE'];
/** What stands within an event without being a time of it: reminders, people, places. */
const PARTS_WITHOUT_TIME = ['VALARM', 'PARTICIPANT', 'VLOCATION', 'VRESOURCE'];

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
    this.#refuseUnread();
    const [start] = this.#moments('DTSTART');
    if (this.#line('DTSTART') === undefined)
      this.#problem(this.component.line, 'missing', 'the event has no DTSTART', 'Add it, or delete the event');
    const length = start === undefined ? null : this.#length(start);
    const [replaces = null] = this.#moments('RECURRENCE-ID');
    const rules = start === undefined ? [] : this.#rules(start);
    const more = this.#additions();
    const except = this.#moments('EXDATE');
    if (this.#problems.length > 0 || this.#unread || start === undefined || length === null) return this.#problems;
    const cancelled = this.#text('STATUS')?.toUpperCase() === 'CANCELLED';
    const name = freezeName(this.#text('SUMMARY') ?? 'without a name');
    return {
      line: this.component.line,
      uid: this.#text('UID'),
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

  #lines(name: string): ContentLine[] {
    return this.component.lines.filter((line) => line.name === name);
  }

  #line(name: string): ContentLine | undefined {
    return this.component.lines.find((line) => line.name === name);
  }

  #problem(line: number, code: string, found: string, remedy: string): null {
    this.#problems.push({ line, code, found, remedy });
    return null;
  }

  #properties(name: string): Property[] {
    return this.#lines(name).flatMap((line) => {
      const property = readProperty(line);
      if (property === null)
        this.#problem(line.line, 'ics-syntax', `the parameters of ${name} cannot be read`, EXPORT_AGAIN);
      return property ?? [];
    });
  }

  #text(name: string): string | null {
    const line = this.#line(name);
    const value = line === undefined ? '' : unescapeText(readProperty(line)?.value ?? line.text.replace(/^[^:]*:/, ''));
    return value === '' ? null : value;
  }

  #moments(name: string): Moment[] {
    return this.#properties(name).flatMap((property) =>
      property.value.split(',').flatMap((value) => this.#moment(property, value) ?? []),
    );
  }

  /** The form of the value decides whether it is a date: many programs leave `VALUE=DATE` out. */
  #moment({ line, name, parameters }: Property, value: string): Moment | null {
    const tzid = parameters.get('TZID');
    const stamp = readStamp(value.trim());
    const wrong = (found: string) => this.#problem(line, 'ics-time', found, WRITE_TIME);
    if (stamp === null) return wrong(`${name} "${value.slice(0, 60)}" is no time`);
    if (!stamp.isDate && parameters.get('VALUE')?.toUpperCase() === 'DATE')
      return wrong(`${name} is called a date and has a time`);
    const zone = tzid === undefined || tzid === '' ? this.zones.byDefault : this.zones.named(tzid, line);
    if (zone === null) {
      this.#unread = true;
      return null;
    }
    if (stamp.isUtc && tzid !== undefined && zone.msOf(stamp.wallMs) !== stamp.wallMs)
      return wrong(`${name} ends in Z, which is UTC, and names the zone ${tzid.slice(0, 60)}`);
    return { wallMs: stamp.wallMs, allDay: stamp.isDate, zone: stamp.isUtc ? UTC : zone };
  }

  #length(start: Moment): Length | null {
    const ended = this.#line('DTEND');
    const lasting = this.#line('DURATION');
    if (ended !== undefined && lasting !== undefined)
      return this.#problem(
        lasting.line,
        'not-supported',
        'the event has both DTEND and DURATION',
        'Keep one of the two',
      );
    const { line } = ended ?? lasting ?? this.component;
    if (ended === undefined) {
      const [property] = this.#properties('DURATION');
      return property === undefined
        ? { wallMs: 0, exactMs: 0 }
        : this.#checked(line, durationOf(property.value), start);
    }
    const [end] = this.#moments('DTEND');
    return end === undefined ? null : this.#between(line, start, end);
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
        'ends-before-it-begins',
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
        const [from = '', to] = value.trim().split('/');
        const start = this.#moment({ ...property, parameters: withoutPeriod(property) }, from);
        if (start === null) return [];
        if (to === undefined) return [{ start, length: null }];
        const isDuration = /^[+-]?P/i.test(to);
        const end = isDuration ? null : this.#moment({ ...property, parameters: withoutPeriod(property) }, to);
        const length = isDuration
          ? this.#checked(property.line, durationOf(to), start)
          : end && this.#between(property.line, start, end);
        return length === null ? [] : [{ start, length }];
      }),
    );
  }

  /** To pass over these would freeze too little without a word. */
  #refuseUnread(): void {
    for (const name of ONCE) {
      const [, again] = this.#lines(name);
      if (again !== undefined)
        this.#problem(again.line, 'not-supported', `${name} stands twice in one event`, 'Keep one of the two');
    }
    for (const { name, line, text } of this.component.lines) {
      if (name === 'RECURRENCE-ID' && /[;]RANGE=/i.test(text.split(':')[0] ?? ''))
        this.#problem(
          line,
          'not-supported',
          'a changed occurrence that changes all later ones (RANGE) is not read',
          'Write events of their own instead',
        );
      if (READ.includes(name) || WITHOUT_TIME.includes(name) || name.startsWith('X-')) continue;
      const remedy = name === 'EXRULE' ? 'Write the exceptions as EXDATE' : 'Correct the name, or delete the line';
      this.#problem(line, 'not-supported', `${name.slice(0, 40)} is not read in an event`, remedy);
    }
    for (const { name, line } of this.component.parts)
      if (!PARTS_WITHOUT_TIME.includes(name) && !name.startsWith('X-'))
        this.#problem(
          line,
          'not-supported',
          `${name.slice(0, 40)} within an event is not read`,
          'Write it as an event of its own, or delete it',
        );
  }
}

function withoutPeriod({ parameters }: Property): Property['parameters'] {
  return new Map([...parameters].filter(([name, value]) => name !== 'VALUE' || value.toUpperCase() !== 'PERIOD'));
}

/** A date as the end of a series of times means its whole day. */
function untilOf({ until }: Rule, { zone }: Moment): WallMs {
  if (until === null) return Infinity;
  if (until.isDate) return until.wallMs + DAY_MS - 1;
  return until.isUtc ? zone.wallOf(until.wallMs) : until.wallMs;
}
