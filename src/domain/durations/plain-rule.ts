/** When to look at a cloud job of which nothing is known. Nothing here ever looks more often than this rule. */

/** The plain rule: 0.1 s after the start, then 1.5 times longer each time, at most 5 s. */
const FIRST_MS = 100;
const GROWTH = 1.5;
const LONGEST_MS = 5_000;

/** Time of the plain rule's look number `looks` (0-based), in milliseconds after the follower began. */
export function plainLookMs(looks: number): number {
  let atMs = FIRST_MS;
  let gapMs = FIRST_MS;
  for (let look = 0; look < looks; look++) {
    gapMs = Math.min(gapMs * GROWTH, LONGEST_MS);
    atMs += gapMs;
  }
  return atMs;
}
