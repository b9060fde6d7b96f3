/** Waits for the end of a workflow for as long as the server answers at all, and over an absence of it. */
import { ServerUnreachable } from '../temporal/errors.js';
import { Patience } from './patience.js';
import { grpcCodeOf, toClientError, type Calls } from '../temporal/calls.js';

export interface WaitCall {
  readonly calls: Calls;
  readonly workflowId: string;
  readonly runId: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** How long the server may be unreachable, milliseconds. */
  readonly patienceMs: number;
}

/**
 * The server answers "not yet" after 20 s, or a second before the deadline of the call where that is earlier
 * (`history.longPollExpirationInterval`, server 1.29): a poll whose deadline is twice as far fails only when something is wrong.
 */
const POLL_MS = 40_000;
/** Asks whether the server answers at all: chosen, longer than a server under load takes. */
const PROBE_MS = 20_000;
const PAUSE_MS = 500;
/** `HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT` of the Temporal API. */
const CLOSE_EVENT = 2;

/** @returns what the workflow returned. @throws WorkflowFailedError, RunNotFound, ServerUnreachable, ClientClosed, the signal's reason */
export async function awaitEnd(wait: WaitCall): Promise<unknown> {
  const { calls, workflowId, runId, signal, patienceMs } = wait;
  const patience = new Patience(patienceMs);
  const handle = calls.client.workflow.getHandle(workflowId, runId);
  for (;;) {
    try {
      const hasEnded = await poll(wait);
      patience.answered();
      // The SDK's own wait polls without a pause once a deadline is near, so it is asked only for what is there already.
      if (hasEnded) return await calls.interruptible(POLL_MS, signal, () => handle.result());
    } catch (error) {
      signal?.throwIfAborted();
      const why = toClientError(error, workflowId);
      if (grpcCodeOf(error) === null) throw why;
      // The run may be long over when this call failed, and another answer of the server says better what is wrong.
      await probe(wait, patience);
      if (!(why instanceof ServerUnreachable)) throw why;
      await calls.pause(PAUSE_MS, signal);
    }
  }
}

/** @returns whether the workflow has ended; `false` after the server's own time for a poll */
async function poll({ calls, workflowId, runId, signal }: WaitCall): Promise<boolean> {
  const { connection, options } = calls.client;
  const { history } = await calls.interruptible(POLL_MS, signal, () =>
    connection.workflowService.getWorkflowExecutionHistory({
      namespace: options.namespace,
      execution: { workflowId, ...(runId === undefined ? {} : { runId }) },
      waitNewEvent: true,
      historyEventFilterType: CLOSE_EVENT,
      skipArchival: true,
    }),
  );
  return (history?.events ?? []).length > 0;
}

/** A poll failed. Resolves while the server answers something else, or may still be away. @throws why this wait cannot go on */
async function probe({ calls, workflowId, runId, signal }: WaitCall, patience: Patience): Promise<void> {
  const askedAtMs = performance.now();
  try {
    await calls.interruptible(PROBE_MS, signal, () => calls.client.workflow.getHandle(workflowId, runId).describe());
    patience.answered();
  } catch (error) {
    signal?.throwIfAborted();
    const why = toClientError(error, workflowId);
    if (!(why instanceof ServerUnreachable) || patience.unanswered(askedAtMs, performance.now())) throw why;
  }
}
