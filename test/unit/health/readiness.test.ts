/** Checks are asked as seldom as they allow, and a probe gets an answer in time. Virtual time. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Verdict } from '../../../src/health/checks.js';
import { ReadinessChecks } from '../../../src/health/readiness.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A check that counts how often it is asked. */
function counting(everyMs: number, answer: () => Verdict | Promise<Verdict>) {
  let asked = 0;
  const ask = () => {
    asked++;
    return answer();
  };
  return { check: { everyMs, ask }, asked: () => asked };
}

const fine: Verdict = { ok: true, reason: 'fine' };
const later = (ms: number, verdict: Verdict) =>
  new Promise<Verdict>((resolve) => setTimeout(() => resolve(verdict), ms));

async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  await vi.advanceTimersByTimeAsync(ms);
  return promise;
}

describe('a check', () => {
  it('is asked once in its interval, however often a probe comes', async () => {
    const { check, asked } = counting(10_000, () => fine);
    const readiness = new ReadinessChecks({ temporal: check });
    for (let second = 0; second < 60; second++) {
      expect(await readiness.read()).toEqual({ ready: true, checks: { temporal: fine } });
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(asked()).toBe(6);
  });

  it('is asked once for all who ask at the same time', async () => {
    const { check, asked } = counting(0, () => later(100, fine));
    const readiness = new ReadinessChecks({ temporal: check });
    await within(100, Promise.all([readiness.read(), readiness.read(), readiness.read()]));
    expect(asked()).toBe(1);
  });

  it('that hangs keeps no one waiting: first there is no answer, then what it found before', async () => {
    let hangs = true;
    const { check } = counting(1_000, () => (hangs ? later(3_600_000, fine) : fine));
    const readiness = new ReadinessChecks({ temporal: check });
    expect(await within(500, readiness.read())).toEqual({
      ready: false,
      checks: { temporal: { ok: false, reason: 'there is no answer yet' } },
    });
    const other = new ReadinessChecks({ temporal: check });
    hangs = false;
    expect((await other.read()).ready).toBe(true);
    hangs = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await within(500, other.read())).ready).toBe(true);
    await vi.advanceTimersByTimeAsync(30_000);
    expect((await within(500, other.read())).checks['temporal']).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^no answer for 3\d s$/),
    });
  });

  it('that throws is not ok, with its message on one line', async () => {
    const { check } = counting(0, () => {
      throw new Error('refused\u001b[2J\nby a stranger');
    });
    const { ready, checks } = await new ReadinessChecks({ temporal: check }).read();
    expect(ready).toBe(false);
    expect(checks['temporal']?.reason).not.toContain('\u001b');
    expect(checks['temporal']?.reason).not.toContain('\n');
  });
});

it('is ready only if every check is ok', async () => {
  const not: Verdict = { ok: false, reason: 'down' };
  const readiness = new ReadinessChecks({
    polls: { everyMs: 0, ask: () => fine },
    temporal: { everyMs: 0, ask: () => not },
  });
  expect(await readiness.read()).toEqual({ ready: false, checks: { polls: fine, temporal: not } });
});
