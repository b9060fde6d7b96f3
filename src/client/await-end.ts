/** Waits for a workflow to end for as long as the server answers at all, and through short outages of it. */
import { ServerUnreachable } from '../temporal/errors.js';
import { Patience } from './patience.js';
import { grpcCodeOf, toClientError, type Calls } from '../temporal/calls.js';

/** Which workflow to wait for, and how. */
export interface WaitCall {
  readonly calls: Calls;
  readonly workflowId: string;
  readonly runId: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** How long the server may be unreachable, milliseconds. */
  readonly patienceMs: number;
}

/**
 * The server answers "not yet" after 20 s, or a second before the call's deadline if that is earlier
 * (`history.longPollExpirationInterval`, server 1.29). A poll whose deadline is twice as long fails only if
 * something is wrong.
 */
const POLL_MS = 40_000;
/** Limit of the call that checks whether the server answers at all. Chosen: longer than a server under load takes. */
const PROBE_MS = 20_000;
const PAUSE_MS = 500;
/** `HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT` of the Temporal API. */
const CLOSE_EVENT = 2;

/**
 * @returns what the workflow returned.
 * @throws WorkflowFailedError, RunNotFound, ServerUnreachable, ClientClosed, the signal's reason
 */
export async function awaitEnd(wait: WaitCall): Promise<unknown> {
  const { calls, workflowId, runId, signal, patienceMs } = wait;
  const patience = new Patience(patienceMs);
  const handle = calls.client.workflow.getHandle(workflowId, runId);
  for (;;) {
    try {
      const hasEnded = await poll(wait);
      patience.answered();
      // The SDK's own wait polls without a pause near a deadline, so it is used only after the workflow has ended.
      if (hasEnded) return await calls.interruptible(POLL_MS, signal, () => handle.result());
    } catch (error) {
      signal?.throwIfAborted();
      const why = toClientError(error, workflowId);
      if (grpcCodeOf(error) === null) throw why;
      // The run may have ended long before this call failed, and the probe's error explains better what is wrong.
      await probe(wait, patience);
      if (!(why instanceof ServerUnreachable)) throw why;
      await calls.pause(PAUSE_MS, signal);
    }
  }
}

/** @returns true if the workflow has ended, false if the server's own time for a poll passed first */
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

/**
 * Called after a failed poll. Resolves if the server answers, or may still be recovering.
 * @throws why the wait must end
 */
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
