/** Calls of activities to Temporal end in time, whatever the server does. */
import type { Client } from '@temporalio/client';

/** Of one call, its retries included. Chosen: below the time that a worker which stops waits for its activities (`worker.ts`). */
const CALL_MS = 10_000;

/** Every request that the call makes has ended 10 s from now. */
export function inTime<Answer>(client: Client, call: () => Promise<Answer>): Promise<Answer> {
  return client.withDeadline(Date.now() + CALL_MS, call);
}
