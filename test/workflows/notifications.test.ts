/** Runs that notify: each event against a receiver that records it. No receiver changes or delays what a run does. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { PROGRESS_QUERY } from '../../src/domain/contract.js';
import { NOTIFY_LIMITS } from '../../src/domain/notifications/delivery.js';
import type { Notification } from '../../src/domain/notifications/notification.js';
import type { RunProgress, TargetProgress } from '../../src/domain/report/progress.js';
import { leaseId } from '../../src/domain/target/target.js';
import { createNotifier } from '../../src/notifications/notifier.js';
import { webhook } from '../notifications/webhooks.js';
import { firedTimers, startQuickly } from '../support/quick-runs.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until, untilFound } from '../support/until.js';
import { withLead } from '../support/with-lead.js';

interface Message {
  readonly webhook: string;
  readonly type: string;
  readonly id: string;
  readonly data: Notification;
}

const temporal = useTemporal();
const received: Message[] = [];
/** Requests to `slow` and `never`, which are not answered before somebody does. */
const held: { readonly webhook: string; readonly runId: string; readonly response: ServerResponse }[] = [];
/** Runs whose messages `slow` answers at once. */
const released = new Set<string>();

/** Only here are usual durations known: elsewhere no step can be late, however busy the machine is. */
const WELL_KNOWN = 'well-known';

const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { type, data } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Pick<Message, 'type' | 'data'>;
    const name = (request.url ?? '').slice(1);
    received.push({ webhook: name, type, id: String(request.headers['webhook-id']), data });
    if (name === 'ops' || (name === 'slow' && released.has(data.runId))) response.end();
    else held.push({ webhook: name, runId: data.runId, response });
  });
});

let stack: Stack;
beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  const secrets = [`whsec_${Buffer.alloc(32, 1).toString('base64')}`];
  const webhooks = ['ops', 'slow', 'never'].map((name) => ({
    ...webhook('webhook', `http://127.0.0.1:${port}/${name}`, { name, secrets }),
    ...(name === 'ops' ? {} : { on: [] }),
  }));
  stack = await startStack(temporal, {
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))],
    dependencies: {
      operatorWaitMs: 60_000,
      notifier: createNotifier(webhooks),
      usualDurations: ({ componentId }) =>
        componentId === `shop/${WELL_KNOWN}` ? { from: 'component', jobs: 20, p50Ms: 100, p90Ms: 200 } : null,
    },
  });
});
afterAll(async () => {
  await stack.close();
  receiver.close();
  receiver.closeAllConnections();
});

const why = { actor: 'ann', reason: 'a test' };
const lease = (instanceId: string) => leaseId({ projectId: stack.simulator.projectId, instanceId });
const handleOf = (workflowId: string) => temporal.client.workflow.getHandle(workflowId);
const command = (workflowId: string, name: string) => handleOf(workflowId).executeUpdate(name, { args: [why] });
const messagesOf = (workflowId: string) => received.filter(({ data }) => data.runId === workflowId);
const typesOf = (workflowId: string) => messagesOf(workflowId).map(({ type }) => type);
const untilMessage = (workflowId: string, type: string) =>
  untilFound(async () => messagesOf(workflowId).find((message) => message.type === type) ?? null);
const accepts = (instanceId: string, count: number) =>
  until(async () => (await stack.accepted(instanceId)).length === count);
const blocked = (instanceId: string) =>
  untilFound(async () => (await handleOf(lease(instanceId)).query<TargetProgress>(PROGRESS_QUERY)).blocked ?? null);
const paused = (workflowId: string) =>
  until(async () => (await handleOf(workflowId).query<RunProgress>(PROGRESS_QUERY)).pause?.state === 'paused');

describe.concurrent('a run notifies', () => {
  it('of its end, once', async () => {
    const { path } = await stack.newInstance();
    const workflowId = await stack.start('notified', { targets: [path] });
    const report = await stack.report(workflowId);
    expect(report).toMatchObject({
      outcome: 'succeeded',
      notifications: [{ event: 'done', webhook: 'ops', result: 'delivered' }],
    });
    const [message, ...others] = messagesOf(workflowId);
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      type: 'run.done',
      data: { runbook: 'notified', targets: [path], outcome: 'succeeded' },
    });
  });

  it('that a step is not clear, reminds, and stops when somebody has decided', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'reset' } });
    const workflowId = await stack.start('notified', { targets: [path] });
    await until(() => typesOf(workflowId).length >= 3);
    await command(lease(instanceId), 'skipStep');
    expect((await stack.report(workflowId)).outcome).toBe('succeeded');
    const all = messagesOf(workflowId);
    expect(all.slice(0, 3).map(({ type }) => type)).toEqual(Array(3).fill('run.indeterminate'));
    expect(all.at(-1)?.type).toBe('run.done');
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(all[0]?.data).toMatchObject({ summary: expect.stringMatching(/^The step restart waits for you until/) });
    expect(all[0]?.data.needs[0]?.command).toBe(`runbook retry-step ${workflowId} ${path} --reason '…'`);
    expect(all[1]?.data.summary).toMatch(/^Still waiting/);
  });

  it('that a failed step waits for a decision, and again when the retry fails too', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    await stack.control.outcome({ instanceId, action: 'restart', nth: 2, executionStatus: 'FAILED' });
    const workflowId = await stack.start('notified', { targets: [path] });
    await untilMessage(workflowId, 'run.waiting');
    await command(lease(instanceId), 'retryStep');
    await accepts(instanceId, 2);
    await until(() => messagesOf(workflowId).some(({ data }) => data.key.includes('/restart/2/')));
    await blocked(instanceId);
    await command(workflowId, 'abort');
    await stack.report(workflowId);
  });

  it('that people have to approve the run, then a step, reminds of both, and stops when they have', async () => {
    const { path, instanceId } = await stack.newInstance();
    const workflowId = await stack.start('notified-approval', { targets: [path], requestedBy: 'ann' });
    const about = (what: string) =>
      messagesOf(workflowId).filter(({ data }) => data.key.includes(`/approval/${what}/`));
    const ofRun = await untilFound(async () => about('run')[0] ?? null);
    expect(ofRun).toMatchObject({ type: 'run.waiting', data: { runbook: 'notified-approval', targets: [path] } });
    const { planHash } = await handleOf(workflowId).query<RunProgress>(PROGRESS_QUERY);
    const hash = planHash?.slice(0, 16) ?? '';
    const approve = (actor: string) =>
      handleOf(workflowId).executeUpdate('approve', { args: [{ actor, reason: 'seen', planHash }] });
    expect(ofRun.data.summary).toMatch(
      new RegExp(
        `^Waits until 20\\S+Z for approval of the whole run · 2 needed, by sre-lead, not by ann, who requested it · plan ${hash} · Notifies ops`,
      ),
    );
    expect(ofRun.data.needs.map(({ command: typed }) => typed)).toEqual([
      `runbook watch ${workflowId}`,
      `runbook approve ${workflowId} --plan-hash ${hash} --reason '…'`,
      `runbook reject ${workflowId} --plan-hash ${hash} --reason '…'`,
    ]);
    await approve('bob');
    const reminder = await untilFound(
      async () => about('run').find(({ data }) => data.summary.includes('1 of 2 have approved')) ?? null,
    );
    expect(reminder.data.summary).toMatch(/^Still waits until /);
    await approve('cyd');
    await accepts(instanceId, 1);
    const asked = about('run').length;
    await until(() => about('1/seen').length >= 2);
    const [ofStep] = about('1/seen');
    expect(ofStep?.data.summary).toMatch(
      new RegExp(
        `^Waits until 20\\S+Z for approval at the step seen · 1 needed · plan ${hash} · The shop answers: <it`,
      ),
    );
    const runbooks = await RunbookClient.connect({ address: temporal.address, taskQueue: temporal.taskQueue });
    const decision = { actor: 'ann', reason: 'seen' };
    await expect(runbooks.approve(workflowId, { ...decision, planHash: '0123456789abcdef' })).rejects.toThrow(
      /another hash/,
    );
    await runbooks.approve(workflowId, { ...decision, planHash: hash });
    await runbooks.close();
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    expect(about('run')).toHaveLength(asked);
    const all = messagesOf(workflowId);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(report.notifications).toHaveLength(all.length);
    expect(all.map(({ type }) => type)).toEqual(Array(all.length).fill('run.waiting'));
  });

  it('that it waits for its window, once', () =>
    withLead(async (leadMs) => {
      const { path } = await stack.newInstance();
      const opensAt = new Date(Date.now() + 2 * leadMs).toISOString();
      const workflowId = await stack.start('notified', {
        targets: [path],
        window: { duration: '1h', opensAt },
        waitAtMost: '1m',
      });
      const report = await stack.report(workflowId);
      expect(report.outcome).toBe('succeeded');
      if (report.gates === undefined) return false; // The window had opened before the run came to it.
      expect(typesOf(workflowId)).toEqual(['run.waiting', 'run.done']);
      return true;
    }));

  it('that it is paused, and of its end although it was cancelled', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const second = await stack.newInstance();
    const workflowId = await stack.start('notified', { targets: [path, second.path] });
    await until(
      async () => (await stack.accepted(instanceId)).length + (await stack.accepted(second.instanceId)).length === 1,
    );
    await command(workflowId, 'pause');
    await stack.control.finish(instanceId);
    await paused(workflowId);
    await handleOf(workflowId).cancel();
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('cancelled');
    expect((await handleOf(workflowId).describe()).status.name).toBe('CANCELLED');
    expect(typesOf(workflowId)).toEqual(['run.paused', 'run.done']);
    expect(report.notifications?.map(({ event, result }) => `${event} ${result}`)).toEqual([
      'paused delivered',
      'done delivered',
    ]);
  });

  it('that a step takes unusually long', async ({ onTestFinished }) => {
    const { instanceId, path } = await stack.newInstance({ component: WELL_KNOWN });
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const workflowId = await startQuickly(temporal, stack, { runbook: 'notified', targets: [path] }, onTestFinished);
    const late = await untilMessage(workflowId, 'run.late');
    expect(await firedTimers(temporal, lease(instanceId))).toMatchObject([{ forMs: 10_260 }]);
    expect(late.data.summary).toMatch(/^The step restart is not done after 10/);
    await stack.control.finish(instanceId);
    expect((await stack.report(workflowId)).outcome).toBe('succeeded');
    expect(typesOf(workflowId)).toEqual(['run.late', 'run.done']);
  });

  it('webhooks that no runbook names of their own events', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    const failed = await stack.start('restart', { targets: [path] });
    expect((await stack.report(failed)).notifications).toMatchObject([{ webhook: 'ops', result: 'delivered' }]);
    const succeeded = await stack.start('restart', { targets: [(await stack.newInstance()).path] });
    expect((await stack.report(succeeded)).notifications).toBeUndefined();
    expect(typesOf(succeeded)).toEqual([]);
  });

  it('with the same id after a reset', async () => {
    const { path } = await stack.newInstance();
    const workflowId = await stack.start('notified', { targets: [path] });
    await stack.report(workflowId);
    const { runId } = await handleOf(workflowId).describe();
    const { events = [] } = await handleOf(workflowId).fetchHistory();
    const planned = events?.find((event) => event.activityTaskCompletedEventAttributes != null)?.eventId;
    const task = events?.find(
      (event) => event.workflowTaskCompletedEventAttributes != null && Number(event.eventId) > Number(planned),
    );
    await temporal.client.connection.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId },
      reason: 'a test',
      workflowTaskFinishEventId: task?.eventId ?? null,
      requestId: `reset-${runId}`,
    });
    await until(() => messagesOf(workflowId).length === 2);
    await stack.report(workflowId);
    const [first, second] = messagesOf(workflowId);
    expect(second?.id).toBe(first?.id);
  });
});

describe.concurrent('a receiver that does not answer', () => {
  it('delays neither the undo nor the end of the lease', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    const workflowId = await stack.start('notified-undo', { targets: [path] });
    await command(workflowId, 'pause');
    await untilMessage(workflowId, 'run.paused');
    await command(workflowId, 'resume');
    const child = await untilFound(async () => handleOf(lease(instanceId)).describe());
    await handleOf(lease(instanceId)).result();
    expect(child.status.name).toBe('RUNNING');
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart', 'scale']);
    // Nothing was answered so far: the run is open, its report is there, and the lease is free.
    await untilMessage(workflowId, 'run.compensated');
    const open = await untilFound(async () => {
      const described = await handleOf(workflowId).describe();
      return described.memo?.['report'] === undefined ? null : described;
    });
    expect(open.status.name).toBe('RUNNING');
    expect(open.memo?.['report']).toMatchObject({ outcome: 'compensated' });
    await expect(command(workflowId, 'pause')).rejects.toThrow();
    released.add(workflowId);
    for (const { response } of held.filter(({ runId }) => runId === workflowId)) response.end();
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('compensated');
    expect(report.notifications).toMatchObject([
      { event: 'paused', webhook: 'slow', result: 'delivered' },
      { event: 'compensated', webhook: 'missing', result: 'unknown' },
      { event: 'compensated', webhook: 'slow', result: 'delivered' },
    ]);
  });

  it('keeps the run open for a limited time, and the report shows it', async ({ onTestFinished }) => {
    const { path } = await stack.newInstance();
    const workflowId = await startQuickly(
      temporal,
      stack,
      { runbook: 'notified-never', targets: [path] },
      onTestFinished,
    );
    const report = await stack.report(workflowId);
    expect(await firedTimers(temporal, workflowId)).toMatchObject([{ forMs: NOTIFY_LIMITS.atEndMs }]);
    expect(report).toMatchObject({
      outcome: 'succeeded',
      notifications: [
        {
          event: 'done',
          webhook: 'never',
          result: 'unanswered',
          detail: 'the run closed before it was known whether every webhook was notified',
        },
      ],
    });
  });
});
