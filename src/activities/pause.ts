/** Waiting inside an activity: a delay that ends at once, with the signal's own reason, when the signal is aborted. */
import { setTimeout as delay } from 'node:timers/promises';

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
