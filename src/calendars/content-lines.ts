/** The lines of an iCalendar file as a tree of components, each with its line number: the library that reads values knows none. */

/** Something wrong in a calendar file, before its file is known. `line` counts from 1. */
export interface LineProblem {
  readonly line: number;
  readonly code: string;
  readonly found: string;
  readonly remedy: string;
}

/** `DTSTART;TZID=Europe/Berlin:20261201T020000`, unfolded. */
export interface ContentLine {
  readonly line: number;
  /** Upper case. */
  readonly name: string;
  readonly text: string;
}

export interface IcsComponent {
  /** Upper case, such as `VEVENT`. */
  readonly name: string;
  readonly line: number;
  readonly lines: ContentLine[];
  readonly parts: IcsComponent[];
}

const REMEDY = 'Export the calendar again, or mend the line';
/** Nothing nests deeper: a calendar, a zone, a part of it. */
const DEEPEST = 8;

/** The calendars of the file. What follows a component that does not end where it should is not read. */
export function readComponents(text: string): { calendars: IcsComponent[]; problems: LineProblem[] } {
  const root: IcsComponent = { name: '', line: 1, lines: [], parts: [] };
  const open = [root];
  const problems: LineProblem[] = [];
  const problem = (line: number, code: string, found: string, remedy = REMEDY) =>
    problems.push({ line, code, found, remedy });
  for (const content of contentLines(text)) {
    const inside = open.at(-1) ?? root;
    const value = content.text.slice(content.text.indexOf(':') + 1).trim();
    if (content.name === '') problem(content.line, 'ics-syntax', `"${content.text.slice(0, 60)}" has no ":"`);
    else if (content.name === 'BEGIN') {
      const part: IcsComponent = { name: value.toUpperCase(), line: content.line, lines: [], parts: [] };
      inside.parts.push(part);
      open.push(part);
      if (open.length > DEEPEST) {
        problem(content.line, 'ics-syntax', 'components are nested too deep');
        break;
      }
    } else if (content.name === 'END') {
      if (inside === root || value.toUpperCase() !== inside.name) {
        const wanted = inside === root ? 'nothing is open here' : `${inside.name} of line ${inside.line} is still open`;
        problem(content.line, 'ics-syntax', `END:${value.slice(0, 40)} does not fit, ${wanted}`);
        break;
      }
      open.pop();
    } else if (inside === root) {
      problem(content.line, 'ics-syntax', `"${content.name.slice(0, 40)}" stands outside a calendar`);
      break;
    } else inside.lines.push(content);
  }
  const unended = open.at(-1);
  if (problems.length === 0 && unended !== undefined && unended !== root)
    problem(unended.line, 'ics-syntax', `${unended.name} does not end: the file is cut off`);
  const calendars = root.parts.filter(({ name }) => name === 'VCALENDAR');
  if (problems.length === 0 && calendars.length === 0)
    problem(1, 'no-calendar', 'there is no BEGIN:VCALENDAR', 'Give an iCalendar export, or a list of freezes as .yaml');
  return { calendars, problems };
}

/** A line that begins with a blank goes on with the one before. */
function* contentLines(text: string): Generator<ContentLine> {
  let parts: string[] = [];
  let begunAt = 1;
  let line = 0;
  for (const raw of text.split('\n')) {
    line += 1;
    const physical = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if ((physical.startsWith(' ') || physical.startsWith('\t')) && parts.length > 0) {
      parts.push(physical.slice(1));
      continue;
    }
    if (parts.length > 0) yield contentLine(parts.join(''), begunAt);
    parts = physical.trim() === '' ? [] : [physical];
    begunAt = line;
  }
  if (parts.length > 0) yield contentLine(parts.join(''), begunAt);
}

function contentLine(text: string, line: number): ContentLine {
  const [, name = ''] = /^([A-Za-z0-9-]+)[;:]/.exec(text) ?? [];
  return { line, name: text.includes(':') ? name.toUpperCase() : '', text };
}
