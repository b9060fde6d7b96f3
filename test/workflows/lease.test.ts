/** The promise "alone": at most one run acts on an instance, no matter who requested it and how it was started. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import { leaseId } from '../../src/domain/target/target.js';
import { stackLimits } from '../support/build.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal, { runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))] });
});
afterAll(() => stack.close());

const lease = (instanceId: string) => leaseId({ projectId: stack.simulator.projectId, instanceId });

describe.concurrent('two runs on one instance', () => {
  it('at once: one acts, and the other names the holder', async () => {
    const { instanceId, path } = await stack.newInstance();
    const ids = await Promise.all([1, 2].map(() => stack.start('restart', { targets: [path], requestedBy: 'alice' })));
    const reports = await Promise.all(ids.map((id) => stack.report(id)));
    expect(reports.map(({ outcome }) => outcome).sort()).toEqual(['refused', 'succeeded']);
    const refused = reports.find(({ outcome }) => outcome === 'refused');
    const holder = reports.find(({ outcome }) => outcome === 'succeeded');
    expect(refused?.summary).toContain(`held by run ${holder?.workflowId}`);
    expect(refused?.summary).toContain('requested by alice');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('one after another both act', async () => {
    const { instanceId, path } = await stack.newInstance();
    expect((await stack.run('restart', path)).outcome).toBe('succeeded');
    expect((await stack.run('restart', path)).outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['restart', 'restart']);
  });
});

describe.concurrent('nothing bypasses the lease', () => {
  it('targetRun cannot be started without a run', async () => {
    const { instanceId } = await stack.newInstance();
    const started = temporal.client.workflow.execute('targetRun', {
      workflowId: lease(instanceId),
      taskQueue: temporal.taskQueue,
      args: [{}],
    });
    await expect(started).rejects.toThrow(WorkflowFailedError);
    await expect(started).rejects.toMatchObject({ cause: { type: 'InvalidStart' } });
  });

  it('a run cannot have the id of a lease', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await stack.report(await stack.start('restart', { targets: [path] }, lease(instanceId)));
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidStart' } });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });
});

describe.concurrent('a first observation', () => {
  it('is made at rest, after waiting for a foreign cloud job (story 12)', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.console({ instanceId, action: 'scale', parameters: { replica: 3 } });
    const report = await stack.run('stop', path);
    expect(report.outcome).toBe('succeeded');
    expect(report.targets[0]?.captured).toMatchObject({ status: 'RUNNING', replicaCount: 3 });
  });
});

/** Terminates the holder. @returns when it closed, epoch milliseconds */
async function terminated(instanceId: string): Promise<number> {
  const { runId } = await temporal.client.workflow.getHandle(lease(instanceId)).describe();
  const holder = temporal.client.workflow.getHandle(lease(instanceId), runId);
  await holder.terminate('by a test');
  const { closeTime } = await holder.describe();
  return closeTime?.getTime() ?? Number.NaN;
}

describe.concurrent('a holder that was terminated', () => {
  it('releases the instance, and the next run waits until anything it sent is visible (story 9)', async () => {
    const { instanceId, path } = await stack.newInstance();
    const workflowId = await stack.start('stop-then-wait', { targets: [path] }, `terminated-${randomUUID()}`);
    await until(async () => (await stack.control.instance(instanceId)).status === 'STOPPED');
    const closedAtMs = await terminated(instanceId);
    expect(await stack.report(workflowId)).toMatchObject({ outcome: 'indeterminate' });
    const report = await stack.run('start', path);
    expect(report.outcome).toBe('succeeded');
    const captured = report.targets[0]?.captured?.observedAtMs ?? 0;
    expect(captured - closedAtMs).toBeGreaterThanOrEqual(unseenAttemptMs(stackLimits()));
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
  });

  it('is waited for by the next run even if one was cancelled while it waited', async () => {
    const { instanceId, path } = await stack.newInstance();
    const workflowId = await stack.start('stop-then-wait', { targets: [path] }, `terminated-${randomUUID()}`);
    await until(async () => (await stack.control.instance(instanceId)).status === 'STOPPED');
    const closedAtMs = await terminated(instanceId);
    await stack.report(workflowId);

    const cancelled = await stack.start('start', { targets: [path] });
    await until(async () => {
      const { raw } = await temporal.client.workflow.getHandle(lease(instanceId)).describe();
      return raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'settleTarget') ?? false;
    });
    await temporal.client.workflow.getHandle(cancelled).cancel();
    expect((await stack.report(cancelled)).outcome).toBe('cancelled');
    expect(await stack.accepted(instanceId)).toEqual(['stop']);

    expect((await stack.run('start', path)).outcome).toBe('succeeded');
    const [, started] = await stack.control.accepted(instanceId);
    expect((started?.atMs ?? 0) - closedAtMs).toBeGreaterThanOrEqual(unseenAttemptMs(stackLimits()));
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
  });
});
