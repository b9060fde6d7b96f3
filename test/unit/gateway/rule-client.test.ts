import { ApplicationFailure } from '@temporalio/common';
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import type { DecideRequest, RuleAlarm } from '../../../src/domain/alarms/alarm.js';
import { Calls } from '../../../src/temporal/calls.js';
import { decideAlarmsWith } from '../../../src/gateway/rule-client.js';
import { Undecided } from '../../../src/gateway/rule-batcher.js';
import { anAlarm, NO_BRAKES } from '../../support/alarms.js';

/** A server whose answers to an update and to the query for known problems come from the test. */
function aServer(
  update: (alarms: readonly RuleAlarm[]) => Promise<unknown>,
  known = () => Promise.resolve<unknown>([]),
) {
  const updates: (readonly RuleAlarm[])[] = [];
  const executeUpdateWithStart = (_name: string, { args: [{ alarms }] }: { args: [DecideRequest] }) => {
    updates.push(alarms);
    return update(alarms);
  };
  const client = {
    withDeadline: (_at: unknown, call: () => unknown) => call(),
    withAbortSignal: (_signal: unknown, call: () => unknown) => call(),
    workflow: { executeUpdateWithStart, getHandle: () => ({ query: known }) },
  };
  const calls = new Calls(client as unknown as Client);
  return { updates, decide: decideAlarmsWith({ calls, taskQueue: 'q', owner: 'team', timeoutMs: 1_000 }) };
}

const rejected = (nonRetryable: boolean, type = 'CommandRejected', message = 'the rule refuses') =>
  new WorkflowUpdateFailedError('Workflow Update failed', ApplicationFailure.create({ type, message, nonRetryable }));
const grpcError = (code: number) => Object.assign(new Error('no'), { code, details: 'no', metadata: {} });
const request = { rule: 'rule', brakes: NO_BRAKES, alarms: [anAlarm()] };

describe('an update that a rule does not accept', () => {
  it('and never will is not sent again', async () => {
    const { decide, updates } = aServer(() => Promise.reject(rejected(true)));
    await expect(decide(request)).rejects.toThrow(new Undecided('the rule refuses'));
    expect(updates).toHaveLength(1);
  });

  it('because the server finds it invalid is not sent again either', async () => {
    const { decide, updates } = aServer(() => Promise.reject(grpcError(3)));
    await expect(decide(request)).rejects.toThrow(Undecided);
    expect(updates).toHaveLength(1);
  });

  it('while the rule moves to a new execution is sent again, five times in all', async () => {
    const { decide, updates } = aServer(() => Promise.reject(rejected(false)));
    await expect(decide(request)).rejects.toThrow(new Undecided('the rule refuses'));
    expect(updates).toHaveLength(5);
  });

  it.each([
    ['because somebody ended the rule is sent to the next execution', 'AcceptedUpdateCompletedWorkflow'],
    ['by the server, since its worker dropped it, is sent again', 'UnprocessedUpdate'],
  ])('%s', async (_what, type) => {
    const { decide, updates } = aServer(() => Promise.reject(rejected(true, type)));
    await expect(decide(request)).rejects.toThrow(Undecided);
    expect(updates).toHaveLength(5);
  });
});

describe('alarms that count only if their firing is known', () => {
  const inCase = (incident: string) => anAlarm({ incident, status: 'resolved', onlyIfKnown: true });
  const decided = (kind: string, count: number) => Array.from({ length: count }, () => ({ kind }));

  it.each([
    ['was never started', () => Promise.reject(new WorkflowNotFoundError('not found', 'rule', undefined))],
    ['knows others', () => Promise.resolve(['others'])],
  ])('are not sent to a rule that %s', async (_what, known) => {
    const { decide, updates } = aServer(() => Promise.reject(grpcError(3)), known);
    expect(await decide({ ...request, alarms: [inCase('a'), inCase('b')] })).toEqual([null, null]);
    expect(updates).toEqual([]);
  });

  it('are sent to a rule that knows it, in order, and no more at once than an update may contain', async () => {
    const incidents = Array.from({ length: 500 }, (_, index) => `i-${index}`);
    const { decide, updates } = aServer(
      (alarms) => Promise.resolve(decided('calledOff', alarms.length)),
      () => Promise.resolve(incidents.slice(0, 250)),
    );
    const decisions = await decide({ ...request, alarms: incidents.map(inCase) });
    expect(decisions).toEqual([...decided('calledOff', 250), ...Array.from({ length: 250 }, () => null)]);
    expect(updates.map((alarms) => alarms.length)).toEqual([200, 50]);
  });

  it('are sent if their firing is in the same delivery', async () => {
    const { decide, updates } = aServer((alarms) => Promise.resolve(decided('waiting', alarms.length)));
    await decide({ ...request, alarms: [anAlarm({ incident: 'a' }), inCase('a'), inCase('b')] });
    expect(updates.map((alarms) => alarms.map(({ incident }) => incident))).toEqual([['a', 'a']]);
  });

  it('are not decided if the rule cannot answer', async () => {
    const { decide } = aServer(
      () => Promise.resolve([]),
      () => Promise.reject(grpcError(14)),
    );
    await expect(decide({ ...request, alarms: [inCase('a')] })).rejects.toThrow(Undecided);
  });
});
