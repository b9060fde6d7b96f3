/** How long a text is on the wire: in bytes, as JSON in UTF-8. Limits of Temporal count those, not characters. */
import { markdownText } from './markdown.js';
import { printable, utf8Bytes } from './text.js';

/** Bytes of a value as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value));
}

const QUOTES = 2;

/** The beginning of a text, of whole characters: at most `longest` bytes as JSON, quotes included. */
export function clipped(text: string, longest: number): string {
  let bytes = QUOTES;
  let end = 0;
  for (const character of text) {
    bytes += jsonBytes(character) - QUOTES;
    if (bytes > longest) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

/** A text of at most `longest` bytes as JSON, quotes included: if it is cut, a mark shows how long it was. `longest` is at least 50. */
export function shortened(text: string, longest: number): string {
  const bytes = jsonBytes(text);
  if (bytes <= longest) return text;
  const mark = ` … (${bytes} bytes)`;
  return `${clipped(text, longest - jsonBytes(mark) + QUOTES)}${mark}`;
}

/** A server takes a summary of 400 bytes (`limit.userMetadataSummarySize`), counted after a codec, which makes it longer. */
const LONGEST_SUMMARY = 200;

/** What the Temporal UI shows beside an id, as Markdown. A longer one would be refused, and the workflow's task with it, for ever. */
export function clippedSummary(text: string): string {
  return markdownText(clipped(printable(text), LONGEST_SUMMARY));
}
