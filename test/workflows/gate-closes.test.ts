/** A gate that closes between the look that found it open and the first action: nothing is begun; what had begun goes on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WITHDRAW_SIGNAL } from '../../src/domain/alarm.js';
import type { RunProgress, TargetReport } from '../../src/domain/report.js';
import { leaseId } from '../../src/domain/target.js';
import { writeFreezes } from '../support/freezes.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calendars-'));
  await writeFreezes(folder, 'guarded');
  stack = await startStack(temporal, {
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))],
    calendarDirectories: [folder],
  });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

const SECOND = 1_000;
const until = async (condition: () => Promise<boolean>) => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
};

/** Somebody's cloud job is in flight on it: the first action waits for its end. */
async function busyInstance(forMs: number) {
  const instance = await stack.newInstance();
  await stack.control.outcome({ instanceId: instance.instanceId, action: 'scale', durationMs: forMs });
  await stack.control.console({ instanceId: instance.instanceId, action: 'scale', parameters: { replica: 3 } });
  return instance;
}

/** A freeze that begins in 1 to 2 s, and ends `lastsMs` after that. */
async function soonFrozen(calendar: string, lastsMs: number) {
  const fromMs = (Math.floor(Date.now() / SECOND) + 2) * SECOND;
  await writeFreezes(folder, calendar, [fromMs, fromMs + lastsMs]);
}

describe.concurrent('a first action that would come after', () => {
  it('the cut-off is not sent: the run is refused, with the window in its report', async () => {
    const { instanceId, path } = await busyInstance(4 * SECOND);
    const report = await stack.run('restart', path, { window: { duration: '1h', cutoff: '3598s' } });
    expect(report).toMatchObject({
      outcome: 'refused',
      failure: { name: 'OutsideWindow' },
      targets: [],
      notStarted: [path],
      gates: [{ target: path, failure: 'OutsideWindow' }],
    });
    expect(report.failure?.message).toContain('its cut-off has passed');
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('the cut-off, since ServiceStage was busy before, is not sent either', async () => {
    const { instanceId, path } = await stack.newInstance();
    const fault = { kind: 'throttle', retryAfterSeconds: 4 };
    await stack.control.fault({ on: { route: 'action', instanceId }, times: 1, fault });
    const report = await stack.run('restart', path, { window: { duration: '1h', cutoff: '3597s' } });
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'OutsideWindow' }, notStarted: [path] });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('the beginning of a freeze is sent after its end, where the run may wait', async () => {
    const { instanceId, path } = await busyInstance(3 * SECOND);
    await soonFrozen('passing', 5 * SECOND);
    const report = await stack.run('restart', path, { freeze: ['passing'], waitAtMost: '1m' });
    expect(report).toMatchObject({ outcome: 'succeeded', targets: [{ outcome: 'succeeded' }] });
    const thawed = report.gates?.at(-1);
    expect(report.gates?.map(({ failure }) => failure)).toEqual(['ChangeFreeze', null]);
    expect(report.targets[0]?.steps[0]?.startedAtMs).toBeGreaterThanOrEqual(thawed?.firstLookAtMs ?? Infinity);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('the beginning of a freeze lets the run expire, where it may not wait for so long', async () => {
    const { instanceId, path } = await busyInstance(3 * SECOND);
    await soonFrozen('lasting', 3_600 * SECOND);
    const report = await stack.run('restart', path, { freeze: ['lasting'], waitAtMost: '2s' });
    expect(report).toMatchObject({ outcome: 'expired', failure: { name: 'ChangeFreeze' }, notStarted: [path] });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('the beginning of a freeze that was lifted meanwhile is sent', async () => {
    const { instanceId, path } = await busyInstance(3 * SECOND);
    await soonFrozen('liftedSoon', 3_600 * SECOND);
    const workflowId = await stack.start('restart', { targets: [path], freeze: ['liftedSoon'] });
    await until(async () => (await progressOf(workflowId)).targets.some(({ childRunId }) => childRunId !== null));
    await writeFreezes(folder, 'liftedSoon');
    const report = await stack.report(workflowId);
    expect(report).toMatchObject({ outcome: 'succeeded' });
    expect(report.gates?.map(({ failure }) => failure)).toEqual(['ChangeFreeze', null]);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('the beginning of a freeze is not sent after its end where the run was to be withdrawn meanwhile', async () => {
    const { instanceId, path } = await busyInstance(3 * SECOND);
    await soonFrozen('withdrawnBefore', 3 * SECOND);
    const workflowId = await stack.start('restart', {
      targets: [path],
      freeze: ['withdrawnBefore'],
      waitAtMost: '1h',
    });
    await until(async () => (await progressOf(workflowId)).targets.some(({ childRunId }) => childRunId !== null));
    await temporal.client.workflow.getHandle(workflowId).signal(WITHDRAW_SIGNAL, 'a test');
    expect(await stack.report(workflowId)).toMatchObject({ outcome: 'cancelled', withdrawnBy: 'a test' });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('the beginning of a freeze leaves the run as one that has begun nothing: it can be withdrawn', async () => {
    const { instanceId, path } = await busyInstance(3 * SECOND);
    await soonFrozen('withdrawn', 3_600 * SECOND);
    const workflowId = await stack.start('restart', { targets: [path], freeze: ['withdrawn'], waitAtMost: '1h' });
    await until(async () => (await progressOf(workflowId)).phase === 'waiting');
    expect(await progressOf(workflowId)).toMatchObject({ targets: [{ childRunId: null, outcome: null }] });
    await temporal.client.workflow.getHandle(workflowId).signal(WITHDRAW_SIGNAL, 'a test');
    expect(await stack.report(workflowId)).toMatchObject({ outcome: 'cancelled', withdrawnBy: 'a test' });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });
});

describe.concurrent('what had begun', () => {
  it('goes on with its next steps after the cut-off', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'scale', durationMs: 4 * SECOND });
    const report = await stack.run('guarded', path, { window: { duration: '1h', cutoff: '3597s' } });
    expect(report).toMatchObject({ outcome: 'succeeded' });
    expect(report.gates).toBeUndefined();
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart']);
  });

  it('goes on after the cut-off where its workflow was reset meanwhile', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'scale', durationMs: 5 * SECOND });
    const cutoffAtMs = Date.now() + 3 * SECOND;
    await stack.start('guarded', { targets: [path], window: { duration: '1h', cutoff: '3597s' } });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    await until(async () => Date.now() > cutoffAtMs + 200);
    const report = await resetToFirstAction(leaseId({ projectId: stack.simulator.projectId, instanceId }));
    expect(report).toMatchObject({ outcome: 'succeeded', steps: [{ id: 'scale' }, { result: 'succeeded' }] });
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart']);
  });
});

/** The report of the run that goes on from before the workflow task that scheduled the first action. */
async function resetToFirstAction(workflowId: string): Promise<TargetReport> {
  const { client } = temporal;
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const first = events
    ?.map(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled)
    .find((scheduled) => scheduled?.activityType?.name === 'performAction');
  const reset = await client.connection.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'a test',
    workflowTaskFinishEventId: first?.workflowTaskCompletedEventId ?? null,
    requestId: `reset-${runId}`,
  });
  return (await client.workflow.getHandle(workflowId, reset.runId).result()) as TargetReport;
}

function progressOf(workflowId: string) {
  return temporal.client.workflow.getHandle(workflowId).query<RunProgress>('progress');
}
