/** The request budget on a clock that only the test moves. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestBudget } from '../../../src/servicestage/request-budget.js';

const LONG_MS = 60_000;

function budgetOf(requestsPerSecond: number, burst: number): RequestBudget {
  return new RequestBudget({ requestsPerSecond, burst, nowMs: () => Date.now() });
}

/** Notes the answer of a wait, so that a wait without one shows. */
function watched(wait: Promise<boolean>): { answer: boolean | 'waiting' } {
  const seen: { answer: boolean | 'waiting' } = { answer: 'waiting' };
  void wait.then((granted) => (seen.answer = granted));
  return seen;
}

describe('the request budget', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
  afterEach(() => void vi.useRealTimers());

  it('grants a burst at once, and the next request when it is due', async () => {
    const budget = budgetOf(10, 2);
    expect(await budget.acquire('read', LONG_MS)).toBe(true);
    expect(await budget.acquire('read', LONG_MS)).toBe(true);
    const third = watched(budget.acquire('read', LONG_MS));
    await vi.advanceTimersByTimeAsync(99);
    expect(third.answer).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1);
    expect(third.answer).toBe(true);
  });

  it('serves a POST before reads that waited longer, and reads in their order', async () => {
    const budget = budgetOf(10, 1);
    await budget.acquire('read', LONG_MS);
    const order: string[] = [];
    const waits = (['read', 'read', 'post', 'post'] as const).map(async (priority, index) => {
      await budget.acquire(priority, LONG_MS);
      order.push(`${priority} ${index}`);
    });
    await vi.advanceTimersByTimeAsync(400);
    await Promise.all(waits);
    expect(order).toEqual(['post 2', 'post 3', 'read 0', 'read 1']);
  });

  it('returns false if no place is free in time, and the place goes to the next caller', async () => {
    const budget = budgetOf(1, 1);
    await budget.acquire('read', LONG_MS);
    const impatient = watched(budget.acquire('post', 500));
    const patient = watched(budget.acquire('read', LONG_MS));
    await vi.advanceTimersByTimeAsync(500);
    expect(impatient.answer).toBe(false);
    await vi.advanceTimersByTimeAsync(500);
    expect(patient.answer).toBe(true);
  });

  it('rejects with the reason of the signal, and an aborted wait uses no place', async () => {
    const budget = budgetOf(1, 1);
    await budget.acquire('read', LONG_MS);
    const abort = new AbortController();
    const reason = new Error('shutting down');
    const aborted = expect(budget.acquire('post', LONG_MS, abort.signal)).rejects.toBe(reason);
    abort.abort(reason);
    await aborted;
    await expect(budget.acquire('post', LONG_MS, abort.signal)).rejects.toBe(reason);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await budget.acquire('read', 0)).toBe(true);
  });

  it('grants nothing for as long as a 429 asks, not even to callers that already wait', async () => {
    const budget = budgetOf(10, 1);
    await budget.acquire('read', LONG_MS);
    const waiting = watched(budget.acquire('post', LONG_MS));
    budget.closeFor(5_000);
    const later = watched(budget.acquire('read', LONG_MS));
    await vi.advanceTimersByTimeAsync(4_999);
    expect([waiting.answer, later.answer]).toEqual(['waiting', 'waiting']);
    await vi.advanceTimersByTimeAsync(1);
    expect(waiting.answer).toBe(true);
  });

  it('does not open sooner because of a later, shorter closing', async () => {
    const budget = budgetOf(10, 5);
    budget.closeFor(5_000);
    budget.closeFor(1_000);
    const waiting = watched(budget.acquire('read', LONG_MS));
    await vi.advanceTimersByTimeAsync(4_900);
    expect(waiting.answer).toBe('waiting');
  });

  it('serves a waiting caller when a place is returned', async () => {
    const budget = budgetOf(0.001, 1);
    await budget.acquire('post', LONG_MS);
    const waiting = watched(budget.acquire('post', LONG_MS));
    budget.giveBack();
    await vi.advanceTimersByTimeAsync(0);
    expect(waiting.answer).toBe(true);
  });

  it('never holds more places than the burst', async () => {
    const budget = budgetOf(0.001, 1);
    budget.giveBack();
    budget.giveBack();
    expect(await budget.acquire('read', LONG_MS)).toBe(true);
    const second = watched(budget.acquire('read', 100));
    await vi.advanceTimersByTimeAsync(100);
    expect(second.answer).toBe(false);
  });
});
