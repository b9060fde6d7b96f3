/** Waiting that ends at a deadline, or when a signal is aborted. */
import { setTimeout as delay } from 'node:timers/promises';

/** Node's longest timer, milliseconds: it fires a longer one at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits. @throws the signal's own reason, at once, when the signal is aborted */
export async function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  try {
    await delay(durationMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    // Node rejects with its own AbortError; Temporal needs the reason (temporal cancellation, shutdown, pause).
    signal?.throwIfAborted();
    throw error;
  }
}

/** The promise's own end, or `null` once the deadline has passed. The promise itself continues. */
export async function orDeadline<Value>(promise: Promise<Value>, deadlineAtMs: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), Math.max(0, deadlineAtMs - Date.now()));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The promise's own end, or the signal's reason, whichever comes first. The promise itself continues, for others who wait for it. */
export async function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
