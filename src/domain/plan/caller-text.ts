/**
 * Text that a caller supplies is shown on terminals, in logs and in the Temporal UI, so each value must be a single
 * line without hidden characters.
 */
import type { Problem } from '../failures.js';
import { hasControlCharacters, printable } from '../text/text.js';

/** What is wrong with text that must not be shown. */
export const HOLDS_CONTROL_CHARACTERS = 'it contains control or invisible characters';
/** How to fix it. */
export const ONE_LINE_REMEDY = 'Write it on one line, without control or invisible characters';

/** Values nested deeper than this are refused for their depth. */
const DEEPEST = 100;

/**
 * Returns a problem for each text and key in plain JSON that contains a control or invisible character; `place` is
 * its path.
 */
export function unprintableWords(words: unknown, place = '', depth = 0): Problem[] {
  if (typeof words === 'string') return hasControlCharacters(words) ? [unprintable(place, words)] : [];
  if (typeof words !== 'object' || words === null || depth > DEEPEST) return [];
  return Object.entries(words).flatMap(([key, value]) => {
    const path = place === '' ? printable(key) : `${place}.${printable(key)}`;
    return [
      ...(hasControlCharacters(key) ? [unprintable(path, key)] : []),
      ...unprintableWords(value, path, depth + 1),
    ];
  });
}

function unprintable(place: string, text: string): Problem {
  const found = `"${printable(text.slice(0, 100))}" contains control or invisible characters`;
  return { code: 'control-characters', place, found, remedy: ONE_LINE_REMEDY };
}
