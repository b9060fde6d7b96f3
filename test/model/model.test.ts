import { describe, expect, it } from 'vitest';
import * as product from '../../src/domain/once/next.js';
import { describeFailure } from './describe-failure.js';
import { playSeeds } from './play-seeds.js';
import { playOne } from './play.js';
import { runProgram } from './programs.js';
import type { Machine } from './world.js';

/** Far more than needed, so that a slow machine does not fail the test. */
const LONGEST_MS = 600_000;

/** Begins each attempt as if it were the first. */
const forgetful: Machine = {
  ...product,
  beginActing: (rules, facts, _previous, nowMs) =>
    product.beginActing(
      rules,
      { ...facts, attempt: 1, decidedInRunId: facts.runId, attemptScheduledAtMs: facts.scheduledAtMs },
      null,
      nowMs,
    ),
};

describe('the model', () => {
  it('finds no broken promise in 100,000 random interleavings', { timeout: LONGEST_MS }, async () => {
    const { exitCode, output } = await runProgram('run-model.ts', ['--count', '100000', '--seed', '1']);
    expect(output).toMatch(/^100000 interleavings .*: every promise held$/m);
    expect(exitCode).toBe(0);
  });

  it('plays the same for the same seed', () => {
    expect(playOne(17)).toEqual(playOne(17));
  });

  it('finds a machine that forgets what earlier attempts left, and prints the shortest way there', () => {
    const [seed] = playSeeds(1, 200, 1, forgetful).broken;
    const output = describeFailure(seed ?? 0, forgetful);
    expect(output).toMatch(/^seed \d+: (once|known): /);
    expect(output.match(/^ {2}(fault|disruption) /gm)).toHaveLength(1);
    expect(output).toMatch(/^ +\d+\.\d\d s {2}cloud +accepts J1$/m);
  });
});
