import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextHoldDelayMs, nextReadingDelayMs } from '../../../../src/domain/once/pacing.js';

describe('readings of an instance', () => {
  it('come fast at first, while it has not reached its desired state, and then every 5 s', () => {
    const gaps = Array.from({ length: 20 }, (_each, readings) => nextReadingDelayMs(readings));
    expect(gaps[0]).toBe(125);
    expect(gaps).toEqual(gaps.toSorted((left, right) => left - right));
    expect(gaps.at(-1)).toBe(5_000);
  });

  it('are three in a hold of 10 s: at its start, its middle and its end', () => {
    expect(holdReadings(10_000)).toEqual([0, 5_000, 10_000]);
  });

  it('are at least two and at most 21 in any hold, the last one at its end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 3_600_000 }), (stableMs) => {
        const times = holdReadings(stableMs);
        expect(times.length).toBeGreaterThanOrEqual(2);
        expect(times.length).toBeLessThanOrEqual(stableMs <= 10_000 ? 4 : 22);
        expect(times.at(-1)).toBeGreaterThanOrEqual(stableMs);
        expect(times.at(-1)).toBeLessThan(stableMs + 20);
      }),
    );
  });

  it('are repeated after the end of a hold, not at once, if the last one failed', () => {
    expect(nextHoldDelayMs(10_000, 10_000)).toBe(5_000);
    expect(nextHoldDelayMs(12_000, 10_000)).toBe(5_000);
  });
});

/** When an instance is read while its state holds, from the first reading that shows it. */
function holdReadings(stableMs: number): number[] {
  const times = [0];
  for (let heldForMs = 0; heldForMs < stableMs; times.push(heldForMs))
    heldForMs += nextHoldDelayMs(heldForMs, stableMs);
  return times;
}
