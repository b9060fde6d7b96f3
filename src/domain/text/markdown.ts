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
  return `\`${line.replaceAll('`', "'")}\``;
}

/** Like `markdownText`, for a cell of a table, which a bar would end even within code. */
export function markdownCell(text: string): string {
  return markdownText(text).replaceAll('|', String.raw`\|`);
}
