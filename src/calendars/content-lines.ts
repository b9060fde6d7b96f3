/** The lines of an iCalendar file as a tree of components, each line with its number. Values are read when they are asked for. */

/** Something wrong in a calendar file. `line` counts from 1; the path of the file is added by who opened it. */
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

/** A line taken apart. */
export interface Property {
  readonly line: number;
  readonly name: string;
  /** By name in upper case; quotes and the escapes of RFC 6868 are resolved. */
  readonly parameters: ReadonlyMap<string, string>;
  /** What stands after the colon, as written. */
  readonly value: string;
}

/** `BEGIN:NAME` to `END:NAME`. */
export interface IcsComponent {
  /** Upper case, such as `VEVENT`. */
  readonly name: string;
  readonly line: number;
  readonly lines: ContentLine[];
  readonly parts: IcsComponent[];
}

const EXPORT_AGAIN = 'Export the calendar again, or correct the line';
/** Nothing nests deeper than a calendar, an event, a part of it and a part of that. */
const DEEPEST = 8;

/** The calendars of the file. Reading stops at the first component that does not end where it should: what belongs to what is unknown from there on. */
export function readComponents(text: string): { calendars: IcsComponent[]; problems: LineProblem[] } {
  const root: IcsComponent = { name: '', line: 1, lines: [], parts: [] };
  const open = [root];
  const problems: LineProblem[] = [];
  const problem = (line: number, found: string, remedy = EXPORT_AGAIN) =>
    problems.push({ line, code: 'ics-syntax', found, remedy });
  for (const content of contentLines(text)) {
    const inside = open.at(-1) ?? root;
    const value = content.text.slice(content.text.indexOf(':') + 1).trim();
    if (content.name === '') problem(content.line, `"${content.text.slice(0, 60)}" is no line of the form NAME:value`);
    else if (content.name === 'BEGIN') {
      const part: IcsComponent = { name: value.toUpperCase(), line: content.line, lines: [], parts: [] };
      inside.parts.push(part);
      open.push(part);
      if (open.length > DEEPEST) {
        problem(content.line, 'components are nested too deep');
        break;
      }
    } else if (content.name === 'END') {
      if (inside === root || value.toUpperCase() !== inside.name) {
        const wanted = inside === root ? 'nothing is open here' : `${inside.name} of line ${inside.line} is still open`;
        problem(content.line, `END:${value.slice(0, 40)} does not fit, ${wanted}`);
        break;
      }
      open.pop();
    } else if (inside === root) {
      problem(content.line, `"${content.name.slice(0, 40)}" stands outside a calendar`);
      break;
    } else inside.lines.push(content);
  }
  const unended = open.at(-1);
  if (problems.length === 0 && unended !== undefined && unended !== root)
    problem(unended.line, `${unended.name} does not end: the file is cut off`);
  for (const other of root.parts.filter(({ name }) => name !== 'VCALENDAR'))
    problem(
      other.line,
      `${other.name.slice(0, 40)} stands outside a calendar`,
      'Put it between BEGIN:VCALENDAR and END:VCALENDAR, or delete it',
    );
  if (problems.length === 0 && root.parts.length === 0) {
    const remedy = 'Give an iCalendar export, or a list of freezes as .yaml';
    problems.push({ line: 1, code: 'no-calendar', found: 'there is no BEGIN:VCALENDAR', remedy });
  }
  return { calendars: root.parts.filter(({ name }) => name === 'VCALENDAR'), problems };
}

/** Lines end with CRLF, LF or CR. One that begins with a blank continues the one before. */
function* contentLines(text: string): Generator<ContentLine> {
  let parts: string[] = [];
  let begunAt = 1;
  let line = 0;
  for (const physical of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    line += 1;
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

const PARAMETER = /;([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)/y;

/** Takes a line apart. @returns `null` where its parameters are malformed */
export function readProperty({ line, name, text }: ContentLine): Property | null {
  const parameters = new Map<string, string>();
  let at = name.length;
  while (text[at] === ';') {
    PARAMETER.lastIndex = at;
    const [whole, key, value] = PARAMETER.exec(text) ?? [];
    if (whole === undefined || key === undefined || value === undefined) return null;
    parameters.set(key.toUpperCase(), parameterText(value));
    at += whole.length;
  }
  return text[at] === ':' ? { line, name, parameters, value: text.slice(at + 1).trim() } : null;
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
