/** The key of a command: the server answers a whole command that it knows; a key that comes with another command reaches the workflow. */
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { commandRun, decideApproval, type ApprovalRequest } from '../../../src/client/send-command.js';
import { Calls } from '../../../src/temporal/calls.js';

const APPROVAL: ApprovalRequest = {
  actor: 'ann',
  reason: 'seen',
  key: 'CHG-1',
  step: 'restart',
  planHash: 'h'.repeat(64),
};

/** The ids under which the commands were sent. */
async function idsOf(send: (call: { calls: Calls; callTimeoutMs: number; workflowId: string }) => Promise<unknown>[]) {
  const ids: string[] = [];
  const client = {
    workflow: {
      getHandle: () => ({
        executeUpdate: (_name: string, { updateId }: { updateId: string }) => Promise.resolve(ids.push(updateId)),
      }),
    },
    withDeadline: (_deadline: unknown, call: () => unknown) => call(),
  } as unknown as Client;
  await Promise.all(send({ calls: new Calls(client), callTimeoutMs: 1_000, workflowId: 'run' }));
  return ids;
}

it('sends the same command under the same id', async () => {
  const ids = await idsOf((call) => [
    decideApproval(call, 'approve', APPROVAL),
    decideApproval(call, 'approve', { ...APPROVAL }),
  ]);
  expect(new Set(ids).size).toBe(1);
});

it.each([
  ['person', { actor: 'bob' }],
  ['step', { step: 'scale' }],
  ['target', { target: 'shop/checkout/prod-1' }],
  ['key', { key: 'CHG-2' }],
])('sends the same command of another %s under another id, so that its key is judged', async (_what, other) => {
  const ids = await idsOf((call) => [
    decideApproval(call, 'approve', APPROVAL),
    decideApproval(call, 'approve', { ...APPROVAL, ...other }),
  ]);
  expect(new Set(ids).size).toBe(2);
});

it('takes no two commands without a key for one', async () => {
  const pause = { actor: 'ann', reason: 'slow' };
  const ids = await idsOf((call) => [commandRun(call, 'pause', pause), commandRun(call, 'pause', pause)]);
  expect(new Set(ids).size).toBe(2);
});
