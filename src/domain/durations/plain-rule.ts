/** When to poll a cloud job if nothing is known. Nothing here ever polls more often than this rule. */

/** The plain rule: 0.1 s after the start, then 1.5 times longer each time, at most 5 s. */
const FIRST_MS = 100;
const GROWTH = 1.5;
const LONGEST_MS = 5_000;

/** Time of the plain rule's poll number `polls` (0-based), in milliseconds after the follower began. */
export function plainPollMs(polls: number): number {
  let atMs = FIRST_MS;
  let gapMs = FIRST_MS;
  for (let poll = 0; poll < polls; poll++) {
    gapMs = Math.min(gapMs * GROWTH, LONGEST_MS);
    atMs += gapMs;
  }
  return atMs;
}
