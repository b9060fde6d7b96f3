import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/domain/once/limits.js';
import * as product from '../../../src/domain/once/next.js';
import type { OnceRules } from '../../../src/domain/once/events.js';
import { playPairs, playSingles, transcriptOf, type SinglesEnd } from '../../model/exhaustive.js';
import type { Machine } from '../../model/world.js';

/** `npm run exhaustive` plays the rest. */
const SHARE = { restart: 3, recover: 30 };
/** A POST that is accepted at the end of its time limit, and whose cloud job shows at the end of the window. */
const LATEST = 'recover/stop/action#1/actLate + stop/cloud job#1/visibleAndShownLate';

describe('every fault at every request, in virtual time', () => {
  let end: SinglesEnd;
  beforeAll(async () => {
    end = await playSingles();
  });

  it('leads to the outcomes in exhaustive-outcomes.txt', () => {
    expect(end.different).toEqual([]);
  });

  it('breaks no promise', () => {
    expect(end.cases).toBeGreaterThan(1_300);
    expect(end.broken).toEqual([]);
  });
});

describe('every pair of faults', () => {
  it('breaks no promise, in the sample that is played here', async () => {
    const ends = await playPairs({ everyNth: SHARE });
    expect([...ends.keys()].sort()).toEqual(['recover', 'restart']);
    expect([...ends.values()].flatMap(({ broken }) => broken)).toEqual([]);
  });

  it('can be printed step by step', async () => {
    const lines = await transcriptOf(LATEST);
    expect(lines?.at(-1)).toMatch(/^succeeded · stop succeeded\/yes adopted/);
  });
});

describe('a machine that is broken on purpose', () => {
  it('is found by single faults if it mistakes a lost answer for a proof that nothing was sent', async () => {
    const machine: Machine = {
      ...product,
      next: (state, event, rules, nowMs) => {
        const isLost = event.kind === 'failed' && event.request === 'unknown';
        return product.next(state, isLost ? { ...event, request: 'no' } : event, rules, nowMs);
      },
    };
    const { broken, different } = await playSingles(false, machine);
    expect(broken.join('\n')).toContain('once: 1-restart was accepted 2 times');
    expect(different).not.toEqual([]);
  });

  it('is found only by a pair if it waits 1.5 s less than the visibility window and the margin', async () => {
    const machine = withShorterWindow(DEFAULT_LIMITS.marginMs + 1_500);
    expect((await playSingles(false, machine)).broken).toEqual([]);
    const ends = await playPairs({ first: 'recover/stop/action#1/actLate', machine });
    expect(ends.get('recover')?.broken).toEqual([
      expect.stringContaining(`${LATEST}: once: 1-stop was accepted 2 times`),
    ]);
  });
});

function withShorterWindow(byMs: number): Machine {
  const short = (rules: OnceRules): OnceRules => ({
    ...rules,
    limits: { ...rules.limits, visibilityWindowMs: rules.limits.visibilityWindowMs - byMs },
  });
  return {
    beginActing: (rules, facts, previous, nowMs) => product.beginActing(short(rules), facts, previous, nowMs),
    beginSettling: (rules, left, prior, nowMs) => product.beginSettling(short(rules), left, prior, nowMs),
    next: (state, event, rules, nowMs) => product.next(state, event, short(rules), nowMs),
  };
}
