/** The native core keeps a copy of the API key: it is given each new one, and again if it did not take it. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { followApiKey } from '../../../src/worker/follow-api-key.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const log = { info: () => {}, warn: () => {} };

it('gives each new key once', async () => {
  const file = { key: 'one' };
  const given: string[] = [];
  const stop = followApiKey(
    { setApiKey: async (key) => void given.push(key) },
    { given: 'one', current: () => file.key },
    log,
  );
  await vi.advanceTimersByTimeAsync(10_000);
  file.key = 'two';
  await vi.advanceTimersByTimeAsync(10_000);
  expect(given).toEqual(['two']);
  stop();
  file.key = 'three';
  await vi.advanceTimersByTimeAsync(10_000);
  expect(given).toEqual(['two']);
});

it('tries again with a key that was not taken', async () => {
  let tries = 0;
  const setApiKey = async () => {
    if (++tries === 1) throw new Error('not now');
  };
  const stop = followApiKey({ setApiKey }, { given: 'one', current: () => 'two' }, log);
  await vi.advanceTimersByTimeAsync(10_000);
  stop();
  expect(tries).toBe(2);
});

it('leaves a key in a variable alone', () => {
  followApiKey({ setApiKey: () => expect.fail() }, { given: 'one', current: 'one' }, log);
  expect(vi.getTimerCount()).toBe(0);
});
