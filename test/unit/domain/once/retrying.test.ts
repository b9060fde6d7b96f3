import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureName } from '../../../../src/domain/failures.js';
import { describeRetrying, failedAgain, retryDelayMs, type Retrying } from '../../../../src/domain/once/retrying.js';
import { defaultLimits as limits } from '../../../support/build.js';

const HOUR_MS = 3_600_000;

/** Delays of a step that keeps failing in one way until its deadline. */
function delaysUntil(deadlineMs: number, failure: FailureName, firstDelayMs = limits.quietMs): number[] {
  const delays: number[] = [];
  for (let nowMs = 0; ;) {
    const leftMs = deadlineMs - nowMs;
    const delayMs = retryDelayMs({ failure, failures: delays.length + 1, firstDelayMs, leftMs, limits });
    if (nowMs + delayMs >= deadlineMs) return delays;
    delays.push(delayMs);
    nowMs += delayMs;
  }
}

describe('the delay before the next attempt', () => {
  it('doubles to its bound, and shrinks again towards the deadline', () => {
    expect(delaysUntil(5 * 60_000, 'Unreachable').map((ms) => Math.round(ms / 1_000))).toEqual([
      5, 10, 20, 30, 30, 30, 30, 30, 30, 30, 28, 14, 7, 5,
    ]);
  });

  it('allows fewer than 100 tries in eight minutes (once 443), with a quiet time of a second', () => {
    const quick = { ...limits, quietMs: 1_000 };
    let tries = 0;
    for (let nowMs = 0; nowMs < 8 * 60_000; tries++)
      nowMs += retryDelayMs({
        failure: 'Unreachable',
        failures: tries + 1,
        firstDelayMs: 1_000,
        leftMs: HOUR_MS,
        limits: quick,
      });
    expect(tries).toBeLessThan(100);
  });

  it('is short for failures that end soon', () => {
    expect(Math.max(...delaysUntil(HOUR_MS, 'TargetBusy', 10_000))).toBe(15_000);
    expect(Math.max(...delaysUntil(HOUR_MS, 'Unanswered'))).toBe(15_000);
  });

  it('is none at first for an expired token, and grows if the new one is refused as well', () => {
    expect(delaysUntil(HOUR_MS, 'Unreachable', 1).slice(0, 4)).toEqual([1, 10_000, 20_000, 30_000]);
  });

  it('is at most half of the time left, and never less than the first delay', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<FailureName>('Unreachable', 'Throttled', 'TargetBusy', 'Unanswered', 'UnreadableAnswer'),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 0, max: HOUR_MS }),
        (failure, failures, firstDelayMs, leftMs) => {
          const delayMs = retryDelayMs({ failure, failures, firstDelayMs, leftMs, limits });
          expect(delayMs).toBeGreaterThanOrEqual(firstDelayMs);
          expect(delayMs).toBeLessThanOrEqual(Math.max(firstDelayMs, leftMs / 2) + 1);
        },
      ),
    );
  });
});

describe('why a step is tried again', () => {
  const failed = (before: Retrying | undefined, reason: string, nowMs: number) =>
    failedAgain(before, { failure: 'Unreachable', reason, nowMs, untilMs: HOUR_MS });

  it('names the newest reason, since when and until when', () => {
    const first = failed(undefined, 'GET /a: ECONNREFUSED', 0);
    expect(describeRetrying(first)).toBe('GET /a: ECONNREFUSED (tried again until 1970-01-01T01:00:00Z)');
    expect(describeRetrying(failed(first, 'GET /b: 503', 60_000))).toBe(
      'GET /b: 503 (failed 2 times since 1970-01-01T00:00:00Z, tried again until 1970-01-01T01:00:00Z)',
    );
  });

  it('has a bound', () => {
    expect(Buffer.byteLength(describeRetrying(failed(undefined, '警'.repeat(5_000), 0)))).toBeLessThan(1_000);
  });
});
