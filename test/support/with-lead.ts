/**
 * Runs a test in which something must happen before a given moment; if the machine is too slow, runs it again with
 * twice the time.
 */

const FIRST_LEAD_MS = 2_000;
const LONGEST_LEAD_MS = 32_000;

/**
 * @param story gets how far ahead the moment is; returns false if the moment came too early, so that the test showed
 * nothing
 * @throws if even the longest lead was too short
 */
export async function withLead(story: (leadMs: number) => Promise<boolean>): Promise<void> {
  for (let leadMs = FIRST_LEAD_MS; leadMs <= LONGEST_LEAD_MS; leadMs *= 2) if (await story(leadMs)) return;
  throw new Error(`Not within ${LONGEST_LEAD_MS / 1_000} s either: ${String(story)}`);
}
