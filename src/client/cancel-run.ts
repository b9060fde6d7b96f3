/** Asks a run to stop. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { isOpen } from '../domain/run/workflow-status.js';
import { toClientError, type Calls } from '../temporal/calls.js';

/** Which run to cancel, and how. */
export interface CancelCall {
  readonly calls: Calls;
  readonly callTimeoutMs: number;
  readonly workflowId: string;
  readonly runId: string | undefined;
}

/** @returns `alreadyEnded` if there was nothing to stop. @throws RunNotFound, ServerUnreachable */
export async function cancelRun(call: CancelCall): Promise<'requested' | 'alreadyEnded'> {
  const { calls, callTimeoutMs, workflowId, runId } = call;
  const handle = calls.client.workflow.getHandle(workflowId, runId);
  try {
    const { status } = await calls.interruptible(callTimeoutMs, undefined, () => handle.describe());
    if (!isOpen(status.name)) return 'alreadyEnded';
  } catch (error) {
    throw toClientError(error, workflowId);
  }
  try {
    await calls.uninterruptible(callTimeoutMs, () => handle.cancel());
    return 'requested';
  } catch (error) {
    // It was there a moment ago, so it has just ended.
    if (error instanceof WorkflowNotFoundError) return 'alreadyEnded';
    throw toClientError(error, workflowId);
  }
}
