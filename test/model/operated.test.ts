/** The model with an operator who retries, skips and marks blocked steps at random moments, beside every mishap. */
import { expect, it } from 'vitest';
import * as product from '../../src/domain/once/next.js';
import type { Counts } from './ground-truth.js';
import { drawOperated } from './operated.js';
import { AGAIN } from './operator-flow.js';
import { Stage } from './play.js';

/** Chosen: seconds; about two thousand retries are sent. 300,000 were played by hand. */
const SEEDS = 15_000;
/** Far more than needed, so that a slow machine does not fail the test. */
const LONGEST_MS = 300_000;

it('no retry is sent while something of an earlier decision may still appear', { timeout: LONGEST_MS }, () => {
  const broken: string[] = [];
  const counts: Counts = {};
  for (let seed = 1; seed <= SEEDS; seed++) {
    const stage = new Stage(drawOperated(seed), product, null);
    const played = stage.play();
    for (const [what, count] of Object.entries(played.counts)) counts[what] = (counts[what] ?? 0) + count;
    for (const { stepId, posts } of stage.world.truth.decisions.values())
      if (stepId.includes(AGAIN) && posts.length > 0)
        counts['retried and sent'] = (counts['retried and sent'] ?? 0) + 1;
    broken.push(...played.broken.map(({ promise, what }) => `seed ${seed}: ${promise}: ${what}`));
  }
  expect(broken.slice(0, 10)).toEqual([]);
  for (const what of ['operator retryStep', 'operator skipStep', 'operator markSucceeded', 'retried and sent'])
    expect(counts[what]).toBeGreaterThan(100);
});
