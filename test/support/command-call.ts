/** A call of a command whose update is answered here, instead of by a run on a server. */
import type { Client } from '@temporalio/client';
import type { CommandCall } from '../../src/client/send-command.js';
import { Calls } from '../../src/temporal/calls.js';

/** @param answer receives the id of each update */
export function commandCall(answer: (updateId: string) => Promise<unknown>): CommandCall {
  const client = {
    workflow: {
      getHandle: () => ({
        executeUpdate: (_name: string, { updateId }: { updateId: string }) => answer(updateId),
      }),
    },
    withDeadline: (_deadline: unknown, call: () => unknown) => call(),
  } as unknown as Client;
  return { calls: new Calls(client), callTimeoutMs: 1_000, workflowId: 'run' };
}
