/** Whether a cancel has come to a workflow: what a test does after that, the workflow finds with the cancel before it. */
import type { Client } from '@temporalio/client';

/** For the workflow of a target this comes later than for the run that was cancelled. */
export async function isCancelRequested(client: Client, workflowId: string): Promise<boolean> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes != null) ?? false;
}
