import { describe, expect, it } from 'vitest';
import { firstPlainPollAfter, plainPollMs } from '../../../../src/domain/durations/plain-rule.js';

/** Counts how often `work` uses the number that it is given, as each step of a loop up to that number does. */
function stepsOf(work: (size: number) => number, size: number): number {
  let steps = 0;
  const counting = { valueOf: () => (steps++, size) };
  work(counting as unknown as number);
  return steps;
}

describe('the plain rule', () => {
  it('knows its first poll after any moment', () => {
    for (let polls = 0; polls < 40; polls++) {
      expect(firstPlainPollAfter(plainPollMs(polls))).toBe(polls + 1);
      expect(firstPlainPollAfter(plainPollMs(polls) - 0.01)).toBe(polls);
    }
    expect(firstPlainPollAfter(-1)).toBe(0);
  });

  it('takes as many steps after two days as after two minutes', () => {
    expect(stepsOf(firstPlainPollAfter, 2 * 86_400_000)).toBe(stepsOf(firstPlainPollAfter, 120_000));
    expect(stepsOf(plainPollMs, 34_560)).toBe(stepsOf(plainPollMs, 24));
  });
});
