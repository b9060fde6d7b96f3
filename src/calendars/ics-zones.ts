/** Which zone a name in an iCalendar file means: its own VTIMEZONE, else the IANA name; and where times without a zone are. */
import { unescapeText, type IcsComponent, type LineProblem, type Property } from './content-lines.js';
import { unreadIn } from './ics-grammar.js';
import { occurrencesOf, type Budget } from './recurrence.js';
import { readRule, type Rule } from './recurrence-rule.js';
import { ianaZone, zoneOf, type TimeZone } from '../time/time-zone.js';
import { DAY_MS, readStamp, type WallMs } from '../time/wall-clock.js';
import { ANY_ZONE, eitherOf } from './uncertain-zones.js';

const YEAR_MS = 366 * DAY_MS;
/** Changes of the clocks are worked out for this many years before and after the time asked for: events begin earlier and end later. */
const YEARS_AROUND = 50;

interface Onset {
  readonly atMs: number;
  readonly offsetMs: number;
  /** Until then. */
  readonly beforeMs: number;
}

/** The zones of one VCALENDAR. */
export class IcsZones {
  /** The zone of times and days that name none: X-WR-TIMEZONE, else `ANY_ZONE`. A VTIMEZONE belongs to the events that name it. */
  readonly byDefault: TimeZone;
  readonly problems: LineProblem[] = [];
  /** `null`: defined by the file in a way that cannot be read, which is a problem already. */
  readonly #own = new Map<string, { zone: TimeZone | null; text: string }>();
  readonly #iana = new Map<string, TimeZone | null>();

  constructor(
    calendar: IcsComponent,
    readonly fromMs: number,
    readonly toMs: number,
    readonly budget: Budget,
  ) {
    for (const part of calendar.parts.filter(({ name }) => name === 'VTIMEZONE')) this.#define(part);
    this.byDefault = this.#default(calendar);
  }

  /** The zone that a TZID means; where there is none, the problem is kept once and the answer is `null`. */
  named(tzid: string, line: number): TimeZone | null {
    const own = this.#own.get(tzid);
    if (own !== undefined) return own.zone;
    const known = this.#iana.get(tzid) ?? ianaZoneOf(tzid);
    this.#iana.set(tzid, known);
    if (known === null)
      this.problems.push({
        line,
        code: 'unknown-time-zone',
        found: `the time zone "${tzid.slice(0, 80)}" is neither defined in the file nor an IANA name`,
        remedy: 'Add its VTIMEZONE to the file, or use an IANA name such as Europe/Berlin',
      });
    return known;
  }

  #define(part: IcsComponent): void {
    const line = part.lines.find(({ name }) => name === 'TZID');
    const name = line === undefined ? undefined : unescapeText(line.value);
    if (name === undefined || name === '') {
      this.problems.push(wrongZone(part.line, 'this VTIMEZONE has no TZID', 'Give it one, or delete it'));
      return;
    }
    const text = JSON.stringify(part, (key, value: unknown) =>
      key === 'line' ? undefined : value instanceof Map ? [...value] : value,
    );
    const before = this.#own.get(name);
    if (before?.text === text) return;
    const zone = before === undefined ? this.#zoneOf(name, part) : null;
    if (before !== undefined)
      this.problems.push(
        wrongZone(part.line, `the zone ${name.slice(0, 80)} is defined twice, differently`, 'Keep one of the two'),
      );
    this.#own.set(name, { zone, text });
  }

  #zoneOf(name: string, part: IcsComponent): TimeZone | null {
    if (unreadIn(part).length > 0) return null;
    const { parts } = part;
    const problems: LineProblem[] = [];
    if (parts.length === 0)
      problems.push(wrongZone(part.line, `${name.slice(0, 80)} has neither STANDARD nor DAYLIGHT`, 'Add one of them'));
    const onsets = parts
      .flatMap((each) => this.#observance(each, problems) ?? [])
      .sort((left, right) => left.atMs - right.atMs);
    const [first] = onsets;
    const last = onsets.at(-1);
    const broken =
      problems.length > 0 ? undefined : onsets.find((each, index) => this.#isBroken(each, onsets[index - 1]));
    if (broken !== undefined)
      problems.push(
        wrongZone(
          part.line,
          `the clocks of ${name.slice(0, 80)} change on ${new Date(broken.atMs).toISOString().slice(0, 10)} from an offset that they did not have`,
          'Add the part that is missing, or export the calendar again',
        ),
      );
    this.problems.push(...problems);
    if (problems.length > 0 || first === undefined || last === undefined) return null;
    const offsetAt = (ms: number) => onsets.findLast(({ atMs }) => atMs <= ms)?.offsetMs ?? first.beforeMs;
    const own = zoneOf(name, offsetAt);
    const iana = ianaZoneOf(name);
    if (iana !== null) return eitherOf(own, iana);
    // Before its first change and after its last one, the file does not show whether clocks continued to change.
    const isOver = last.atMs <= this.toMs;
    const other = (ms: number) =>
      ms < first.atMs ? first.offsetMs : isOver && ms >= last.atMs ? last.beforeMs : offsetAt(ms);
    return eitherOf(own, zoneOf(name, other));
  }

  /** Years long before the time asked for are not checked: Windows has both its changes begin at once, in 1601. */
  #isBroken({ atMs, beforeMs }: Onset, previous: Onset | undefined): boolean {
    if (previous === undefined || atMs < this.fromMs - YEAR_MS || atMs > this.toMs + YEAR_MS) return false;
    return previous.offsetMs !== beforeMs && previous.atMs !== atMs;
  }

  #observance(part: IcsComponent, problems: LineProblem[]) {
    const values = (name: string) => part.lines.filter((line) => line.name === name).map(({ value }) => value);
    const wrong = (name: string, found: string, remedy = 'Export the calendar again') => {
      const { line } = part.lines.find((each) => each.name === name) ?? part;
      problems.push(wrongZone(line, found, remedy));
      return null;
    };
    const [start = null] = values('DTSTART').map(readStamp);
    const [from = null] = values('TZOFFSETFROM').map(offsetMsOf);
    const [to = null] = values('TZOFFSETTO').map(offsetMsOf);
    if (start === null || start.isUtc) return wrong('DTSTART', `${part.name} has no DTSTART that can be read`);
    if (from === null) return wrong('TZOFFSETFROM', `${part.name} has no TZOFFSETFROM that can be read`);
    if (to === null) return wrong('TZOFFSETTO', `${part.name} has no TZOFFSETTO that can be read`);
    const walls: WallMs[] = [start.wallMs];
    for (const value of values('RDATE').flatMap((list) => list.split(','))) {
      const stamp = readStamp(value);
      if (stamp === null) return wrong('RDATE', `"${value.slice(0, 40)}" is not a time of a change of the clocks`);
      walls.push(stamp.isUtc ? stamp.wallMs + from : stamp.wallMs);
    }
    for (const value of values('RRULE')) {
      const rule = readRule(value, start.wallMs);
      if (typeof rule === 'string') return wrong('RRULE', rule);
      if (rule.frequency !== 'YEARLY' && rule.frequency !== 'MONTHLY')
        return wrong(
          'RRULE',
          `a zone changes by a rule that is ${rule.frequency}`,
          'Write a rule that recurs once a year',
        );
      const { until } = rule;
      const untilMs =
        until === null
          ? Infinity
          : until.isUtc
            ? until.wallMs + from
            : until.isDate
              ? until.wallMs + DAY_MS - 1
              : until.wallMs;
      walls.push(...this.#changes(rule, start.wallMs, untilMs));
    }
    const onsets = walls.map((wallMs): Onset => ({ atMs: wallMs - from, offsetMs: to, beforeMs: from }));
    return onsets;
  }

  /** Windows has its zones begin in 1601, .NET in the year 1: years long before the time asked for only cost time. */
  #changes(rule: Rule, start: WallMs, untilMs: WallMs): WallMs[] {
    const fromMs = rule.count === null ? Math.min(this.fromMs, untilMs) - YEARS_AROUND * YEAR_MS : start;
    return [...occurrencesOf(rule, start, untilMs, fromMs, this.toMs + YEARS_AROUND * YEAR_MS, this.budget)];
  }

  #default({ lines }: IcsComponent): TimeZone {
    const [given, other] = lines.filter(({ name }) => name === 'X-WR-TIMEZONE').map(namedZone);
    if (given !== undefined) {
      if (other !== undefined && other.value !== given.value)
        this.problems.push(
          wrongZone(other.line, 'X-WR-TIMEZONE appears twice, with another zone', 'Keep one of the two'),
        );
      return this.named(given.value, given.line) ?? ANY_ZONE;
    }
    return ANY_ZONE;
  }
}

function namedZone({ line, value }: Property): { line: number; value: string } {
  return { line, value: unescapeText(value) };
}

/** Evolution and Thunderbird write `/freeassociation.sourceforge.net/Tzfile/Europe/Berlin`, with or without the zone itself. */
function ianaZoneOf(tzid: string): TimeZone | null {
  if (!tzid.startsWith('/')) return ianaZone(tzid);
  const segments = tzid.split('/').slice(1);
  const names = [3, 2, 1].map((length) => segments.slice(-length).join('/'));
  return names.reduce<TimeZone | null>((found, name) => found ?? ianaZone(name), null);
}

/** `+0100`, `-053730` */
function offsetMsOf(text: string): number | null {
  const [, sign, hours, minutes, seconds] = /^([+-])(\d\d)([0-5]\d)([0-5]\d)?$/.exec(text) ?? [];
  if (sign === undefined || Number(hours) > 18) return null;
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0)) * 1_000;
  return sign === '-' ? -ms : ms;
}

function wrongZone(line: number, found: string, remedy: string): LineProblem {
  return { line, code: 'invalid-time-zone', found, remedy };
}
