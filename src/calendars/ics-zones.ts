/** Which zone a name in an iCalendar file means: its own VTIMEZONE, else the IANA name; and where times without a zone are. */
import ICAL from 'ical.js';
import type { ContentLine, IcsComponent, LineProblem } from './content-lines.js';
import { ianaZone, UTC, vtimezone, type CalendarZone } from './zones.js';

/** Rules of a zone repeat once a year; anything else would take for ever to work out. */
const ZONE_RULE = /^RRULE:(?=[^\n]*FREQ=YEARLY)(?![^\n]*BY(?:HOUR|MINUTE|SECOND|SETPOS|WEEKNO)=)/i;
/** Windows has written its zones from the year 1601 on: years long before the question only cost time. */
const YEARS_BEFORE = 3;

export class IcsZones {
  /** Of times and days that name none: X-WR-TIMEZONE, else the only VTIMEZONE, else UTC. */
  readonly byDefault: CalendarZone;
  readonly problems: LineProblem[] = [];
  readonly #own = new Map<string, CalendarZone>();
  readonly #iana = new Map<string, CalendarZone | null>();

  constructor(calendar: IcsComponent, fromMs: number) {
    for (const part of calendar.parts.filter(({ name }) => name === 'VTIMEZONE')) this.#define(part, fromMs);
    this.byDefault = this.#default(calendar);
  }

  /** `null`: nobody knows it. */
  named(tzid: string): CalendarZone | null {
    const own = this.#own.get(tzid);
    if (own !== undefined) return own;
    const known = this.#iana.get(tzid);
    if (known !== undefined) return known;
    const zone = ianaZone(tzid);
    this.#iana.set(tzid, zone);
    return zone;
  }

  #define(part: IcsComponent, fromMs: number): void {
    const name = part.lines.find((line) => line.name === 'TZID')?.text.replace(/^[^:]*:/, '');
    const wrong = zoneProblem(part, name);
    if (wrong !== null || name === undefined) {
      if (wrong !== null) this.problems.push(wrong);
      return;
    }
    try {
      const component = new ICAL.Component(ICAL.parse(textOf(part)) as object[]);
      for (const rule of component.getAllSubcomponents()) beginLater(rule, new Date(fromMs).getUTCFullYear());
      const zone = vtimezone(name, component);
      zone.msOf(fromMs); // Works its changes out, so that what it cannot read is told here.
      this.#own.set(name, zone);
    } catch (error) {
      this.problems.push(cannotBeRead(part.line, error));
    }
  }

  #default({ lines }: IcsComponent): CalendarZone {
    const given = lines.find(({ name }) => name === 'X-WR-TIMEZONE');
    if (given !== undefined) {
      const name = given.text.replace(/^[^:]*:/, '').trim();
      const zone = this.named(name);
      if (zone !== null) return zone;
      this.problems.push(unknownZone(given, name));
    }
    const [only, second] = this.#own.values();
    return only !== undefined && second === undefined ? only : UTC;
  }
}

export function unknownZone({ line }: Pick<ContentLine, 'line'>, name: string): LineProblem {
  return {
    line,
    code: 'unknown-zone',
    found: `the time zone "${name.slice(0, 80)}" is not known`,
    remedy: 'Add its VTIMEZONE to the file, or use an IANA name such as Europe/Berlin',
  };
}

function zoneProblem(part: IcsComponent, name: string | undefined): LineProblem | null {
  const problem = (line: number, found: string, remedy: string) => ({ line, code: 'wrong-zone', found, remedy });
  if (name === undefined) return problem(part.line, 'this VTIMEZONE has no TZID', 'Add it');
  const rules = part.parts.filter((rule) => rule.name === 'STANDARD' || rule.name === 'DAYLIGHT');
  if (rules.length === 0) return problem(part.line, `${name} has neither STANDARD nor DAYLIGHT`, 'Add one of them');
  for (const rule of rules) {
    for (const wanted of ['DTSTART', 'TZOFFSETFROM', 'TZOFFSETTO'])
      if (!rule.lines.some((line) => line.name === wanted))
        return problem(rule.line, `${rule.name} has no ${wanted}`, 'Export the calendar again');
    const repeated = rule.lines.find((line) => line.name === 'RRULE' && !ZONE_RULE.test(line.text));
    if (repeated !== undefined)
      return problem(repeated.line, 'a zone changes by a rule that is not yearly', 'Write FREQ=YEARLY');
  }
  return null;
}

/** Same rule, fewer years; a rule that ends is left as it is, since its last change still holds. */
function beginLater(rule: InstanceType<typeof ICAL.Component>, fromYear: number): void {
  const start: unknown = rule.getFirstProperty('dtstart')?.getFirstValue();
  const repeated: unknown = rule.getFirstPropertyValue('rrule');
  if (!(start instanceof ICAL.Time) || !(repeated instanceof ICAL.Recur)) return;
  if (repeated.until !== null || repeated.count !== null || repeated.interval !== 1) return;
  if (start.year < fromYear - YEARS_BEFORE && !(start.month === 2 && start.day === 29))
    start.year = fromYear - YEARS_BEFORE;
}

export function cannotBeRead(line: number, error: unknown): LineProblem {
  const why = error instanceof Error ? error.message : String(error);
  return { line, code: 'ics-value', found: why.slice(0, 200), remedy: 'Export the calendar again, or mend the line' };
}

function textOf({ name, lines, parts }: IcsComponent): string {
  return [`BEGIN:${name}`, ...lines.map(({ text }) => text), ...parts.map(textOf), `END:${name}`].join('\r\n');
}
