/** A wait continues after a failed poll as long as the server answers at all. */
import type { Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { awaitEnd } from '../../../src/client/await-end.js';
import { Calls } from '../../../src/temporal/calls.js';

/** Polls fail with `code` as often as given, then the run has ended. A describe answers. */
function waitFor(code: number, failures: number, patienceMs = 60_000): Promise<unknown> {
  let polls = 0;
  const error = Object.assign(new Error('odd'), { code, details: 'odd', metadata: {} });
  const client = {
    options: { namespace: 'default' },
    withDeadline: (_deadline: number, call: () => unknown) => call(),
    withAbortSignal: (_signal: AbortSignal, call: () => unknown) => call(),
    connection: {
      workflowService: {
        getWorkflowExecutionHistory: async () => {
          if (polls++ < failures) throw error;
          return { history: { events: [{}] } };
        },
      },
    },
    workflow: { getHandle: () => ({ describe: async () => ({}), result: async () => 'done' }) },
  };
  const calls = new Calls(client as unknown as Client);
  return awaitEnd({ calls, workflowId: 'w', runId: undefined, signal: undefined, patienceMs });
}

// Side by side: each wait pauses for half a second between its polls.
describe.concurrent('a poll that is answered', () => {
  it.each([
    ['CANCELLED', 1],
    ['UNKNOWN', 2],
    ['DEADLINE_EXCEEDED', 4],
    ['RESOURCE_EXHAUSTED', 8],
    ['ABORTED', 10],
    ['OUT_OF_RANGE', 11],
    ['INTERNAL', 13],
    ['UNAVAILABLE', 14],
    ['DATA_LOSS', 15],
  ])('%s is asked again', async (_name, code) => {
    expect(await waitFor(code, 2)).toBe('done');
  });

  it.each([
    ['INVALID_ARGUMENT', 3],
    ['NOT_FOUND', 5],
    ['PERMISSION_DENIED', 7],
    ['UNIMPLEMENTED', 12],
    ['UNAUTHENTICATED', 16],
  ])('%s ends the wait, because the answer would not change', async (_name, code) => {
    await expect(waitFor(code, 1)).rejects.toThrow();
  });
});
