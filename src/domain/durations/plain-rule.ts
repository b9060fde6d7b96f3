/** When to poll a cloud job if nothing is known. Nothing here ever polls more often than this rule. */

/** The plain rule: 0.1 s after the start, then 1.5 times longer each time, at most 5 s. */
const FIRST_MS = 100;
const GROWTH = 1.5;
const LONGEST_MS = 5_000;

/** The polls before the gaps stop growing, in milliseconds after the follower began. */
const GROWING_MS: readonly number[] = growingPolls();

function growingPolls(): number[] {
  const pollsMs = [FIRST_MS];
  let atMs = FIRST_MS;
  for (let gapMs = FIRST_MS * GROWTH; gapMs < LONGEST_MS; gapMs *= GROWTH) pollsMs.push((atMs += gapMs));
  return pollsMs;
}

/** Time of the plain rule's poll number `polls` (0-based), in milliseconds after the follower began. */
export function plainPollMs(polls: number): number {
  const last = GROWING_MS.length - 1;
  return (GROWING_MS[Math.min(polls, last)] ?? 0) + Math.max(0, polls - last) * LONGEST_MS;
}

/** The number of the first poll that the plain rule makes later than `afterMs`, in milliseconds after the follower began. */
export function firstPlainPollAfter(afterMs: number): number {
  const growing = GROWING_MS.findIndex((atMs) => atMs > afterMs);
  if (growing >= 0) return growing;
  const last = GROWING_MS.length - 1;
  return last + 1 + Math.floor((afterMs - plainPollMs(last)) / LONGEST_MS);
}
