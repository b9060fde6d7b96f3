/** What may stand where in an iCalendar file. Everything else is a problem at its line, at every depth: ignoring it would silently freeze too little. */
import type { IcsComponent, LineProblem, Property } from './content-lines.js';

interface Grammar {
  readonly parts: readonly string[];
  /** Properties that may stand in it beside those with `X-`. `null`: all that say nothing of when. */
  readonly names: readonly string[] | null;
  readonly once: readonly string[];
}

const TIMES = words('DTSTART DTEND DURATION RRULE RDATE EXDATE EXRULE RECURRENCE-ID FREEBUSY DUE');
const ONCE_IN_EVENT = words('DTSTART DTEND DURATION RECURRENCE-ID SEQUENCE STATUS UID');
/** Properties of events in RFC 5545, 7986, 9073, 9074 and 9253 that say nothing of when. */
const WITHOUT_TIME = words(
  'ATTACH ATTENDEE CATEGORIES CLASS COLOR COMMENT CONCEPT CONFERENCE CONTACT CREATED DESCRIPTION DTSTAMP GEO IMAGE LAST-MODIFIED LINK LOCATION LOCATION-TYPE ORGANIZER PARTICIPANT-TYPE PRIORITY PROXIMITY REFID RELATED-TO REQUEST-STATUS RESOURCES STRUCTURED-DATA STYLED-DESCRIPTION SUMMARY TRANSP URL',
);
const NOTHING_OF_WHEN: Grammar = { parts: [], names: null, once: [] };
const OBSERVANCE: Grammar = {
  parts: [],
  names: words('DTSTART TZOFFSETFROM TZOFFSETTO RRULE RDATE TZNAME COMMENT'),
  once: words('DTSTART TZOFFSETFROM TZOFFSETTO'),
};
const GRAMMARS: ReadonlyMap<string, Grammar> = new Map([
  ['VCALENDAR', { parts: words('VEVENT VTIMEZONE'), names: null, once: words('VERSION CALSCALE') }],
  [
    'VEVENT',
    {
      parts: words('VALARM PARTICIPANT VLOCATION VRESOURCE'),
      names: [...ONCE_IN_EVENT, ...WITHOUT_TIME, ...words('RRULE RDATE EXDATE')],
      once: ONCE_IN_EVENT,
    },
  ],
  [
    'VTIMEZONE',
    {
      parts: words('STANDARD DAYLIGHT'),
      names: words('TZID TZURL TZID-ALIAS-OF LAST-MODIFIED COMMENT'),
      once: words('TZID'),
    },
  ],
  ['STANDARD', OBSERVANCE],
  ['DAYLIGHT', OBSERVANCE],
  ['VALARM', { ...NOTHING_OF_WHEN, parts: words('VLOCATION') }],
  ['PARTICIPANT', { ...NOTHING_OF_WHEN, parts: words('VLOCATION VRESOURCE') }],
]);
/** Parts of an event may have parts that only its program knows. */
const WITHOUT_EXTENSIONS = words('VCALENDAR VTIMEZONE STANDARD DAYLIGHT');

/** Every component and property that is not read and could say when, in the order of the file. */
export function unreadIn(component: IcsComponent): LineProblem[] {
  return [
    ...component.lines.flatMap((property, index) => unreadLine(property, index, component) ?? []),
    ...component.parts.flatMap((part) => unreadPart(part, component)),
  ];
}

function unreadLine(property: Property, index: number, component: IcsComponent): LineProblem | null {
  const { name, line, value } = property;
  const { names, once } = grammarOf(component);
  const again = once.includes(name) && component.lines.findIndex((other) => other.name === name) < index;
  if (again) return unread(line, `${name} appears twice in one ${component.name}`, 'Keep one of the two');
  const isKnown = names === null ? !isTime(name, component) : names.includes(name) || name.startsWith('X-');
  if (!isKnown) return unreadProperty(property, component);
  if (name === 'RECURRENCE-ID' && property.parameters.has('RANGE'))
    return unread(
      line,
      'a changed occurrence that changes all later ones (RANGE) is not read',
      'Write events of their own instead',
    );
  if (component.name !== 'VCALENDAR') return null;
  if (name === 'VERSION' && value !== '2.0')
    return unread(
      line,
      `version "${value.slice(0, 40)}" of the format is not read`,
      'Export the calendar as iCalendar 2.0',
    );
  if (name === 'CALSCALE' && value.toUpperCase() !== 'GREGORIAN')
    return unread(
      line,
      `the calendar system "${value.slice(0, 40)}" is not read`,
      'Export the calendar with CALSCALE:GREGORIAN',
    );
  return null;
}

function unreadPart(part: IcsComponent, component: IcsComponent): LineProblem[] {
  const isExtension = part.name.startsWith('X-') && !WITHOUT_EXTENSIONS.includes(component.name);
  if (isExtension || grammarOf(component).parts.includes(part.name)) return unreadIn(part);
  const name = part.name.slice(0, 40);
  if (component.name === 'VCALENDAR')
    return [
      unread(
        part.line,
        `${name} is not read: only events freeze`,
        'Write an event where something is frozen, or delete it',
      ),
    ];
  return [
    unread(
      part.line,
      `${name} within ${component.name.slice(0, 40)} is not read`,
      'Correct its name, write it as an event of its own, or delete it',
    ),
  ];
}

function grammarOf({ name }: IcsComponent): Grammar {
  return GRAMMARS.get(name) ?? NOTHING_OF_WHEN;
}

/** How long a reminder waits before it repeats is not the length of the event. */
function isTime(name: string, { name: inside }: IcsComponent): boolean {
  return TIMES.includes(name) && !(name === 'DURATION' && inside === 'VALARM');
}

function unreadProperty({ name, line }: Property, { name: inside }: IcsComponent): LineProblem {
  if (inside === 'VCALENDAR')
    return unread(line, `${name} is outside an event`, 'Put it between BEGIN:VEVENT and END:VEVENT, or delete it');
  const remedy = name === 'EXRULE' ? 'Write the exceptions as EXDATE' : 'Correct the name, or delete the line';
  return unread(line, `${name.slice(0, 40)} is not read in ${inside.slice(0, 40)}`, remedy);
}

function unread(line: number, found: string, remedy: string): LineProblem {
  return { line, code: 'not-supported', found, remedy };
}

function words(text: string): string[] {
  return text.split(' ');
}
