/** The size of text as sent: bytes of its JSON in UTF-8. Temporal's limits count those, not characters. */
import { markdownText } from './markdown.js';
import { printable, utf8Bytes } from './text.js';

/** Bytes of a value as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value));
}

const QUOTES = 2;

/** The start of a text in whole characters: at most `longest` bytes as JSON, quotes included. */
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

/**
 * Shortens a text to at most `longest` bytes as JSON, quotes included. A mark gives the original length. `longest`
 * is at least 50.
 */
export function shortened(text: string, longest: number): string {
  const bytes = jsonBytes(text);
  if (bytes <= longest) return text;
  const mark = ` … (${bytes} bytes)`;
  return `${clipped(text, longest - jsonBytes(mark) + QUOTES)}${mark}`;
}

/**
 * A server accepts a summary of 400 bytes (`limit.userMetadataSummarySize`), counted after the codec, which makes it
 * longer.
 */
const LONGEST_SUMMARY = 200;

/**
 * Shortens a text for the Temporal UI, which shows it as Markdown beside an id. A longer one would be refused, and
 * with it the workflow's task, for ever.
 */
export function clippedSummary(text: string): string {
  return markdownText(clipped(printable(text), LONGEST_SUMMARY));
}
