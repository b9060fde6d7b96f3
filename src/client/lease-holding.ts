/** Reads which run acts on an instance: the parent of the workflow that is the instance's lease. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { isOpen } from '../domain/run/workflow-status.js';
import { leaseId, type Target } from '../domain/target/target.js';

/** A lease that is held. */
export interface LeaseHolding {
  /** Workflow id of the run that holds it; `null` if the run is not known. */
  readonly workflowId: string | null;
  /** Since when, epoch milliseconds. */
  readonly sinceMs: number;
}

/** Returns `null` if no run holds it. @throws what the call throws */
export async function readHolder(
  client: Client,
  instance: Pick<Target, 'projectId' | 'instanceId'>,
): Promise<LeaseHolding | null> {
  try {
    const { status, startTime, parentExecution } = await client.workflow.getHandle(leaseId(instance)).describe();
    if (!isOpen(status.name)) return null;
    return { workflowId: parentExecution?.workflowId ?? null, sinceMs: startTime.getTime() };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
