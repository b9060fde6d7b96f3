/** The words of whoever starts a run: they are shown on terminals, in logs and in the Temporal UI, so each is one line that shows all of itself. */
import type { Problem } from '../failures.js';
import { hasControlCharacters, printable } from '../text/text.js';

export const HOLDS_CONTROL_CHARACTERS = 'it holds characters that a terminal obeys or that nobody sees';
export const ONE_LINE_REMEDY =
  'Write it on one line, without control characters, direction marks and characters that nobody sees';

/** Deeper words are refused for their depth. */
const DEEPEST = 100;

/** A problem for each text in plain JSON, and for each key, that holds a control character; `place` is its path. */
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
  const found = `"${printable(text.slice(0, 100))}" holds characters that a terminal obeys or that nobody sees`;
  return { code: 'control-characters', place, found, remedy: ONE_LINE_REMEDY };
}
