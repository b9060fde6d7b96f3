/** What others wrote, as it may go into the Markdown of the Temporal UI: no link, no table, no line of its own. */
import { printable } from './text.js';

/** Letters, digits and marks that mean nothing in Markdown, and underscores within words. */
const HARMLESS = /^(?:[\p{L}\p{M}\p{N} ./,:=@%()→-]|(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}]))*$/u;
/** Turned into links by themselves. */
const ADDRESS = /:\/\/|www\.|@/i;

/** Text on one line: as it is where no character means anything in Markdown, else as code, in which none does. */
export function markdownText(text: string): string {
  const line = printable(text);
  if (HARMLESS.test(line) && !ADDRESS.test(line)) return line;
  return `\`${line.replaceAll('`', "'")}\``;
}

/** As `markdownText`, within a cell of a table: there a bar ends the cell, even in code. */
export function markdownCell(text: string): string {
  return markdownText(text).replaceAll('|', String.raw`\|`);
}
