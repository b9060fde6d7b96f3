import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { abortedAfter, orDeadline } from '../../../src/time/pause.js';

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('abortedAfter', () => {
  it('fires, also through AbortSignal.any, when nothing else references it', async () => {
    const signal = AbortSignal.any([new AbortController().signal, abortedAfter(30)]);
    collectGarbage();
    await delay(60);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('is collected after it has fired, although the context in which it was made reaches it', async () => {
    // AbortSignal.timeout is not, with Node 20.
    expect(await isCollected(abortedAfter)).toBe(true);
  });
});

/** As in an activity: the context of the call references the attempt, which references the signal. */
async function isCollected(make: (durationMs: number) => AbortSignal): Promise<boolean> {
  const context = new AsyncLocalStorage<{ signal?: AbortSignal }>();
  const seen = context.run({}, () => {
    const store = context.getStore() ?? {};
    store.signal = make(5);
    return new WeakRef(store.signal);
  });
  for (let tries = 0; tries < 10 && seen.deref() !== undefined; tries++) {
    await delay(20);
    collectGarbage();
  }
  return seen.deref() === undefined;
}

describe('orDeadline', () => {
  it('returns the result of the promise, or null once the deadline has passed', async () => {
    expect(await orDeadline(Promise.resolve('there'), Date.now() + 1_000)).toBe('there');
    expect(await orDeadline(delay(200, 'late'), Date.now() + 10)).toBeNull();
  });
});
