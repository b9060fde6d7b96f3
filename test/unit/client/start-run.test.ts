/** Which runs a start attaches to, without a server. */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { expect, it } from 'vitest';
import { requireSameRun, startRun } from '../../../src/client/start-run.js';
import { Calls } from '../../../src/temporal/calls.js';

const REQUEST = { targets: ['shop/checkout/prod-1'] };

/** A namespace in which a run of this request has every id. */
function callWhereItRuns(on: { taskQueue: string }) {
  const input = { payloads: [defaultPayloadConverter.toPayload(REQUEST)] };
  const history = { events: [{ workflowExecutionStartedEventAttributes: { input } }] };
  const client = {
    options: {
      namespace: 'ops',
      loadedDataConverter: { payloadConverter: defaultPayloadConverter, payloadCodecs: [] },
    },
    connection: { workflowService: { getWorkflowExecutionHistory: async () => ({ history }) } },
    withDeadline: (_deadline: number, ask: () => Promise<unknown>) => ask(),
    withAbortSignal: (_signal: AbortSignal, ask: () => Promise<unknown>) => ask(),
    workflow: {
      start: () => Promise.reject(new WorkflowExecutionAlreadyStartedError('exists', 'incident-1', 'restart')),
      getHandle: () => ({ describe: async () => ({ type: 'restart', runId: 'run-1', ...on }) }),
    },
  };
  const calls = new Calls(client as unknown as Client);
  const given = { taskQueue: 'runbooks', runbook: 'restart', workflowId: 'incident-1', startArguments: REQUEST };
  return { ...given, calls, callTimeoutMs: 1_000, onExisting: 'attach' } as const;
}

it('the same request attaches to the run on its own task queue', async () => {
  const call = callWhereItRuns({ taskQueue: 'runbooks' });
  expect(await startRun(call)).toEqual({ workflowId: 'incident-1', runId: 'run-1', started: 'attached' });
});

it.each([startRun, requireSameRun])('no request attaches to a run of another project: %o', async (start) => {
  const error: unknown = await start(callWhereItRuns({ taskQueue: 'runbooks-eu' })).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'RunIdTaken', runId: 'run-1', differences: ['taskQueue'] });
  // What else it is belongs to that project.
  expect((error as Error).message).toBe(
    'The id incident-1 belongs to a workflow on another task queue; nothing was started. Choose another id',
  );
});
