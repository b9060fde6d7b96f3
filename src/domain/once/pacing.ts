/** When to poll a cloud job, computed from its usual duration. This decides only when to poll, never what is concluded. */

/** The plain rule: 0.1 s after the start, then 1.5 times longer each time, at most 5 s. Nothing here polls more often than that. */
const PLAIN_FIRST_MS = 100;
const PLAIN_GROWTH = 1.5;
const PLAIN_LONGEST_MS = 5_000;

/** Early and rare before the likely end (a cloud job that fails at once is seen), dense around it. Fractions of the usual duration. */
const AROUND_THE_END = [0.1, 0.5, 0.8, 0.95, 1.05] as const;
/** After it the gap begins at this fraction of the usual duration and grows. Chosen: about 10 % late at worst. */
const GAP_FRACTION = 0.1;
const GAP_GROWTH = 1.3;
const LONGEST_GAP_FRACTION = 0.1;

/** What the time of the next poll depends on. */
export interface PollRequest {
  /** Polls this watcher made already; 0 for the first. */
  readonly polls: number;
  /** Since this watcher began to follow. */
  readonly followedForMs: number;
  /** Since the cloud job was submitted; larger than `followedForMs` when an earlier attempt submitted it. */
  readonly elapsedMs: number;
  readonly usualDurationMs: number;
}

/** Milliseconds to wait before the next poll. */
export function nextPollDelayMs({ polls, followedForMs, elapsedMs, usualDurationMs }: PollRequest): number {
  const likely = nextLikelyPollMs(elapsedMs, usualDurationMs) - elapsedMs;
  const plain = plainPollMs(polls) - followedForMs;
  // A cloud job taken over after its usual duration has most likely ended: the first poll need not wait.
  const takenOver = polls === 0 && elapsedMs > usualDurationMs && elapsedMs > followedForMs;
  return Math.max(0, plain, takenOver ? 0 : likely);
}

/** Time of the plain rule's poll number `polls` (0-based), milliseconds after it began. */
export function plainPollMs(polls: number): number {
  let atMs = PLAIN_FIRST_MS;
  let gapMs = PLAIN_FIRST_MS;
  for (let poll = 0; poll < polls; poll++) {
    gapMs = Math.min(gapMs * PLAIN_GROWTH, PLAIN_LONGEST_MS);
    atMs += gapMs;
  }
  return atMs;
}

function nextLikelyPollMs(elapsedMs: number, usualDurationMs: number): number {
  for (const fraction of AROUND_THE_END) {
    const atMs = fraction * usualDurationMs;
    if (atMs > elapsedMs) return atMs;
  }
  let gapMs = Math.max(GAP_FRACTION * usualDurationMs, PLAIN_FIRST_MS);
  let atMs = (AROUND_THE_END.at(-1) ?? 1) * usualDurationMs;
  while (atMs <= elapsedMs) {
    atMs += gapMs;
    gapMs = Math.min(gapMs * GAP_GROWTH, Math.max(PLAIN_LONGEST_MS, LONGEST_GAP_FRACTION * atMs));
  }
  return atMs;
}

/** Readings while the desired state is not reached: the first gap, and the longest, milliseconds. */
const FIRST_READING_GAP_MS = 125;
const LONGEST_READING_GAP_MS = 5_000;
/** While it holds: no two readings are closer than this, milliseconds. Chosen: a hold of a few milliseconds occurs only in tests. */
const SHORTEST_HOLD_GAP_MS = 20;
/** A long hold is read at most so many times after its first reading. Chosen: a state that is lost and comes back by itself takes longer than that. */
const MOST_HOLD_GAPS = 20;

/** Milliseconds until the next reading of an instance that has not reached its desired state after `readings` more readings: each gap is 1.5 times longer than the last, at most 5 s. */
export function nextReadingDelayMs(readings: number): number {
  return Math.min(FIRST_READING_GAP_MS * PLAIN_GROWTH ** readings, LONGEST_READING_GAP_MS);
}

/**
 * Milliseconds until the next reading of an instance whose desired state has held for `heldForMs` and must hold for `stableMs`. A hold of up to 10 s is
 * read at its start, its middle and its end; a longer one every 5 s, or 21 times in all.
 */
export function nextHoldDelayMs(heldForMs: number, stableMs: number): number {
  const longestMs = Math.max(LONGEST_READING_GAP_MS, stableMs / MOST_HOLD_GAPS);
  const gapMs = Math.min(stableMs / 2, longestMs);
  // After the time is over only a reading that failed is repeated.
  const leftMs = heldForMs < stableMs ? stableMs - heldForMs : gapMs;
  return Math.max(SHORTEST_HOLD_GAP_MS, Math.min(gapMs, leftMs));
}
