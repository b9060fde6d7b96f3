/**
 * A rule against a real server: each alarm starts at most one run, whichever client delivers it, how often, and
 * whatever is killed.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, type Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { temporalAccess } from '../../src/activities/temporal-access.js';
import type { AlarmDecision } from '../../src/domain/alarms/alarm.js';
import { aRule, NO_BRAKES, sendUpdate } from '../support/alarms.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { withLead } from '../support/with-lead.js';

const temporal = useTemporal();
let stack: Stack;
let second: Connection;
beforeAll(async () => {
  stack = await startStack(temporal, {
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))],
    calendarDirectories: [fileURLToPath(new URL('../replay/calendars', import.meta.url))],
  });
  second = await ClosableConnection.connect({ address: temporal.address });
});
afterAll(async () => {
  await second.close();
  await stack.close();
});

const rule = () => aRule(temporal.client, temporal.taskQueue);
const kinds = (decisions: readonly AlarmDecision[]) => decisions.map(({ kind }) => kind);
const start = (target: string, more: object = {}) => ({
  runbook: 'restart',
  target,
  arguments: { targets: [], ...more },
});
const phase = async (workflowId: string) =>
  (await temporal.client.workflow.getHandle(workflowId).query<{ phase: string }>('progress')).phase;

describe.concurrent('an alarm', () => {
  it('that two clients deliver 50 times at once starts one run', async () => {
    const { instanceId, path } = await stack.newInstance();
    const one = rule();
    const other = aRule(new Client({ connection: second }), temporal.taskQueue, one.rule);
    const alarm = one.alarm({ target: path });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? one : other).decide([alarm])),
    );
    const decisions = answers.flat();
    expect(kinds(decisions).sort()).toEqual([...Array.from({ length: 49 }, () => 'repeated'), 'started']);
    expect(new Set(decisions.map(({ runId }) => runId)).size).toBe(1);
    const report = await stack.report(decisions[0]?.runId ?? '');
    expect(report).toMatchObject({
      outcome: 'succeeded',
      requestedBy: `alarm rule tests/${one.rule}`,
      reason: 'it hangs',
    });
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
    expect(kinds((await one.log()).map(({ decision }) => decision)).at(-1)).toBe('started');
  });

  it('that a rule has forgotten, because its workflow was ended, starts no second run, and its run continues', async () => {
    const { instanceId, path } = await stack.newInstance();
    const one = rule();
    const alarm = one.alarm({ target: path });
    const [first] = await one.decide([alarm]);
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    await temporal.client.workflow.getHandle(one.workflowId).terminate('by a test');
    expect((await stack.report(first?.runId ?? '')).outcome).toBe('succeeded');
    expect(await one.decide([alarm])).toMatchObject([{ kind: 'repeated', runId: first?.runId }]);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('that a run of the rule caused itself is busy, then cooling down', async () => {
    const { instanceId, path } = await stack.newInstance();
    const one = rule();
    const brakes = { coolDownMs: 3_600_000 };
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const [first] = await one.decide([one.alarm({ target: path })], brakes);
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    const made = one.alarm({ target: path, incident: 'made-by-restart' });
    expect(await one.decide([made], brakes)).toMatchObject([{ kind: 'busy', runId: first?.runId }]);
    await stack.control.finish(instanceId);
    await stack.report(first?.runId ?? '');
    expect(await one.decide([made], brakes)).toMatchObject([{ kind: 'coolingDown', runId: first?.runId }]);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('is held back by a run that somebody else started, once the listing shows it', async () => {
    const { path } = await stack.newInstance();
    const workflowId = await stack.start('restart', { targets: [path], freeze: ['for-ever'], waitAtMost: '1h' });
    await until(async () => (await phase(workflowId)) === 'waiting');
    const listed = async () => {
      const query = `RunbookTarget = '${path}'`;
      for await (const run of temporal.client.workflow.list({ query })) if (run.workflowId === workflowId) return true;
      return false;
    };
    await until(listed);
    const one = rule();
    expect(await one.decide([one.alarm({ target: path })], { coolDownMs: 60_000 })).toMatchObject([
      { kind: 'busy', runId: workflowId },
    ]);
    await temporal.client.workflow.getHandle(workflowId).cancel();
    await stack.report(workflowId);
    const closed = async () => (await one.decide([one.alarm({ target: path })], { coolDownMs: 60_000 }))[0]?.kind;
    await until(async () => (await closed()) !== 'busy');
    expect(await closed()).toBe('coolingDown');
  });
});

describe.concurrent('a debounce', () => {
  it('is called off by a resolution', async () => {
    const one = rule();
    await withLead(async (debounceMs) => {
      const { instanceId, path } = await stack.newInstance();
      const incident = `called-off-${debounceMs}`;
      const [waiting] = await one.decide([one.alarm({ target: path, incident })], { debounceMs });
      const [resolved] = await one.decide([one.alarm({ target: path, incident, status: 'resolved' })], { debounceMs });
      if (resolved?.kind === 'resolved') return false; // It had been due.
      expect(resolved).toMatchObject({ kind: 'calledOff' });
      // Another one that is due later has started.
      const other = await stack.newInstance();
      const [later] = await one.decide([one.alarm({ target: other.path, incident: `later-${debounceMs}` })], {
        debounceMs,
      });
      await until(async () => (await stack.accepted(other.instanceId)).length === 1);
      expect(later?.untilMs).toBeGreaterThanOrEqual(waiting?.untilMs ?? Infinity);
      await expect(temporal.client.workflow.getHandle(waiting?.runId ?? '').describe()).rejects.toThrow();
      expect(await stack.accepted(instanceId)).toEqual([]);
      return true;
    });
  });
});

describe.concurrent('a resolution that withdraws', () => {
  const brakes = { onResolved: 'withdraw' } as const;

  it('cancels a run that waits at a gate, and its report names who cancelled it', async () => {
    const { instanceId, path } = await stack.newInstance();
    const one = rule();
    const waits = start(path, { freeze: ['for-ever'], waitAtMost: '1h' });
    const [decision] = await one.decide([one.alarm({ start: waits })], brakes);
    const runId = decision?.runId ?? '';
    await until(async () => (await phase(runId)) === 'waiting');
    const resolved = one.alarm({ status: 'resolved', start: waits });
    expect(await one.decide([resolved], brakes)).toMatchObject([{ kind: 'withdrawn', runId }]);
    const report = await stack.report(runId);
    expect(report).toMatchObject({
      outcome: 'cancelled',
      notStarted: [path],
      withdrawnBy: `alarm rule tests/${one.rule}`,
    });
    expect(await stack.accepted(instanceId)).toEqual([]);
    expect(kinds(await one.decide([resolved], brakes))).toEqual(['resolved']);
  });

  it('does not cancel a run that has begun a target', async () => {
    const { instanceId, path } = await stack.newInstance();
    const one = rule();
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const [decision] = await one.decide([one.alarm({ target: path })], brakes);
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    await one.decide([one.alarm({ target: path, status: 'resolved' })], brakes);
    await stack.control.finish(instanceId);
    const report = await stack.report(decision?.runId ?? '');
    expect(report.outcome).toBe('succeeded');
    expect(report.withdrawnBy).toBeUndefined();
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });
});

describe.concurrent('a run that is withdrawn', () => {
  it('before its first task ends cancelled, with nothing begun', async () => {
    const { instanceId, path } = await stack.newInstance();
    const workflowId = `withdrawn-${randomUUID()}`;
    await temporal.client.workflow.signalWithStart('restart', {
      workflowId,
      taskQueue: temporal.taskQueue,
      args: [{ targets: [path] }],
      signal: 'withdraw',
      signalArgs: ['by hand'],
    });
    expect(await stack.report(workflowId)).toMatchObject({ outcome: 'cancelled', withdrawnBy: 'by hand', targets: [] });
    await expect(temporal.client.workflow.getHandle(workflowId).result()).rejects.toMatchObject({
      cause: { type: 'cancelled' },
    });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });
});

describe.concurrent('a listing that fails', () => {
  it('decides nothing and asks for the alarm to be sent again; waiting runs start once it answers', async () => {
    let fails = false;
    const taskQueue = `${temporal.taskQueue}-listing`;
    const access = temporalAccess(temporal.client);
    const findRuns: typeof access.findRuns = (asked) =>
      fails ? Promise.reject(new Error('the listing is unreachable')) : access.findRuns(asked);
    const other = await startStack(temporal, {
      worker: { taskQueue },
      dependencies: { temporal: { ...access, findRuns } },
    });
    await withLead(async (debounceMs) => {
      const { instanceId, path } = await other.newInstance();
      const one = aRule(temporal.client, taskQueue);
      const [waiting] = await one.decide([one.alarm({ target: path })], { debounceMs });
      fails = true;
      const request = { rule: one.rule, brakes: NO_BRAKES, alarms: [one.alarm({ incident: 'other' })] };
      const refusal = () =>
        sendUpdate(temporal.client, taskQueue, one.rule, request).then(
          () => null,
          (error: { cause?: unknown }) => error.cause,
        );
      // Where the machine is busy, it is the time limit of its listing at first.
      await until(async () => {
        const cause = await refusal();
        expect(cause).toMatchObject({ type: 'CommandRejected', nonRetryable: false });
        return cause instanceof Error && cause.message === 'Nothing was decided: the listing is unreachable';
      });
      const decided = await one.log();
      fails = false;
      if (decided.length > 1) return false; // It was due before the listing failed.
      expect(kinds(decided.map(({ decision }) => decision))).toEqual(['waiting']);
      await until(async () => (await one.log()).length === 2);
      expect((await other.report(waiting?.runId ?? '')).outcome).toBe('succeeded');
      expect(await other.accepted(instanceId)).toEqual(['restart']);
      return true;
    });
    await other.close();
  });
});

describe.concurrent('a rule whose history is full', () => {
  it('continues as new while alarms arrive: every alarm is decided, waiting runs are kept, and each run starts once', async () => {
    const one = rule();
    const { instanceId, path } = await stack.newInstance();
    const [waiting] = await one.decide([one.alarm({ target: path, incident: 'due-later' })], { debounceMs: 15_000 });
    await one.decide([one.alarm({ incident: 'kept' })], { debounceMs: 3_600_000 });
    const { runId: first } = await temporal.client.workflow.getHandle(one.workflowId).describe();
    // Dry targets: what is counted here are decisions, and runs that are refused at once are cheap.
    const alarms = Array.from({ length: 6 }, (_, index) => one.alarm({ incident: `i-${index}` }));
    const seen: AlarmDecision[][] = [];
    const fire = async () => {
      for (let sent = 0; sent < 120; sent++) seen.push(await one.decide(alarms, { debounceMs: 0 }));
    };
    await Promise.all(Array.from({ length: 5 }, fire));
    expect(seen).toHaveLength(600);
    expect((await temporal.client.workflow.getHandle(one.workflowId).describe()).runId).not.toBe(first);
    const { events } = await temporal.client.workflow.getHandle(one.workflowId, first).fetchHistory();
    const taken = events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes) ?? [];
    expect(taken.length).toBeGreaterThan(100);
    expect(taken.length).toBeLessThanOrEqual(500);
    expect(seen.flat().filter(({ kind }) => kind === 'started')).toHaveLength(6);
    expect(kinds(seen.flat()).filter((kind) => kind !== 'started' && kind !== 'repeated')).toEqual([]);
    expect(kinds(await one.decide([one.alarm({ incident: 'kept', status: 'resolved' })]))).toEqual(['calledOff']);
    // The log cannot show it: on a slow machine the run falls due while alarms arrive, and they fill the log of the
    // rule.
    const run = temporal.client.workflow.getHandle(waiting?.runId ?? '');
    const isStarted = () =>
      run.describe().then(
        () => true,
        () => false,
      );
    await until(isStarted);
    expect((await stack.report(waiting?.runId ?? '')).outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });
});

describe.concurrent('nonsense', () => {
  const alarm = aRule(null as never, '').alarm();
  it.each([
    ['nothing', undefined, 'the request must be an object'],
    ['a text', 'restart', 'the request must be an object'],
    ['another rule', { rule: 'other' }, 'this workflow decides for the rule'],
    ['no alarms', { alarms: [] }, 'alarms: 1 to 200'],
    ['too many alarms', { alarms: Array.from({ length: 201 }, () => alarm) }, 'alarms: 1 to 200'],
    ['an alarm of no status', { alarms: [{ ...alarm, status: 'ok' }] }, 'alarms.0.status: firing or resolved'],
    ['a hash that is none', { alarms: [{ ...alarm, episodeHash: 'x' }] }, 'alarms.0.episodeHash: 64 hex digits'],
    [
      'a long text',
      { alarms: [{ ...alarm, summary: 'x'.repeat(999) }] },
      'alarms.0.summary: text of at most 1000 bytes',
    ],
    ['no brakes', { brakes: null }, 'brakes: an object is expected'],
    ['a brake of no number', { brakes: { ...NO_BRAKES, coolDownMs: '10m' } }, 'brakes.coolDownMs: milliseconds'],
  ])('is rejected with a reason, and the rule continues: %s', async (_what, change, why) => {
    const one = rule();
    const request =
      typeof change === 'object' ? { rule: one.rule, brakes: NO_BRAKES, alarms: [alarm], ...change } : change;
    await expect(sendUpdate(temporal.client, temporal.taskQueue, one.rule, request)).rejects.toMatchObject({
      cause: { type: 'CommandRejected', nonRetryable: true, message: expect.stringContaining(why) as string },
    });
    expect(kinds(await one.decide([one.alarm({ start: { problem: 'no label' } })]))).toEqual(['noTarget']);
  });

  it('as a start is refused: a rule under an id that is not its own, or without a name', async () => {
    for (const args of [[], [null], ['x'], [{ owner: 'tests', rule: 'other' }]]) {
      const started = temporal.client.workflow.execute('alarmRule', {
        workflowId: `runbook-alarm-rule/tests/${randomUUID()}`,
        taskQueue: temporal.taskQueue,
        args,
      });
      await expect(started).rejects.toMatchObject({ cause: { type: 'InvalidStart' } });
    }
  });

  it('as a run under the id of a rule is refused', async () => {
    const { path } = await stack.newInstance();
    const id = `runbook-alarm-rule/tests/${randomUUID()}`;
    const report = await stack.report(await stack.start('restart', { targets: [path] }, id));
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidStart' } });
  });
});
