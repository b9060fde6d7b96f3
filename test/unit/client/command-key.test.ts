/** The key of a command: the server answers a whole command that it knows; a key that comes with another command reaches the workflow. */
import { expect, it } from 'vitest';
import {
  commandRun,
  decideApproval,
  type ApprovalRequest,
  type CommandCall,
} from '../../../src/client/send-command.js';
import { commandCall } from '../../support/command-call.js';

const APPROVAL: ApprovalRequest = {
  actor: 'ann',
  reason: 'seen',
  key: 'CHG-1',
  step: 'restart',
  planHash: 'h'.repeat(64),
};

/** The ids under which the commands were sent. */
async function idsOf(send: (call: CommandCall) => Promise<unknown>[]) {
  const ids: string[] = [];
  await Promise.all(send(commandCall((updateId) => Promise.resolve(ids.push(updateId)))));
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
