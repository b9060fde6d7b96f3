/** When to read an instance again. This decides only when, never what is concluded. */

/** Readings while the desired state is not reached: the first gap, and the longest, milliseconds. */
const FIRST_READING_GAP_MS = 125;
const LONGEST_READING_GAP_MS = 5_000;
const READING_GAP_GROWTH = 1.5;
/** While it holds: no two readings are closer than this, milliseconds. Chosen: a hold of a few milliseconds occurs only in tests. */
const SHORTEST_HOLD_GAP_MS = 20;
/** A long hold is read at most so many times after its first reading. Chosen: a state that is lost and comes back by itself takes longer than that. */
const MOST_HOLD_GAPS = 20;

/** Milliseconds until the next reading of an instance that has not reached its desired state after `readings` more readings: each gap is 1.5 times longer than the last, at most 5 s. */
export function nextReadingDelayMs(readings: number): number {
  return Math.min(FIRST_READING_GAP_MS * READING_GAP_GROWTH ** readings, LONGEST_READING_GAP_MS);
}

/**
 * Milliseconds until the next reading of an instance whose desired state has held for `heldForMs` and must hold for `stableMs`. A hold of up to 10 s is
 * read at its start, its middle and its end; a longer one every 5 s, or 21 times in all.
 */
export function nextHoldDelayMs(heldForMs: number, stableMs: number): number {
  const longestMs = Math.max(LONGEST_READING_GAP_MS, stableMs / MOST_HOLD_GAPS);
  const gapMs = Math.min(stableMs / 2, longestMs);
  // After the time is over only a reading that failed, or was asked for before it was over, is repeated.
  const leftMs = heldForMs < stableMs ? stableMs - heldForMs : gapMs;
  return Math.max(SHORTEST_HOLD_GAP_MS, Math.min(gapMs, leftMs));
}
