/** When to read an instance again. This decides only when, never what is concluded. */

const FIRST_MS = 125;
const GROWTH = 1.5;
const LONGEST_MS = 5_000;

/** Milliseconds between two readings of an instance that is expected to reach a state: grows from an eighth of a second to 5 s. */
export function nextReadingDelayMs(readings: number, stableMs: number): number {
  const grown = Math.min(FIRST_MS * GROWTH ** readings, LONGEST_MS);
  // To see that the state holds without a break, read at least twice within the time it must hold.
  return Math.max(20, Math.min(grown, stableMs === 0 ? grown : stableMs / 2));
}
