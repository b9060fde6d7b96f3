/** Plays many seeds with an operator who retries, skips and marks blocked steps, and adds up the results. */
import * as product from '../../src/domain/once/next.js';
import type { Counts } from './ground-truth.js';
import { drawOperated } from './operated.js';
import { AGAIN } from './operator-flow.js';
import { Stage } from './play.js';

/** What must happen often, or a test would show nothing. */
export const OPERATED = [
  'operator retryStep',
  'operator skipStep',
  'operator markSucceeded',
  'retried and sent',
] as const;

/** @returns promises that did not hold, each with its seed, and how often each kind of thing happened */
export function playOperated(
  from: number,
  to: number,
): { readonly broken: readonly string[]; readonly counts: Readonly<Counts> } {
  const broken: string[] = [];
  const counts: Counts = {};
  for (let seed = from; seed <= to; seed++) {
    const stage = new Stage(drawOperated(seed), product, null);
    const played = stage.play();
    for (const [what, count] of Object.entries(played.counts)) counts[what] = (counts[what] ?? 0) + count;
    for (const { stepId, posts } of stage.world.truth.decisions.values())
      if (stepId.includes(AGAIN) && posts.length > 0)
        counts['retried and sent'] = (counts['retried and sent'] ?? 0) + 1;
    broken.push(...played.broken.map(({ promise, what }) => `seed ${seed}: ${promise}: ${what}`));
  }
  return { broken, counts };
}
