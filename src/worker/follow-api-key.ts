/** Hands a new API key of Temporal to the native core of a worker, which keeps a copy. The pure-JavaScript client reveals the key for each call. */
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';

/** The key that the connection has, and where to read the one that counts. */
export interface FollowedKey {
  readonly given: string | undefined;
  /** A text does not change. */
  readonly current: string | (() => string) | undefined;
}

/** Chosen: the old key must stay valid for longer than this after the file has changed. */
const CHECK_EVERY_MS = 2_000;

/**
 * Follows a key that comes from a file, until the process ends; a key in a variable does not change.
 * @param everyMs how often it is compared. Default: 2 s
 * @returns ends it
 */
export function followApiKey(
  connection: Pick<NativeConnection, 'setApiKey'>,
  keys: FollowedKey,
  log: Pick<Logger, 'info' | 'warn'>,
  everyMs: number = CHECK_EVERY_MS,
): () => void {
  const { current: apiKey } = keys;
  if (typeof apiKey !== 'function') return () => {};
  let { given } = keys;
  const check = async () => {
    const key = apiKey();
    if (key === given) return;
    const before = given;
    given = key;
    try {
      await connection.setApiKey(key);
      log.info('the worker uses the new API key of Temporal');
    } catch (error) {
      // Tried again at the next check.
      given = before;
      log.warn({ error: String(error) }, 'the worker could not take the new API key of Temporal');
    }
  };
  const timer = setInterval(() => void check(), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
