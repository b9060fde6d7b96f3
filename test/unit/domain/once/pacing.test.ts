import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPollDelayMs, nextReadingDelayMs, plainPollMs } from '../../../../src/domain/once/pacing.js';

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
  it('happen at least twice in the time that a state must hold', () => {
    for (const readings of [0, 3, 10]) expect(nextReadingDelayMs(readings, 1_000)).toBeLessThanOrEqual(500);
    expect(nextReadingDelayMs(20, 60_000)).toBe(5_000);
  });
});
