import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { readRunFacts } from '../../../src/client/run-facts.js';

/** A server that knows the run, and of its targets only those that are given. */
function serverWith(targets: readonly string[], found: readonly string[]): Client {
  const describe = (workflowId: string) =>
    workflowId === 'run' || found.includes(workflowId)
      ? Promise.resolve({
          status: { name: 'RUNNING' },
          taskQueue: 'runbooks',
          startTime: new Date(0),
          staticSummary: () => Promise.resolve(undefined),
          raw: { pendingChildren: workflowId === 'run' ? targets.map((id) => ({ workflowId: id, runId: 'r' })) : [] },
        })
      : Promise.reject(new WorkflowNotFoundError('workflow not found', workflowId, 'r'));
  return {
    options: { namespace: 'default' },
    connection: { workflowService: { describeTaskQueue: () => Promise.resolve({ pollers: [] }) } },
    workflow: { getHandle: (workflowId: string) => ({ describe: () => describe(workflowId) }) },
  } as unknown as Client;
}

it('leaves out a target that the run has just begun and the server does not find yet', async () => {
  const idsOf = async (client: Client) =>
    (await readRunFacts(client, 'run', undefined)).workflows.map(({ workflowId }) => workflowId);
  expect(await idsOf(serverWith(['a', 'b'], ['b']))).toEqual(['run', 'b']);
  expect(await idsOf(serverWith(['a', 'b'], []))).toEqual(['run']);
});
