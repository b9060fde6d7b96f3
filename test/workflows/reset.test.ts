/** Resets and superseded attempts against a real server: the barrier, activity reset, workflow reset. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporalAccess } from '../../src/activities/temporal-access.js';
import { leaseId } from '../../src/domain/target.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

const lease = (instanceId: string) => leaseId({ projectId: stack.simulator.projectId, instanceId });

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

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

describe('the barrier', () => {
  it('knows the current attempt, and no other', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', durationMs: 1_500 });
    const workflowId = await stack.start('restart', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    const { activity, runId } = await pendingActivity(instanceId);
    const scheduled = activity?.scheduledTime;
    const scheduledAtMs = Number(scheduled?.seconds ?? 0) * 1_000 + (scheduled?.nanos ?? 0) / 1e6;
    const info = {
      workflowExecution: { workflowId: lease(instanceId), runId },
      activityId: activity?.activityId ?? '',
      attempt: activity?.attempt ?? 0,
      currentAttemptScheduledTimestampMs: scheduledAtMs,
    } as Parameters<ReturnType<typeof temporalAccess>['isCurrentAttempt']>[0];
    const access = temporalAccess(temporal.client);
    expect(await access.isCurrentAttempt(info)).toBe(true);
    expect(await access.isCurrentAttempt({ ...info, attempt: info.attempt + 1 })).toBe(false);
    expect(await access.isCurrentAttempt({ ...info, currentAttemptScheduledTimestampMs: scheduledAtMs - 500 })).toBe(
      false,
    );
    await stack.report(workflowId);
  });
});

describe('a second attempt', () => {
  it('passes the barrier after one that proved that nothing was sent', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.fault({
      on: { instanceId, route: 'action' },
      fault: { kind: 'throttle', retryAfterSeconds: 0.05 },
    });
    const report = await stack.run('restart', path);
    // Only an attempt that is known to be first-like may send a restart.
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

describe('an activity reset', () => {
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
    await stack.control.clearFaults();
    await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'delay', ms: 300 } });
    const workflowId = await stack.start('stop', { targets: [path] });
    await until(async () => (await stack.control.faults()).some(({ hits }) => hits > 0));
    await resetActivity(instanceId);
    const report = await stack.report(workflowId);
    await stack.control.clearFaults();
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
  });
});

describe('a workflow reset of a target', () => {
  it('to before its step finds the cloud job of the run before, and does not send it again (story 9)', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'stop', durationMs: 1_000 });
    const workflowId = await stack.start('stop', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    const { runId } = await pendingActivity(instanceId);
    // The first workflow task took the observation and scheduled the step.
    const { events } = await temporal.client.workflow.getHandle(lease(instanceId), runId).fetchHistory();
    const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    const requested: Promise<{ runId: string }> = temporal.client.connection.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: lease(instanceId), runId },
      reason: 'a test',
      workflowTaskFinishEventId: firstTask?.eventId ?? null,
      requestId: `reset-${runId}`,
    });
    const reset = await requested;
    const report = (await temporal.client.workflow.getHandle(lease(instanceId), reset.runId).result()) as {
      outcome: string;
    };
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
    await temporal.client.workflow.getHandle(workflowId).terminate('its child was reset');
  });
});
