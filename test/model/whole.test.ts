/** What `npm test` plays a sample of, as a whole: more than a minute of CPU, so it is part of `npm run test:system`. */
import { describe, expect, it } from 'vitest';
import { MUTATIONS } from '../chaos/mutations.js';
import { firstBroken, withMutatedModel, withMutatedSuite } from './mutated-model.js';
import { APPROVAL_MUTATIONS } from './mutations-of-approvals.js';
import { STEERING_MUTATIONS } from './mutations-of-steering.js';
import { OPERATED, playOperated } from './operated-seeds.js';
import { runProgram } from './programs.js';

/** Far more than needed, so that a slow machine does not fail the test. */
const LONGEST_MS = 900_000;

it(
  'every case of the exhaustive suite ends as in its table and breaks no promise',
  { timeout: LONGEST_MS },
  async () => {
    const { exitCode, output } = await runProgram('run-exhaustive.ts');
    expect(output).toMatch(/^0 lines differ, 0 promises broken, /m);
    expect(exitCode).toBe(0);
  },
);

it('no retry is sent too early in 10,000 more interleavings', { timeout: LONGEST_MS }, () => {
  const { broken, counts } = playOperated(5_001, 15_000);
  expect(broken.slice(0, 10)).toEqual([]);
  for (const what of OPERATED) expect(counts[what], what).toBeGreaterThan(200);
});

describe('a product that is broken on purpose', () => {
  it.each(['baseline-ignored', 'unsent-from-nothing'])('is found by the model with %s', async (name) => {
    const [mutation] = MUTATIONS.filter((candidate) => candidate.name === name);
    const found = await withMutatedModel(mutation!, (mutant) => firstBroken(mutant, { most: 500 }));
    expect(found).not.toBeNull();
  });

  it('is found by the exhaustive suite if a command that comes again is carried out again', async () => {
    const [mutation] = STEERING_MUTATIONS.filter(({ name }) => name === 'repeat-commands-again');
    const { broken } = await withMutatedSuite(mutation!, (suite) => suite.playCommands({ everyNth: 32 }));
    expect(broken.join('\n')).toContain('once: pause with the key of before changes the run');
  });

  it('is found by the exhaustive suite if the requester may approve', async () => {
    const [mutation] = APPROVAL_MUTATIONS.filter(({ name }) => name === 'requester-may-approve');
    const { broken } = await withMutatedSuite(mutation!, (suite) => suite.playApprovals({ everyNth: 37 }));
    expect(broken.join('\n')).toContain('counts its requester');
  });
});
