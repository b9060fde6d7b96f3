/** The model with people who approve and reject, with checks, and with runs that resume the one before, beside every mishap. */
import { expect, it } from 'vitest';
import { drawAttended } from './attended.js';
import type { Counts } from './ground-truth.js';
import { playScenario } from './play.js';

/** Chosen: three seconds. More were played by hand. */
const SEEDS = 3_000;
/** Far more than needed, so that a slow machine does not fail the test. */
const LONGEST_MS = 300_000;
/** What must have happened often enough. */
const AT_LEAST: Readonly<Counts> = {
  'approve accepted': 500,
  'approve repeated': 100,
  'approve refused': 500,
  'reject accepted': 100,
  'approval approved': 200,
  'approval rejected': 100,
  'approval expired': 100,
  'approval cancelled': 30,
  'check succeeded': 200,
  'check failed': 100,
  'checks whose worker was lost': 50,
  resumed: 100,
  'resume refused: step-indeterminate': 10,
  'resume refused: changed-since': 10,
};

it(
  'nothing is sent before its approval or after a failed check, each vote counts once, and no resumed run repeats anything',
  { timeout: LONGEST_MS },
  () => {
    const broken: string[] = [];
    const counts: Counts = {};
    for (let seed = 1; seed <= SEEDS; seed++) {
      const played = playScenario(drawAttended(seed));
      for (const [what, count] of Object.entries(played.counts)) counts[what] = (counts[what] ?? 0) + count;
      broken.push(...played.broken.map(({ promise, what }) => `seed ${seed}: ${promise}: ${what}`));
    }
    expect(broken.slice(0, 10)).toEqual([]);
    for (const [what, least] of Object.entries(AT_LEAST)) expect(counts[what], what).toBeGreaterThan(least);
  },
);
