/** The lines of an iCalendar file as a tree of components, each line with its number. Values are read when they are asked for. */

/** Something wrong in a calendar file. `line` counts from 1; the caller adds the path of the file. */
export interface LineProblem {
  readonly line: number;
  readonly code: string;
  readonly found: string;
  readonly remedy: string;
}

/** `DTSTART;TZID=Europe/Berlin:20261201T020000`, unfolded and taken apart. */
export interface Property {
  readonly line: number;
  /** Upper case. */
  readonly name: string;
  /** By name in upper case; quotes and the escapes of RFC 6868 are resolved. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Everything after the colon, as written. */
  readonly value: string;
}

/** `BEGIN:NAME` to `END:NAME`. */
export interface IcsComponent {
  /** Upper case, such as `VEVENT`. */
  readonly name: string;
  readonly line: number;
  readonly lines: Property[];
  readonly parts: IcsComponent[];
}

const EXPORT_AGAIN = 'Export the calendar again, or correct the line';
/** Nothing nests deeper than a calendar, an event, a part of it and a part of that. */
const DEEPEST = 8;

/** The calendars of the file. A line that cannot be taken apart is a problem, whatever its name. Reading stops at the first component that does not end where it should: what belongs to what is unknown from there on. */
export function readComponents(text: string): { calendars: IcsComponent[]; problems: LineProblem[] } {
  const root: IcsComponent = { name: '', line: 1, lines: [], parts: [] };
  const open = [root];
  const problems: LineProblem[] = [];
  const problem = (line: number, found: string, remedy = EXPORT_AGAIN) =>
    problems.push({ line, code: 'ics-syntax', found, remedy });
  for (const content of contentLines(text)) {
    const inside = open.at(-1) ?? root;
    if (typeof content.property === 'string') {
      problem(content.line, content.property);
      continue;
    }
    const { line, name, value } = content.property;
    if (name === 'BEGIN') {
      const part: IcsComponent = { name: value.toUpperCase(), line, lines: [], parts: [] };
      inside.parts.push(part);
      open.push(part);
      if (open.length > DEEPEST) {
        problem(line, 'components are nested too deep');
        break;
      }
    } else if (name === 'END') {
      if (inside === root || value.toUpperCase() !== inside.name) {
        const wanted = inside === root ? 'nothing is open here' : `${inside.name} of line ${inside.line} is still open`;
        problem(line, `END:${value.slice(0, 40)} does not fit, ${wanted}`);
        break;
      }
      open.pop();
    } else if (inside === root) {
      problem(line, `"${name.slice(0, 40)}" is outside a calendar`);
      break;
    } else inside.lines.push(content.property);
  }
  const unended = open.at(-1);
  if (problems.length === 0 && unended !== undefined && unended !== root)
    problem(unended.line, `${unended.name} does not end: the file is cut off`);
  for (const other of root.parts.filter(({ name }) => name !== 'VCALENDAR'))
    problem(
      other.line,
      `${other.name.slice(0, 40)} is outside a calendar`,
      'Put it between BEGIN:VCALENDAR and END:VCALENDAR, or delete it',
    );
  if (problems.length === 0 && root.parts.length === 0) {
    const remedy = 'Give an iCalendar export, or a list of freezes as .yaml';
    problems.push({ line: 1, code: 'no-calendar', found: 'there is no BEGIN:VCALENDAR', remedy });
  }
  return { calendars: root.parts.filter(({ name }) => name === 'VCALENDAR'), problems };
}

/** A line, unfolded: taken apart, or in words why it cannot be. */
interface ContentLine {
  readonly line: number;
  readonly property: Property | string;
}

/** Lines end with CRLF, LF or CR. One that begins with a blank continues the one before. */
function* contentLines(text: string): Generator<ContentLine> {
  let parts: string[] = [];
  let begunAt = 1;
  let line = 0;
  const unfolded = (): ContentLine => ({ line: begunAt, property: propertyOf(parts.join(''), begunAt) });
  for (const physical of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    line += 1;
    if ((physical.startsWith(' ') || physical.startsWith('\t')) && parts.length > 0) {
      parts.push(physical.slice(1));
      continue;
    }
    if (parts.length > 0) yield unfolded();
    parts = physical.trim() === '' ? [] : [physical];
    begunAt = line;
  }
  if (parts.length > 0) yield unfolded();
}

const PARAMETER = /;([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)/y;
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

function propertyOf(text: string, line: number): Property | string {
  const [, written = ''] = /^([A-Za-z0-9-]+)[;:]/.exec(text) ?? [];
  if (written === '') return `"${text.slice(0, 60)}" is not a line of the form NAME:value`;
  const name = written.toUpperCase();
  const found: [string, string][] = [];
  let at = name.length;
  while (text[at] === ';') {
    PARAMETER.lastIndex = at;
    const [whole, key = '', value = ''] = PARAMETER.exec(text) ?? [];
    if (whole === undefined) break;
    found.push([key.toUpperCase(), parameterText(value)]);
    at += whole.length;
  }
  if (text[at] !== ':') return `the parameters of ${name.slice(0, 40)} cannot be read`;
  const parameters = found.length === 0 ? NO_PARAMETERS : new Map(found);
  if (parameters.size < found.length) return `a parameter of ${name.slice(0, 40)} appears twice`;
  return { line, name, parameters, value: text.slice(at + 1).trim() };
}

const CARET_ESCAPES: Readonly<Record<string, string>> = { '^n': '\n', '^^': '^', "^'": '"' };
const TEXT_ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\N': '\n' };

/** https://www.rfc-editor.org/rfc/rfc6868 */
function parameterText(value: string): string {
  return value
    .replaceAll('"', '')
    .replace(/\^[n^']/g, (escape) => CARET_ESCAPES[escape] ?? escape)
    .trim();
}

/** A value of type TEXT: `\,` `\;` `\\` and `\n` resolved. */
export function unescapeText(value: string): string {
  return value.replace(/\\[\\;,nN:"]/g, (escape) => TEXT_ESCAPES[escape] ?? escape.slice(1)).trim();
}
