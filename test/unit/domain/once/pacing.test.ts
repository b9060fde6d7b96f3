import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPollDelayMs, nextReadingDelayMs, plainPollMs } from '../../../../src/domain/once/pacing.js';

/** Times of all polls until a cloud job that takes `durationMs` is seen to have ended. */
function pollsUntil(durationMs: number, usualDurationMs: number): number[] {
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

describe('polls at a cloud job', () => {
  it('are never more than the plain rule makes, at any time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3_600_000 }),
        fc.integer({ min: 1, max: 3_600_000 }),
        (durationMs, usualDurationMs) => {
          const times = pollsUntil(durationMs, usualDurationMs);
          return times.every((timeMs, index) => index + 1 <= plainPollsUntil(timeMs + 0.001));
        },
      ),
    );
  });

  it('are few for a cloud job of the usual duration, and not late by more than a tenth', () => {
    const times = pollsUntil(20_000, 20_000);
    expect(times.length).toBeLessThanOrEqual(5);
    expect((times.at(-1) ?? 0) - 20_000).toBeLessThanOrEqual(2_000);
  });

  it('see early that a cloud job ended at once', () => {
    expect(pollsUntil(0, 40_000)[0]).toBeLessThanOrEqual(4_000);
  });

  it('grow apart after the usual duration, by a tenth of the elapsed time or 5 s', () => {
    const times = pollsUntil(600_000, 30_000);
    const gaps = times.slice(1).map((timeMs, index) => ({ timeMs, gapMs: timeMs - (times[index] ?? 0) }));
    for (const { timeMs, gapMs } of gaps) expect(gapMs).toBeLessThanOrEqual(Math.max(15_000, 5_000, timeMs / 10) + 1);
    expect(times.length).toBeLessThan(plainPollsUntil(600_000) / 2);
  });

  it('begin soon for a cloud job taken over after its usual duration', () => {
    expect(nextPollDelayMs({ polls: 0, followedForMs: 0, elapsedMs: 60_000, usualDurationMs: 20_000 })).toBe(
      plainPollMs(0),
    );
  });
});

describe('readings of an instance', () => {
  it('fall at least twice into the time a state must hold', () => {
    for (const readings of [0, 3, 10]) expect(nextReadingDelayMs(readings, 1_000)).toBeLessThanOrEqual(500);
    expect(nextReadingDelayMs(20, 60_000)).toBe(5_000);
  });
});
