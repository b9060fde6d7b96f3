import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { Calls } from '../../../src/client/temporal-calls.js';
import { decideAlarmsWith } from '../../../src/gateway/decide-alarms.js';
import { Undecided } from '../../../src/gateway/rule-queue.js';
import { anAlarm, NO_BRAKES } from '../../support/alarms.js';

/** A server on which each update comes out as the test says. */
function aServer(update: () => Promise<unknown>) {
  const updates: string[] = [];
  const executeUpdateWithStart = () => {
    updates.push('withStart');
    return update();
  };
  const client = {
    withDeadline: (_at: unknown, call: () => unknown) => call(),
    withAbortSignal: (_signal: unknown, call: () => unknown) => call(),
    workflow: { executeUpdateWithStart },
  };
  const calls = new Calls(client as unknown as Client);
  return { updates, decide: decideAlarmsWith({ calls, taskQueue: 'q', owner: 'team', timeoutMs: 1_000 }) };
}

const rejected = (nonRetryable: boolean, type = 'CommandRejected') =>
  new WorkflowUpdateFailedError(
    'Workflow Update failed',
    ApplicationFailure.create({ type, message: 'the rule says no', nonRetryable }),
  );
const grpcError = (code: number) => Object.assign(new Error('no'), { code, details: 'no', metadata: {} });
const request = { rule: 'rule', brakes: NO_BRAKES, alarms: [anAlarm()] };

describe('what a rule does not take', () => {
  it('and never will is not sent to it again', async () => {
    const { decide, updates } = aServer(() => Promise.reject(rejected(true)));
    await expect(decide(request)).rejects.toThrow(new Undecided('the rule says no'));
    expect(updates).toHaveLength(1);
  });

  it('since the server holds it for nonsense is not sent again either', async () => {
    const { decide, updates } = aServer(() => Promise.reject(grpcError(3)));
    await expect(decide(request)).rejects.toThrow(Undecided);
    expect(updates).toHaveLength(1);
  });

  it('while it goes on in a new execution is sent again, five times in all', async () => {
    const { decide, updates } = aServer(() => Promise.reject(rejected(false)));
    await expect(decide(request)).rejects.toThrow(new Undecided('the rule says no'));
    expect(updates).toHaveLength(5);
  });

  it('since somebody ended it is sent to the next one', async () => {
    const { decide, updates } = aServer(() => Promise.reject(rejected(true, 'AcceptedUpdateCompletedWorkflow')));
    await expect(decide(request)).rejects.toThrow(Undecided);
    expect(updates).toHaveLength(5);
  });
});
