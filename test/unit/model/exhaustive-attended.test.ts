import { describe, expect, it } from 'vitest';
import { playApprovals, playChecks, playResumes } from '../../model/exhaustive.js';

/** Chosen: a second for all; `npm run exhaustive` plays the rest. */
const EVERY_NTH = 37;

describe('approvals at each place of a run, in a sample of its moments', () => {
  it('end as the votes say, and nothing is sent before', async () => {
    const { broken, counts, played } = await playApprovals({ everyNth: EVERY_NTH });
    expect(broken).toEqual([]);
    expect(played).toBeGreaterThan(500);
    for (const what of ['approval approved', 'approval rejected', 'approval expired', 'approve repeated'])
      expect(counts[what], what).toBeGreaterThan(10);
  });
});

it('checks at each place of a run hold back what comes after them if they fail', async () => {
  const { broken, counts } = await playChecks({ everyNth: EVERY_NTH });
  expect(broken).toEqual([]);
  for (const what of ['check succeeded', 'check failed']) expect(counts[what], what).toBeGreaterThan(10);
});

it('runs that resume what a fault or an abort left repeat nothing', async () => {
  const { broken, counts } = await playResumes({ everyNth: EVERY_NTH });
  expect(broken).toEqual([]);
  for (const what of ['resumed', 'resume refused: step-indeterminate']) expect(counts[what], what).toBeGreaterThan(10);
});
