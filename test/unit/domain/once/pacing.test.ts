import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  nextHoldDelayMs,
  nextPollDelayMs,
  nextReadingDelayMs,
  plainPollMs,
} from '../../../../src/domain/once/pacing.js';

/** Times of all polls until a cloud job that takes `durationMs` is seen to have ended. */
function pollTimes(durationMs: number, usualDurationMs: number): number[] {
  const times: number[] = [];
  let nowMs = 0;
  while (times.at(-1) === undefined || (times.at(-1) ?? 0) < durationMs) {
    nowMs += nextPollDelayMs({ polls: times.length, followedForMs: nowMs, elapsedMs: nowMs, usualDurationMs });
    times.push(nowMs);
  }
  return times;
}

function plainPollsUntil(timeMs: number): number {
  let polls = 0;
  while (plainPollMs(polls) <= timeMs) polls++;
  return polls;
}

describe('polls of a cloud job', () => {
  it('are never more frequent than under the plain rule', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3_600_000 }),
        fc.integer({ min: 1, max: 3_600_000 }),
        (durationMs, usualDurationMs) => {
          const times = pollTimes(durationMs, usualDurationMs);
          return times.every((timeMs, index) => index + 1 <= plainPollsUntil(timeMs + 0.001));
        },
      ),
    );
  });

  it('are few for a cloud job of the usual duration, and at most a tenth late', () => {
    const times = pollTimes(20_000, 20_000);
    expect(times.length).toBeLessThanOrEqual(5);
    expect((times.at(-1) ?? 0) - 20_000).toBeLessThanOrEqual(2_000);
  });

  it('detect early that a cloud job ended at once', () => {
    expect(pollTimes(0, 40_000)[0]).toBeLessThanOrEqual(4_000);
  });

  it('become rarer after the usual duration, by a tenth of the elapsed time or 5 s', () => {
    const times = pollTimes(600_000, 30_000);
    const gaps = times.slice(1).map((timeMs, index) => ({ timeMs, gapMs: timeMs - (times[index] ?? 0) }));
    for (const { timeMs, gapMs } of gaps) expect(gapMs).toBeLessThanOrEqual(Math.max(15_000, 5_000, timeMs / 10) + 1);
    expect(times.length).toBeLessThan(plainPollsUntil(600_000) / 2);
  });

  it('begin soon for a cloud job that is taken over after its usual duration', () => {
    expect(nextPollDelayMs({ polls: 0, followedForMs: 0, elapsedMs: 60_000, usualDurationMs: 20_000 })).toBe(
      plainPollMs(0),
    );
  });
});

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
