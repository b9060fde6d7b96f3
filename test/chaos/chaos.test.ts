/** A few fixed seeds at every push; `npm run chaos` plays any number. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { makeSchedule } from './make-schedule.js';
import { describeFailure, playSeeds } from './play-seeds.js';

/** The last one is played with a payload codec. */
const SEEDS = [1, 2, 3, 8];
const SEED_DEADLINE_MS = 300_000;
const dist = fileURLToPath(new URL('../../dist', import.meta.url));

describe('a schedule', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(makeSchedule(7)).toEqual(makeSchedule(7));
    expect(makeSchedule(7)).not.toEqual(makeSchedule(17));
  });

  it('is played with a payload codec in one seed of five', () => {
    expect(SEEDS.map((seed) => makeSchedule(seed).withCodec)).toEqual([false, false, false, true]);
  });
});

describe('the four promises', () => {
  it(
    `hold in the storms of the seeds ${SEEDS.join(', ')}`,
    async () => {
      const failures: string[] = [];
      let accepted = 0;
      for await (const played of playSeeds({ seeds: SEEDS, dist, say: (line) => process.stderr.write(`${line}\n`) })) {
        accepted += played.totals.acceptedPosts;
        if (played.violations.length > 0) failures.push(describeFailure(played));
      }
      expect(failures.join('\n')).toBe('');
      // A storm in which nothing is ever sent would keep every promise.
      expect(accepted).toBeGreaterThan(10 * SEEDS.length);
    },
    SEEDS.length * SEED_DEADLINE_MS,
  );
});
