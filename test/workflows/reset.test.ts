/** Resets and superseded attempts against a real server: the barrier, activity reset, workflow reset. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporalAccess, type TemporalAccess } from '../../src/activities/temporal-access.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import type { TargetReport } from '../../src/domain/report/report.js';
import { leaseId } from '../../src/domain/target/target.js';
import { stackLimits } from '../support/build.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until, untilFound } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
/** The request of the newest attempt that did not know whether it was the current one. */
const asked = new Map<string, Parameters<TemporalAccess['standing']>>();
beforeAll(async () => {
  const access = temporalAccess(temporal.client);
  const standing: TemporalAccess['standing'] = (...question) => {
    asked.set(question[0].workflowExecution?.workflowId ?? '', question);
    return access.standing(...question);
  };
  stack = await startStack(temporal, {
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))],
    dependencies: { temporal: { ...access, standing } },
  });
});
afterAll(() => stack.close());

const lease = (instanceId: string) => leaseId({ projectId: stack.simulator.projectId, instanceId });

/** The pending activity of a target's workflow, as the server describes it. */
async function pendingActivity(instanceId: string) {
  const { raw, runId } = await temporal.client.workflow.getHandle(lease(instanceId)).describe();
  const [activity] = raw.pendingActivities ?? [];
  return { activity, runId };
}

async function resetActivity(instanceId: string): Promise<void> {
  const { activity, runId } = await pendingActivity(instanceId);
  await temporal.client.connection.workflowService.resetActivity({
    namespace: 'default',
    execution: { workflowId: lease(instanceId), runId },
    id: activity?.activityId ?? '',
  });
}

/**
 * Resets to before the workflow task that scheduled the n-th activity, counted from 0; the task of the first also
 * observes the instance.
 */
async function resetToBefore(instanceId: string, runId: string, nth: number): Promise<string> {
  const events = await eventsOf(instanceId, runId);
  const scheduled = events.flatMap(
    ({ activityTaskScheduledEventAttributes }) => activityTaskScheduledEventAttributes ?? [],
  );
  return resetTo(instanceId, runId, scheduled[nth]?.workflowTaskCompletedEventId);
}

const resetToBeforeScale = (instanceId: string, runId: string) => resetToBefore(instanceId, runId, 1);

/** To before the workflow task that started the first timer. */
async function resetToBeforeWait(instanceId: string, runId: string): Promise<string> {
  const events = await eventsOf(instanceId, runId);
  const [timer] = events.flatMap(({ timerStartedEventAttributes }) => timerStartedEventAttributes ?? []);
  return resetTo(instanceId, runId, timer?.workflowTaskCompletedEventId);
}

async function eventsOf(instanceId: string, runId: string) {
  return (await temporal.client.workflow.getHandle(lease(instanceId), runId).fetchHistory()).events ?? [];
}

/** The n-th workflow task that was completed, counted from 1; `null` before that. */
function completedTask(events: Awaited<ReturnType<typeof eventsOf>>, nth: number) {
  const completed = events.filter(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes);
  return completed[nth - 1]?.eventId ?? null;
}

type Reset = Parameters<typeof temporal.client.connection.workflowService.resetWorkflowExecution>[0];

async function resetTo(
  instanceId: string,
  runId: string,
  eventId: Reset['workflowTaskFinishEventId'],
): Promise<string> {
  const requested: Promise<{ runId: string }> = temporal.client.connection.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: lease(instanceId), runId },
    reason: 'a test',
    workflowTaskFinishEventId: eventId ?? null,
    requestId: `reset-${runId}`,
  });
  return (await requested).runId;
}

async function targetReport(instanceId: string, runId: string): Promise<TargetReport> {
  return (await temporal.client.workflow.getHandle(lease(instanceId), runId).result()) as TargetReport;
}

describe.concurrent('the barrier', () => {
  it('knows the current attempt, and no other', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    await stack.control.fault({
      on: { instanceId, route: 'action' },
      fault: { kind: 'throttle', retryAfterSeconds: 0.05 },
    });
    const workflowId = await stack.start('restart', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    const question = asked.get(lease(instanceId));
    if (question === undefined) throw new Error('The second attempt did not ask');
    const [info, state, timeoutMs] = question;
    const access = temporalAccess(temporal.client);
    const standing = async (change: Partial<typeof info>) =>
      (await access.standing({ ...info, ...change }, state, timeoutMs)).standing;
    const { attempt, currentAttemptScheduledTimestampMs: scheduledAtMs } = info;
    expect(await standing({})).toBe('current');
    expect(await standing({ attempt: attempt + 1 })).toBe('superseded');
    expect(await standing({ currentAttemptScheduledTimestampMs: scheduledAtMs - 500 })).toBe('superseded');
    await temporal.client.workflow.getHandle(lease(instanceId)).cancel();
    await expect.poll(() => standing({})).toBe('cancelled');
    await stack.control.finish(instanceId);
    await stack.report(workflowId);
  });
});

describe.concurrent('a second attempt', () => {
  it('passes the barrier after one that proved that nothing was sent', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.fault({
      on: { instanceId, route: 'action' },
      fault: { kind: 'throttle', retryAfterSeconds: 0.05 },
    });
    const report = await stack.run('restart', path);
    // Only an attempt that is proven to have no predecessor that sent may send a restart.
    expect(report.outcome).toBe('succeeded');
    expect(report.targets[0]?.steps[0]?.trail.map(({ decision }) => decision)).toEqual([
      'entered',
      'sent',
      'notSent',
      'entered',
      'sent',
      'accepted',
      'verified',
    ]);
  });
});

describe.concurrent('an activity reset', () => {
  it('while the cloud job is followed sends nothing again', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', durationMs: 1_500 });
    const workflowId = await stack.start('restart', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    await resetActivity(instanceId);
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('while its POST is open sends nothing again (story 6)', async () => {
    const { instanceId, path } = await stack.newInstance();
    const slow = await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'delay', ms: 300 } });
    const workflowId = await stack.start('stop', { targets: [path] });
    await until(async () => (await stack.control.faults()).some(({ id, hits }) => id === slow.id && hits > 0));
    await resetActivity(instanceId);
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
  });
});

describe.concurrent('a workflow reset of a target', () => {
  it('to before its step finds the cloud job of the run before, and does not send it again (story 9)', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'stop', neverEnds: true });
    const workflowId = await stack.start('stop', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    const { runId } = await pendingActivity(instanceId);
    const resetRunId = await resetToBefore(instanceId, runId, 0);
    await stack.control.finish(instanceId);
    const report = await targetReport(instanceId, resetRunId);
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
    await stack.report(workflowId);
  });

  it('to before its first reading decides again once the run before is settled: a restart may be sent', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const workflowId = await stack.start('restart', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    const { runId } = await pendingActivity(instanceId);
    const resetAtMs = Date.now();
    const resetRunId = await resetToBefore(instanceId, runId, 0);
    await stack.control.finish(instanceId);
    const report = await targetReport(instanceId, resetRunId);
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['restart', 'restart']);
    const [, second] = await stack.control.accepted(instanceId);
    expect((second?.atMs ?? 0) - resetAtMs).toBeGreaterThanOrEqual(unseenAttemptMs(stackLimits()));
    // The run that asked for it waits for the run that was reset.
    await stack.report(workflowId);
  });

  it('to within the wait before its first step decides again, once the run before is settled', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    await stack.control.console({ instanceId, action: 'scale', parameters: { replica: 3 } });
    const workflowId = await stack.start('restart', { targets: [path] });
    const runId = await untilFound(async () => {
      const pending = await pendingActivity(instanceId);
      return pending.activity?.activityType?.name === 'settleTarget' ? pending.runId : null;
    });
    // Only for a workflow task within the wait.
    await temporal.client.workflow.getHandle(lease(instanceId)).signal('unknown');
    const withinTheWait = await untilFound(async () => completedTask(await eventsOf(instanceId, runId), 2));
    await stack.control.finish(instanceId);
    await until(async () => (await stack.accepted(instanceId)).length === 1);

    const resetAtMs = Date.now();
    const resetRunId = await resetTo(instanceId, runId, withinTheWait);
    await stack.control.finish(instanceId);
    const report = await targetReport(instanceId, resetRunId);
    const [, first, second] = await stack.control.accepted(instanceId);
    expect(report).toMatchObject({
      outcome: 'succeeded',
      captured: { replicaCount: 3, lastJobId: first?.cloudJobId },
      steps: [{ result: 'succeeded', sent: 'yes', cloudJobId: second?.cloudJobId }],
    });
    expect(await stack.accepted(instanceId)).toEqual(['restart', 'restart']);
    expect((second?.atMs ?? 0) - resetAtMs).toBeGreaterThanOrEqual(unseenAttemptMs(stackLimits()));
    await stack.report(workflowId);
  });

  it('that cannot read the instance is refused, and the next run waits for what the run before may have left unseen', async () => {
    const { instanceId, path } = await stack.newInstance();
    const workflowId = await stack.start('stop-then-wait', { targets: [path] });
    await until(async () => (await stack.control.instance(instanceId)).status === 'STOPPED');
    await until(async () => (await pendingActivity(instanceId)).activity === undefined);
    const { runId } = await pendingActivity(instanceId);
    await stack.control.fault({ on: { instanceId, route: 'instance' }, fault: { kind: 'status', status: 403 } });
    const resetAtMs = Date.now();
    const resetRunId = await resetToBefore(instanceId, runId, 0);
    const report = await targetReport(instanceId, resetRunId);
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'NotAllowed' } });
    await stack.report(workflowId);
    const holder = await temporalAccess(temporal.client).describeLease(lease(instanceId));
    expect(holder).toMatchObject({ status: 'COMPLETED', clearAtMs: 0, unseenMs: unseenAttemptMs(stackLimits()) });
    expect(holder?.resetAtMs).toBeGreaterThanOrEqual(resetAtMs);

    expect((await stack.run('start', path)).outcome).toBe('succeeded');
    const [, started] = await stack.control.accepted(instanceId);
    expect((started?.atMs ?? 0) - resetAtMs).toBeGreaterThanOrEqual(unseenAttemptMs(stackLimits()));
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
  });

  it.for([
    ['before it schedules its step again', 'go-on', resetToBeforeScale],
    ['in the wait before its step', 'restart-wait-scale', resetToBeforeWait],
  ] as const)('that is cancelled %s reports the result of the step, and undoes it', async (row, { onTestFinished }) => {
    const [, runbook, resetRun] = row;
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    // Apart from the others: a replay takes the id of the original run for that of the reset run, so it decides otherwise.
    const taskQueue = `${temporal.taskQueue}-reset-${runbook}`;
    const begin = () => stack.beginWorker(taskQueue, onTestFinished);
    const stopFirst = await begin();
    const workflowId = `${runbook}-${instanceId}`;
    await temporal.client.workflow.start(runbook, { workflowId, taskQueue, args: [{ targets: [path] }] });
    await until(async () => (await stack.accepted(instanceId)).length === 2);
    const [, scaled] = await stack.control.accepted(instanceId);
    const { runId } = await pendingActivity(instanceId);
    // Without a worker the cancel is there before the run that was reset takes its first task.
    await stopFirst();
    const resetRunId = await resetRun(instanceId, runId);
    await temporal.client.workflow.getHandle(lease(instanceId), resetRunId).cancel();
    await begin();
    await stack.control.finish(instanceId);
    const report = await targetReport(instanceId, resetRunId);
    expect(report.outcome).toBe('cancelled');
    expect(report.steps.map(({ id, result }) => `${id} ${result}`)).toEqual(['restart succeeded', 'scale cancelled']);
    expect(report.steps[1]).toMatchObject({ sent: 'yes', cloudJobId: scaled?.cloudJobId, attempts: 0 });
    expect(report.compensations.map(({ id, result }) => `${id} ${result}`)).toEqual(['undo-scale succeeded']);
    expect(await stack.accepted(instanceId)).toEqual(['restart', 'scale', 'scale']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ replica: 2, availableReplica: 2 });
    await stack.report(workflowId);
  });

  it('in the middle of an undo replays what the run before did not begin, and sends the undo once', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'start', neverEnds: true });
    const workflowId = await stack.start('stop-then-wait', { targets: [path] });
    await until(async () => (await stack.control.instance(instanceId)).status === 'STOPPED');
    await until(async () => (await pendingActivity(instanceId)).activity === undefined);
    await temporal.client.workflow.getHandle(workflowId).cancel();
    await until(async () => (await stack.accepted(instanceId)).length === 2);
    const { runId } = await pendingActivity(instanceId);
    // Only for a workflow task after the one that scheduled the undo: the history that is kept contains the undo.
    const undoing = (await eventsOf(instanceId, runId)).length;
    await temporal.client.workflow.getHandle(lease(instanceId), runId).signal('unknown');
    const whileUndoing = await untilFound(async () => {
      const events = await eventsOf(instanceId, runId);
      return completedTask(events.slice(undoing), 1);
    });
    const resetRunId = await resetTo(instanceId, runId, whileUndoing);
    await stack.control.finish(instanceId);
    const report = await targetReport(instanceId, resetRunId);
    expect(report).toMatchObject({
      outcome: 'cancelled',
      steps: [{ id: 'stop', result: 'succeeded' }, { result: 'cancelled' }],
      compensations: [{ id: 'undo-stop', result: 'succeeded' }],
    });
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
    await stack.report(workflowId);
  });
});
