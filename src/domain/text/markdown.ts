/** Makes foreign text safe for the Markdown of the Temporal UI: no link, no table, no new line. */
import { printable } from './text.js';

/** Letters, digits, marks without a meaning in Markdown, and underscores within words. */
const HARMLESS = /^(?:[\p{L}\p{M}\p{N} ./,:=@%()→-]|(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}]))*$/u;
/** Would become a link. */
const ADDRESS = /:\/\/|www\.|@/i;

/** Text on one line: unchanged if no character has a meaning in Markdown, else as code. */
export function markdownText(text: string): string {
  const line = printable(text);
  if (HARMLESS.test(line) && !ADDRESS.test(line)) return line;
  return asCode(line);
}

/** Begins a list, a heading or a rule at the start of a line. */
const BEGINS_BLOCK = /^\s*(?:[-+=]|\d+[.)])/;

/** Like `markdownText`, for sentences: what has a meaning in Markdown is escaped, so that an apostrophe does not make the sentence code. */
export function markdownProse(text: string): string {
  const line = printable(text).trim();
  if (ADDRESS.test(line) || BEGINS_BLOCK.test(line)) return asCode(line);
  return line.replace(/[\\`*_{}[\]<>#|!&~$]/g, String.raw`\$&`);
}

/** Text on one line, as code. */
export function markdownCode(text: string): string {
  return asCode(printable(text));
}

function asCode(line: string): string {
  return `\`${line.replaceAll('`', "'")}\``;
}

/** Like `markdownText`, for a cell of a table. */
export function markdownCell(text: string): string {
  return inCell(markdownText(text));
}

/** Markdown for a cell of a table, which a bar would end even within code, unless an odd number of backslashes is before it. */
export function inCell(markdown: string): string {
  return markdown.replace(/(\\*)\|/g, (_bar, slashes: string) => `${slashes}${slashes.length % 2 === 0 ? '\\' : ''}|`);
}
