/** The model with an operator who retries, skips and marks blocked steps at random moments, beside every mishap. */
import { expect, it } from 'vitest';
import { OPERATED, playOperated } from './operated-seeds.js';

/** Chosen: two seconds; hundreds of retries are sent. `whole.test.ts` plays more, and 300,000 were played by hand. */
const SEEDS = 5_000;
/** Far more than needed, so that a slow machine does not fail the test. */
const LONGEST_MS = 300_000;

it('no retry is sent while something of an earlier decision may still appear', { timeout: LONGEST_MS }, () => {
  const { broken, counts } = playOperated(1, SEEDS);
  expect(broken.slice(0, 10)).toEqual([]);
  for (const what of OPERATED) expect(counts[what], what).toBeGreaterThan(100);
});
