/** The events of an iCalendar file, each value checked at its line. Times are wall clocks with their zone until they are asked for. */
import ICAL from 'ical.js';
import type { ContentLine, IcsComponent, LineProblem } from './content-lines.js';
import { cannotBeRead, unknownZone, type IcsZones } from './ics-zones.js';
import { ruleProblem } from './ics-rules.js';
import type { CalendarZone, WallMs } from './zones.js';

export interface Moment {
  readonly wallMs: WallMs;
  readonly zone: CalendarZone;
  /** A date: midnight of its day. */
  readonly allDay: boolean;
}

export interface RepeatRule {
  readonly rule: InstanceType<typeof ICAL.Recur>;
  readonly line: number;
}

export interface IcsEvent {
  readonly line: number;
  readonly uid: string | null;
  readonly name: string;
  readonly cancelled: boolean;
  readonly start: Moment;
  /** The end by the wall clock, then that much later by any clock: `P1D` and `PT24H` differ when clocks change. */
  readonly wallLengthMs: number;
  readonly exactLengthMs: number;
  /** Of a changed occurrence: which one of the series it stands for. */
  readonly replaces: Moment | null;
  readonly rules: readonly RepeatRule[];
  readonly more: readonly Moment[];
  readonly except: readonly Moment[];
}

const DAY_MS = 86_400_000;
const STAMP = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(Z?))?$/;

/** One event, or every problem of its lines. */
export function readEvent(component: IcsComponent, zones: IcsZones): IcsEvent | LineProblem[] {
  return new EventReader(component, zones).read();
}

class EventReader {
  readonly #problems: LineProblem[] = [];

  constructor(
    readonly component: IcsComponent,
    readonly zones: IcsZones,
  ) {}

  read(): IcsEvent | LineProblem[] {
    const [start] = this.#moments('DTSTART');
    const started = this.#line('DTSTART');
    if (started === undefined)
      this.#problem(this.component.line, 'missing', 'the event has no DTSTART', 'Add it, or take the event out');
    const length = start === undefined ? null : this.#length(start);
    const [replaces = null] = this.#moments('RECURRENCE-ID');
    const event = {
      line: this.component.line,
      uid: this.#text('UID'),
      name: (this.#text('SUMMARY') ?? 'without a name').slice(0, 100),
      cancelled: this.#text('STATUS')?.toUpperCase() === 'CANCELLED',
      replaces,
      rules: start === undefined ? [] : this.#rules(),
      more: this.#moments('RDATE'),
      except: this.#moments('EXDATE'),
    };
    this.#refuseUnsupported();
    return this.#problems.length > 0 || start === undefined || length === null
      ? this.#problems
      : { ...event, start, ...length };
  }

  #lines(name: string): ContentLine[] {
    return this.component.lines.filter((line) => line.name === name);
  }

  #line(name: string): ContentLine | undefined {
    return this.component.lines.find((line) => line.name === name);
  }

  #problem(line: number, code: string, found: string, remedy: string): void {
    this.#problems.push({ line, code, found, remedy });
  }

  #text(name: string): string | null {
    const line = this.#line(name);
    const value = line === undefined ? null : this.#property(line)?.getFirstValue();
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
  }

  #property(line: ContentLine): InstanceType<typeof ICAL.Property> | null {
    try {
      return ICAL.Property.fromString(line.text);
    } catch (error) {
      this.#problems.push(cannotBeRead(line.line, error));
      return null;
    }
  }

  #moments(name: string): Moment[] {
    return this.#lines(name).flatMap((line) => {
      const property = this.#property(line);
      if (property === null) return [];
      const tzid: unknown = property.getParameter('tzid');
      const zone = typeof tzid === 'string' ? this.zones.named(tzid) : this.zones.byDefault;
      if (zone === null) {
        this.#problems.push(unknownZone(line, String(tzid)));
        return [];
      }
      const [, , , ...values] = property.toJSON() as unknown[];
      return values.flatMap((value) => this.#moment(line, value, zone) ?? []);
    });
  }

  #moment({ line, name, text }: ContentLine, value: unknown, zone: CalendarZone): Moment | null {
    const parts = typeof value === 'string' ? STAMP.exec(value) : null;
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (parts ?? []).slice(1, 7).map(Number);
    const [hours, minutes, seconds] = [hour, minute, second].map((part) => (Number.isNaN(part) ? 0 : part));
    const wallMs = Date.UTC(year, month - 1, day, hours, minutes, seconds);
    const allDay = parts?.[4] === undefined;
    // A 30th of February would quietly become a day of March.
    const real = parts !== null && new Date(wallMs).toISOString().startsWith(String(value).replace('Z', ''));
    if (!real) {
      const shown = text.slice(text.indexOf(':') + 1, text.indexOf(':') + 61);
      const remedy = 'Write 20261201T023000, 20261201T023000Z, or 20261201 for a whole day';
      this.#problem(line, 'ics-time', `${name} "${shown}" is no time`, remedy);
      return null;
    }
    return { wallMs, allDay, zone: parts[7] === 'Z' ? (this.zones.named('UTC') ?? zone) : zone };
  }

  #length(start: Moment): Pick<IcsEvent, 'wallLengthMs' | 'exactLengthMs'> | null {
    const ended = this.#line('DTEND');
    const lasting = this.#line('DURATION');
    const length = ended === undefined ? this.#duration(lasting, start) : this.#until(start);
    if (length === null) return null;
    if (length.wallLengthMs + length.exactLengthMs >= 0) return length;
    const { line } = ended ?? lasting ?? this.component;
    this.#problem(line, 'ends-before-it-begins', 'the event ends before it begins', 'Mend its DTSTART or its end');
    return null;
  }

  #until(start: Moment): Pick<IcsEvent, 'wallLengthMs' | 'exactLengthMs'> | null {
    const [end] = this.#moments('DTEND');
    if (end === undefined) return null;
    if (end.zone === start.zone) return { wallLengthMs: end.wallMs - start.wallMs, exactLengthMs: 0 };
    return { wallLengthMs: 0, exactLengthMs: end.zone.msOf(end.wallMs) - start.zone.msOf(start.wallMs) };
  }

  /** Without an end, a day lasts one day and a moment no time at all. */
  #duration(line: ContentLine | undefined, start: Moment): Pick<IcsEvent, 'wallLengthMs' | 'exactLengthMs'> | null {
    if (line === undefined) return { wallLengthMs: start.allDay ? DAY_MS : 0, exactLengthMs: 0 };
    try {
      const value: unknown = this.#property(line)?.getFirstValue();
      if (!(value instanceof ICAL.Duration)) return null;
      const { weeks, days, hours, minutes, seconds, isNegative } = value;
      const sign = isNegative ? -1 : 1;
      return {
        wallLengthMs: sign * (weeks * 7 + days) * DAY_MS,
        exactLengthMs: sign * (hours * 3_600 + minutes * 60 + seconds) * 1_000,
      };
    } catch (error) {
      this.#problems.push(cannotBeRead(line.line, error));
      return null;
    }
  }

  #rules(): RepeatRule[] {
    return this.#lines('RRULE').flatMap((line) => {
      try {
        const rule: unknown = this.#property(line)?.getFirstValue();
        if (!(rule instanceof ICAL.Recur)) return [];
        const wrong = ruleProblem(rule);
        if (wrong === null) return [{ rule, line: line.line }];
        this.#problem(line.line, 'rule-not-supported', wrong, 'Write the occurrences as events of their own');
      } catch (error) {
        this.#problems.push(cannotBeRead(line.line, error));
      }
      return [];
    });
  }

  /** Passing over these would freeze too much or too little without a word. */
  #refuseUnsupported(): void {
    const refuse = (line: ContentLine | undefined, what: string) => {
      if (line !== undefined)
        this.#problem(line.line, 'not-supported', `${what} is not supported`, 'Write events of their own instead');
    };
    refuse(this.#line('EXRULE'), 'EXRULE');
    refuse(
      this.#lines('RDATE').find(({ text }) => /;VALUE=PERIOD/i.test(text)),
      'an RDATE with periods',
    );
    refuse(
      this.#lines('RECURRENCE-ID').find(({ text }) => /;RANGE=/i.test(text)),
      'a changed occurrence that changes all later ones (RANGE)',
    );
  }
}
