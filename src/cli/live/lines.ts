/** Lines of the live view, and how each of them is made to fit the width of a terminal. Pure. */
import { stripVTControlCharacters } from 'node:util';
import wrapAnsi from 'wrap-ansi';

/**
 * `cut`: one line, its end is left out. `wrapped`: continues below, indented, for at most three lines. `command`: continues below
 * with a backslash, so that a shell takes the lines as one command.
 */
export interface Line {
  readonly kind: 'cut' | 'wrapped' | 'command';
  /** Columns. */
  readonly indent: number;
  /** May have colours. */
  readonly text: string;
}

/** A line whose end may be left out. */
export function cutLine(indent: number, text: string): Line {
  return { kind: 'cut', indent, text };
}

/** A line that may continue below. */
export function wrapped(indent: number, text: string): Line {
  return { kind: 'wrapped', indent, text };
}

/** A command to type, without colours. */
export function command(indent: number, text: string): Line {
  return { kind: 'command', indent, text };
}

/** An empty line. */
export const BLANK: Line = { kind: 'cut', indent: 0, text: '' };

const MOST_WRAPPED = 3;
/** Chosen: narrower terminals are not supported, but must not fail. */
const FEWEST_COLUMNS = 10;

/** The line as one or more lines of a terminal, each at most `columns` wide. */
export function fitted({ kind, indent, text }: Line, columns: number): string[] {
  const width = Math.max(FEWEST_COLUMNS, columns - indent);
  const inset = ' '.repeat(Math.min(indent, Math.max(0, columns - FEWEST_COLUMNS)));
  switch (kind) {
    case 'cut':
      return [`${inset}${cut(text, width)}`];
    case 'wrapped': {
      if (fits(text, width)) return [`${inset}${text}`];
      const short = clipped(text, MOST_WRAPPED * width);
      const lines = wrapAnsi(short, width, { hard: true }).split('\n');
      const kept = lines.slice(0, MOST_WRAPPED);
      const last = kept.length - 1;
      if (lines.length > MOST_WRAPPED || short !== text) kept[last] = marked(kept[last] ?? '', width);
      return kept.map((line) => `${inset}${line}`);
    }
    case 'command':
      return continued(text, width).map((line) => `${inset}${line}`);
  }
}

/** The text, or as much of it as fits before `…`. */
export function cut(text: string, width: number): string {
  return fits(text, width) ? text : marked(text, width);
}

/** Is the text at most that wide? */
export function fits(text: string, width: number): boolean {
  const known = narrowWidth(text);
  if (known !== null) return known <= width;
  return clipped(text, width) === text && filled(text, width).length === 1;
}

function marked(text: string, width: number): string {
  const kept = Math.max(1, width - 1);
  const isPlain = narrowWidth(text) === text.length;
  return `${isPlain ? text.slice(0, kept) : (filled(clipped(text, kept), kept)[0] ?? '')}…`;
}

/** Code units in one column. Chosen: a letter with several marks, or a colour; what has more has its end left out. */
const MOST_UNITS = 4;
const LEAST_UNITS = 200;
/** Half of a pair, or the beginning of a colour. */
const UNFINISHED = new RegExp(String.raw`(?:[\ud800-\udbff]|\u001b(?:\[[\d;]*)?)$`);
const RESET = '\u001b[0m';

/** The text, or as much of it as could be drawn in the columns: there may be thousands of marks without a width, and measuring each takes time. */
function clipped(text: string, columns: number): string {
  const most = LEAST_UNITS + MOST_UNITS * columns;
  if (text.length <= most) return text;
  const short = text.slice(0, most).replace(UNFINISHED, '');
  return short.includes('\u001b') ? `${short}${RESET}` : short;
}

/** Characters that take one column: ASCII, an unbreakable space, and our own marks. */
const NARROW = /^[ -~\u00a0…✓–✗■●○·→]*$/u;

/** The width of nearly every line; `null` for one that must be measured, which takes a hundred times longer. */
function narrowWidth(text: string): number | null {
  const visible = stripVTControlCharacters(text);
  return NARROW.test(visible) ? visible.length : null;
}

/** Each line is filled up, whatever it splits. */
function filled(text: string, width: number): string[] {
  return wrapAnsi(text, width, { hard: true, wordWrap: false, trim: false }).split('\n');
}

/** The words of a shell: a quoted one may contain spaces. */
const WORD = /(?:'[^']*'|\\.|[^\s'\\])+/gu;

function continued(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const [word] of text.matchAll(WORD)) {
    const longer = line === '' ? word : `${line} ${word}`;
    // Two columns are kept for the backslash.
    if (line !== '' && !fits(longer, width - 2)) {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    } else line = longer;
  }
  // A word that is wider than the terminal is broken as the terminal would break it.
  return [...lines, line].flatMap((each) => (fits(each, width) ? [each] : filled(each, width)));
}
