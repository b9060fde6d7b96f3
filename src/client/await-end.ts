/** Waits for the end of a workflow, over an absence of the server. */
import { ServerUnreachable } from './errors.js';
import { named, ranOutOfTime, type Calls } from './temporal-calls.js';

export interface WaitCall {
  readonly calls: Calls;
  readonly workflowId: string;
  readonly runId: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** How long the server may be unreachable, milliseconds. */
  readonly patienceMs: number;
}

/** The server answers a wait every 20 s with "not yet"; a call that waits longer than this is made anew. */
const LONG_POLL_MS = 60_000;
const PAUSE_MS = 500;

/** @returns what the workflow returned. @throws WorkflowFailedError, RunNotFound, ServerUnreachable, ClientClosed, the signal's reason */
export async function awaitEnd({ calls, workflowId, runId, signal, patienceMs }: WaitCall): Promise<unknown> {
  let answeredAtMs = performance.now();
  for (;;) {
    const askedAtMs = performance.now();
    try {
      return await calls.within(LONG_POLL_MS, signal, () =>
        calls.client.workflow.getHandle(workflowId, runId).result(),
      );
    } catch (error) {
      signal?.throwIfAborted();
      const now = performance.now();
      // Only a wait that was answered all along can last its whole time: one that is not fails sooner, or is not answered now.
      if (ranOutOfTime(error) && now - askedAtMs > LONG_POLL_MS / 2) answeredAtMs = now;
      const told = named(error, workflowId);
      if (!(told instanceof ServerUnreachable) || now - answeredAtMs > patienceMs) throw told;
    }
    await calls.pause(PAUSE_MS, signal);
  }
}
