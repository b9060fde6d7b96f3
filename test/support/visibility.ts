/** The listing of workflows lags behind what was started. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { TEST_QUEUE_PREFIX } from './temporal.js';
import { until } from './until.js';

/**
 * Resolves when every workflow that was started before is listed: once the listing has one that is started now, it has all that were
 * started earlier. @returns the id of that one, which is over
 */
export async function untilAllListed({ workflow }: Client): Promise<string> {
  const workflowId = `listed-last-${randomUUID()}`;
  await workflow.start('restart', { workflowId, taskQueue: `${TEST_QUEUE_PREFIX}listed`, args: [] });
  await workflow.getHandle(workflowId).terminate('nothing works on it');
  await until(async () => (await workflow.count(`WorkflowId = "${workflowId}"`)).count === 1);
  return workflowId;
}
