/** Connects a process that starts together with its Temporal server, as after a power cut. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, ConnectionOptions } from '@temporalio/client';
import { ClosableConnection } from './connection.js';

const ATTEMPTS = 10;
const DELAY_MS = 1_000;
const TIMEOUT_MS = 2_000;

/** Temporal could not be reached within the attempts of a start. */
export class TemporalUnreachable extends Error {
  override readonly name = 'TemporalUnreachable';
}

/** Where Temporal is, for messages. */
export interface TemporalPlace {
  readonly address: string;
  /** The proxy on the way; `null`: none. */
  readonly proxy: string | null;
}

/** An attempt that failed, `attempt` of `of`. */
export interface FailedAttempt {
  readonly attempt: number;
  readonly of: number;
  readonly reason: string;
}

/**
 * Tries for about ten seconds, longer if attempts time out.
 *
 * @param onFailed receives each attempt that failed
 * @throws TemporalUnreachable
 */
export async function connectPatiently(
  options: ConnectionOptions,
  { address, proxy }: TemporalPlace,
  onFailed: (failed: FailedAttempt) => void,
): Promise<Connection> {
  let reason = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      return await ClosableConnection.connect({ ...options, connectTimeout: TIMEOUT_MS });
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      onFailed({ attempt, of: ATTEMPTS, reason });
      if (attempt < ATTEMPTS) await delay(DELAY_MS);
    }
  }
  const way = proxy === null ? '' : ` through the proxy ${proxy}`;
  throw new TemporalUnreachable(
    `Temporal at ${address}${way} cannot be reached: ${reason}. Check TEMPORAL_ADDRESS and the network`,
  );
}
