import { expect, describe, it } from 'vitest';
import { playCommands, playDecisions, playRetries, transcriptOf } from '../../model/exhaustive.js';

/** Chosen: a second for all; `npm run exhaustive` plays the rest. */
const EVERY_NTH = 32;
const EVERY_NTH_RETRY = 97;

describe('commands to a run, at a sample of its moments and of pairs of them', () => {
  it('keep their promises, and what a repeat or a refused command must not change stays the same', async () => {
    const { broken, counts } = await playCommands({ everyNth: EVERY_NTH });
    expect(broken).toEqual([]);
    for (const what of ['paused', 'pause repeated', 'resume accepted', 'abort accepted', 'abort repeated'])
      expect(counts[what], what).toBeGreaterThan(10);
  });

  it('can be printed step by step', async () => {
    const lines = await transcriptOf('recover/stop/action#1 +1 ms/pause + abort');
    expect(lines?.join('\n')).toMatch(/pause: accepted\n.*abort: accepted/);
    expect(lines?.at(-1)).toMatch(/^cancelled · stop succeeded/);
  });
});

describe('decisions about a step that a fault left blocked, in a sample of faults', () => {
  it('keep their promises, and what a repeat or a refused command must not change stays the same', async () => {
    const { broken, counts } = await playDecisions({ everyNth: EVERY_NTH });
    expect(broken).toEqual([]);
    for (const what of ['operator retryStep', 'operator skipStep', 'operator markSucceeded', 'retryStep repeated'])
      expect(counts[what], what).toBeGreaterThan(10);
  });
});

describe('a retry that a command or another fault disturbs, in a sample of faults', () => {
  it('keeps the promises, and ends as blocked if it is aborted before it sent anything', async () => {
    const { broken, counts, played } = await playRetries({ everyNth: EVERY_NTH_RETRY });
    expect(broken).toEqual([]);
    expect(played).toBeGreaterThan(500);
    for (const what of ['operator retryStep', 'paused', 'abort accepted'])
      expect(counts[what], what).toBeGreaterThan(10);
  });
});
