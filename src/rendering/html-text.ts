/** Foreign text in HTML and SVG. Every text of a report passes here, so that no name can become markup. */
import { printable } from '../domain/text/text.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text on one line, for the content of an element or a quoted attribute. Invisible and reordering characters are shown as escapes. */
export function htmlText(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** Like `htmlText`, but line breaks stay. */
export function htmlLines(text: string): string {
  return text.split(/\r?\n/).map(htmlText).join('\n');
}
