/** Limits of requests that the HTTP client does not end. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { abortAfter } from '../../../src/network/overdue.js';

const LIMIT_MS = 1_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function begun() {
  const givenUp = new AbortController();
  let answer = (_text: string) => {};
  const request = new Promise<string>((resolve, reject) => {
    answer = resolve;
    givenUp.signal.addEventListener('abort', () => reject(new Error(String(givenUp.signal.reason))));
  });
  return { givenUp, answer, ended: abortAfter(request, LIMIT_MS, givenUp, 'too late') };
}

it('aborts a request that has no answer at its limit, with the reason', async () => {
  const { givenUp, ended } = begun();
  vi.advanceTimersByTime(LIMIT_MS - 1);
  await nextTurn();
  expect(givenUp.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  await expect(ended).rejects.toThrow('too late');
});

it('takes an answer that is read after the timers of the same turn, as when a frozen process wakes past the limit', async () => {
  const { givenUp, answer, ended } = begun();
  vi.advanceTimersByTime(10 * LIMIT_MS);
  expect(givenUp.signal.aborted).toBe(false);
  answer('accepted');
  await expect(ended).resolves.toBe('accepted');
  await nextTurn();
  expect(givenUp.signal.aborted).toBe(false);
});
