/** The model with an operator who pauses, resumes and aborts the run, each also twice or two at once, and decides about blocked steps. */
import { expect, it } from 'vitest';
import type { Counts } from './ground-truth.js';
import { playScenario } from './play.js';
import { drawSteered } from './steered.js';

/** Chosen: three seconds. More were played by hand. */
const SEEDS = 5_000;
/** Far more than needed, so that a slow machine does not fail the test. */
const LONGEST_MS = 300_000;
/** What must have happened often enough. */
const AT_LEAST: Readonly<Counts> = {
  paused: 500,
  'pause accepted': 1_000,
  'pause repeated': 500,
  'resume accepted': 500,
  'resume repeated': 100,
  'abort accepted': 500,
  'abort repeated': 100,
  'operator retryStep': 100,
  'operator skipStep': 50,
};

it(
  'nothing is sent while a run is paused, nothing new after an abort, and no repeat counts',
  { timeout: LONGEST_MS },
  () => {
    const broken: string[] = [];
    const counts: Counts = {};
    for (let seed = 1; seed <= SEEDS; seed++) {
      const played = playScenario(drawSteered(seed));
      for (const [what, count] of Object.entries(played.counts)) counts[what] = (counts[what] ?? 0) + count;
      broken.push(...played.broken.map(({ promise, what }) => `seed ${seed}: ${promise}: ${what}`));
    }
    expect(broken.slice(0, 10)).toEqual([]);
    for (const [what, least] of Object.entries(AT_LEAST)) expect(counts[what], what).toBeGreaterThan(least);
  },
);

it('a step that is blocked once its run was aborted in a pause waits for no one', () => {
  expect(playScenario(drawSteered(81_020)).broken).toEqual([]);
});
