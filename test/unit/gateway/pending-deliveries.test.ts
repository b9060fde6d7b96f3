/** A delivery that takes longer than its sender waits is decided once, however often the sender repeats it. */
import { describe, expect, it } from 'vitest';
import type { Alarm } from '../../../src/domain/alarms/alarm.js';
import { deliveryKey, PendingDeliveries } from '../../../src/gateway/pending-deliveries.js';
import { Undecided } from '../../../src/gateway/rule-batcher.js';

/** Decisions that the test completes. */
function aDesk() {
  const pending = new PendingDeliveries<string>();
  const begun: { key: string; signal: AbortSignal; end(decided: string): void; fail(): void }[] = [];
  /** Aborts before the decision, as when the sender's time is over. */
  const tryOnce = async (key: string, isLate: boolean) => {
    const sender = new AbortController();
    const answer = pending.decide(
      () => key,
      sender.signal,
      (signal) =>
        new Promise((resolve, reject) => {
          begun.push({ key, signal, end: resolve, fail: () => reject(new Undecided('unreachable')) });
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    if (isLate) sender.abort(new Undecided('late'));
    return answer;
  };
  return { begun, tryOnce };
}

describe('a late delivery', () => {
  it('is decided once, and its repetition gets that answer', async () => {
    const { begun, tryOnce } = aDesk();
    for (const _try of [1, 2, 3]) await expect(tryOnce('a', true)).rejects.toThrow('late');
    expect(begun).toHaveLength(1);
    begun[0]?.end('decided');
    expect(await tryOnce('a', false)).toBe('decided');
    const again = tryOnce('a', false);
    expect(begun).toHaveLength(2);
    begun[1]?.end('decided again');
    expect(await again).toBe('decided again');
  });

  it('is decided again if the first attempt failed', async () => {
    const { begun, tryOnce } = aDesk();
    await expect(tryOnce('a', true)).rejects.toThrow('late');
    begun[0]?.fail();
    await new Promise(setImmediate);
    const again = tryOnce('a', false);
    begun[1]?.end('decided');
    expect(await again).toBe('decided');
  });

  it('does not answer a different delivery, nor one that was in time', async () => {
    const { begun, tryOnce } = aDesk();
    await expect(tryOnce('a', true)).rejects.toThrow('late');
    const others = [tryOnce('b', false), tryOnce('b', false)];
    expect(begun.map(({ key }) => key)).toEqual(['a', 'b', 'b']);
    for (const each of begun) each.end('decided');
    expect(await Promise.all(others)).toEqual(['decided', 'decided']);
  });

  it('is given up if more than 50 wait', async () => {
    const { begun, tryOnce } = aDesk();
    for (let index = 0; index < 51; index++) await expect(tryOnce(`${index}`, true)).rejects.toThrow('late');
    expect(begun.filter(({ signal }) => signal.aborted).map(({ key }) => key)).toEqual(['0']);
  });
});

describe('the key of a delivery', () => {
  const alarm: Alarm = {
    sender: 'prod',
    name: 'cpu',
    status: 'resolved',
    episode: 'a 1',
    incident: 'a',
    atMs: 1_000,
    labels: { a: 'b' },
    summary: '',
  };
  const key = (change: Partial<Alarm>, receivedAtMs = 5_000, notes: string[] = []) =>
    deliveryKey('prod', { alarms: [{ ...alarm, ...change }], notes }, receivedAtMs);

  it('differs between senders, even if there are only notes', () => {
    const prose = { alarms: [], notes: ['an alarm that came as prose'] };
    expect(deliveryKey('a', prose, 1)).not.toBe(deliveryKey('b', prose, 1));
  });

  it('is the same for a repetition, even if its alarms have only the time of reading', () => {
    expect(key({}, 9_000)).toBe(key({}));
    expect(key({ atMs: 9_000 }, 9_000)).toBe(key({ atMs: 5_000 }));
  });

  it.each<Partial<Alarm>>([
    { sender: 'other' },
    { status: 'firing' },
    { episode: 'a 2' },
    { incident: 'b' },
    { atMs: 1_001 },
    { labels: { a: 'c' } },
    { labels: {} },
  ])('differs with %j', (change) => {
    expect(key(change)).not.toBe(key({}));
  });

  it('differs with other notes', () => {
    expect(key({}, 5_000, ['a'])).not.toBe(key({}));
  });
});
