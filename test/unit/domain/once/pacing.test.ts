import { describe, expect, it } from 'vitest';
import { nextReadingDelayMs } from '../../../../src/domain/once/pacing.js';

describe('readings of an instance', () => {
  it('happen at least twice in the time that a state must hold', () => {
    for (const readings of [0, 3, 10]) expect(nextReadingDelayMs(readings, 1_000)).toBeLessThanOrEqual(500);
    expect(nextReadingDelayMs(20, 60_000)).toBe(5_000);
  });
});
