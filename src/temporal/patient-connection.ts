/** Connects a process that starts together with its Temporal server, as after a power cut, or before its new API key counts. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, ConnectionOptions } from '@temporalio/client';
import { isRefusal, reasonOf } from './calls.js';
import { ClosableConnection } from './connection.js';
import { readNamespace } from './read-namespace.js';

const ATTEMPTS = 10;
const PAUSE_MS = 1_000;
/** Chosen: a key in a file counts that long after it is accepted, at the latest. */
const LONGEST_PAUSE_MS = 15_000;
const TIMEOUT_MS = 2_000;

/** Temporal could not be reached within the attempts of a start, or refused the credentials each time. */
export class TemporalUnreachable extends Error {
  override readonly name = 'TemporalUnreachable';
}

/** Where Temporal is, for messages. */
export interface TemporalPlace {
  readonly address: string;
  readonly namespace: string;
  /** The proxy on the way; `null`: none. */
  readonly proxy: string | null;
}

/** An attempt that failed. */
export interface FailedAttempt {
  readonly attempt: number;
  /** After how many the process gives up; `null`: it waits until the file has a key that is accepted. */
  readonly of: number | null;
  readonly reason: string;
  readonly isRefused: boolean;
}

/**
 * Tries for about ten seconds, longer if attempts time out. If the credentials are refused and the key comes from a
 * file, it tries on until the file has one that is accepted.
 *
 * @param onFailed receives each attempt that failed
 * @param pauseMs between attempts
 * @throws TemporalUnreachable
 */
export async function connectPatiently(
  options: ConnectionOptions,
  place: TemporalPlace,
  onFailed: (failed: FailedAttempt) => void,
  pauseMs: number = PAUSE_MS,
): Promise<Connection> {
  // A refusal proves that Temporal is there, so the attempts are counted from one again.
  for (let attempt = 1, refusals = 0; ;) {
    try {
      return await connect(options, place);
    } catch (error) {
      const reason = reasonOf(error);
      const isRefused = isRefusal(error);
      if (isRefused && typeof options.apiKey === 'function') {
        onFailed({ attempt: ++refusals, of: null, reason, isRefused });
        attempt = 1;
        await delay(Math.min(pauseMs * refusals, LONGEST_PAUSE_MS));
      } else {
        onFailed({ attempt, of: ATTEMPTS, reason, isRefused });
        if (attempt++ === ATTEMPTS) throw new TemporalUnreachable(messageOf(place, reason, isRefused));
        await delay(pauseMs);
      }
    }
  }
}

/** Asks about the namespace as well: Temporal Cloud may accept a key and not give it this namespace. Only a refusal counts; whatever else is wrong shows where the namespace is used. */
async function connect(options: ConnectionOptions, { namespace }: TemporalPlace): Promise<Connection> {
  const connection = await ClosableConnection.connect({ ...options, connectTimeout: TIMEOUT_MS });
  try {
    await connection.withDeadline(Date.now() + TIMEOUT_MS, () => readNamespace(connection, namespace));
  } catch (error) {
    if (!isRefusal(error)) return connection;
    await connection.close();
    throw error;
  }
  return connection;
}

function messageOf({ address, namespace, proxy }: TemporalPlace, reason: string, isRefused: boolean): string {
  const way = proxy === null ? '' : ` through the proxy ${proxy}`;
  return isRefused
    ? `Temporal at ${address}${way} refuses the credentials for the namespace ${namespace}: ${reason}. Check the API key or the certificate, and TEMPORAL_NAMESPACE`
    : `Temporal at ${address}${way} cannot be reached: ${reason}. Check TEMPORAL_ADDRESS and the network`;
}
