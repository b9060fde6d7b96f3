/** Whether a cancel has reached a workflow, so that what a test does next happens after the cancel. */
import type { Client } from '@temporalio/client';

/** The workflow of a target is cancelled later than its run. */
export async function isCancelRequested(client: Client, workflowId: string): Promise<boolean> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes != null) ?? false;
}
