/** Calls of a soak to the server of Temporal. */
import { setTimeout as delay } from 'node:timers/promises';

const TRIES = 5;
const PAUSE_MS = 5_000;

/** On a machine that is busy with other work, the server may not answer in time, or deny for a moment that it has its namespace. */
export async function patiently<Value>(say: (line: string) => void, call: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === TRIES) throw error;
      say(`the server is asked again: ${reasonOf(error)}`);
      await delay(PAUSE_MS);
    }
  }
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
