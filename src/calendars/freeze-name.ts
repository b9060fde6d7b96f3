/** Names of freezes, whatever file they come from. */
import { clipText, printable } from '../domain/text/text.js';

/** Chosen: a line of a terminal. Names go into the history of each run that meets the freeze. */
const LONGEST_NAME_BYTES = 120;

/** A name that somebody wrote, for one line of any screen. */
export function freezeName(text: string): string {
  return clipText(printable(text.replace(/\s+/g, ' ').trim()), LONGEST_NAME_BYTES);
}
