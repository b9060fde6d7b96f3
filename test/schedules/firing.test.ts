/**
 * Schedules that fire for real: the runs they start are runs like any other. pause, resume, run-now and list as users
 * type them.
 */
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShownRuns } from '../../src/cli/render-runs.js';
import { leaseId } from '../../src/domain/target/target.js';
import { isCancelRequested } from '../support/cancel-request.js';
import { runbookProcess } from '../support/command-line.js';
import { startStack, type Stack } from '../support/stack.js';
import { useSchedules } from '../support/schedules.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

/** The time from which a run counts its window. */
const scheduledStartKey = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

const temporal = useTemporal();
const desk = useSchedules(temporal);
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(async () => {
  await stack.close();
});

const handleOf = (id: string) => temporal.client.schedule.getHandle(id);
const runsOf = async (id: string) =>
  (await handleOf(id).describe()).info.recentActions.map(({ action }) => action.workflow.workflowId);
const scheduledStartMs = async (workflowId: string) => {
  const { typedSearchAttributes } = await temporal.client.workflow.getHandle(workflowId).describe();
  return typedSearchAttributes.get(scheduledStartKey)?.getTime();
};
/** Ends the cloud job of its run, even if the run has not sent it yet. */
const untilFinished = (instanceId: string) => until(async () => (await stack.control.finish(instanceId)).finished > 0);
const every = (path: string, second: unknown, more: object = {}) => ({
  runbook: 'restart',
  targets: [path],
  calendar: { second, minute: '*', hour: '*' },
  timezone: 'Europe/Berlin',
  window: '10m',
  reason: 'a test',
  ...more,
});
const SOON = { start: 0, end: 59, step: 2 };
/** It is due in no test: only requested runs start. */
const YEARLY = { calendar: { hour: 3, month: 'JANUARY', dayOfMonth: 1 } };

describe.concurrent('a schedule', () => {
  it('starts runs with plan, lease and report like any other', async () => {
    const { instanceId, path } = await stack.newInstance();
    const owner = desk.newOwner();
    const file = await desk.file(owner, { often: every(path, SOON) });
    await desk.apply(file);
    await until(async () => (await runsOf(`${owner}/often`)).length > 0, 100);
    const [workflowId = ''] = await runsOf(`${owner}/often`);
    expect(workflowId).toMatch(new RegExp(`^restart:${owner}/often-\\d{4}-`));
    const report = await stack.report(workflowId);
    expect(report).toMatchObject({
      outcome: 'succeeded',
      requestedBy: `schedule ${owner}/often`,
      reason: 'a test',
      targets: [{ path, outcome: 'succeeded' }],
    });
    expect(await stack.accepted(instanceId)).toContain('restart');
    const asProcess = (...words: string[]) => runbookProcess(['schedule', ...words], desk.env);
    expect((await asProcess('pause', `${owner}/often`)).exitCode).toBe(0);
    const shown = await asProcess('list', '--owner', owner, '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ schedules: [{ paused: true, nextAt: null, state: 'applied' }] });
  });

  it('whose run lasts longer than the interval skips the times in between', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const owner = desk.newOwner();
    await desk.apply(await desk.file(owner, { often: every(path, '*') }));
    const id = `${owner}/often`;
    await until(async () => (await handleOf(id).describe()).info.numActionsSkippedOverlap > 0, 100);
    // While it is open there is no report yet that has its requester.
    await until(async () => {
      const { stdout } = await runbookProcess(['ls', '--open', '--target', path, '--json'], desk.env);
      return (JSON.parse(stdout) as ShownRuns).runs[0]?.requestedBy === `schedule ${id}`;
    });
    await untilFinished(instanceId);
    await until(async () => (await runsOf(id)).length > 1, 100);
    await handleOf(id).pause();
    const times = await Promise.all(
      (await runsOf(id)).map(async (workflowId) => {
        await stack.report(workflowId);
        const { startTime, closeTime } = await temporal.client.workflow.getHandle(workflowId).describe();
        return { startMs: startTime.getTime(), endMs: closeTime?.getTime() ?? Number.POSITIVE_INFINITY };
      }),
    );
    for (const [index, { startMs }] of times.entries())
      expect(startMs).toBeGreaterThanOrEqual(times[index - 1]?.endMs ?? 0);
  });

  it('with overlap: cancel-other asks the run under way to stop by its onCancel, and the next one runs', async () => {
    const { instanceId, path } = await stack.newInstance();
    // Cancelled during its cloud job: onCancel of the runbook finishes the job and undoes it.
    await stack.control.outcome({ instanceId, action: 'stop', neverEnds: true });
    const owner = desk.newOwner();
    const id = `${owner}/in-turn`;
    const inTurn = every(path, 0, { ...YEARLY, runbook: 'stop', overlap: 'cancel-other' });
    await desk.apply(await desk.file(owner, { 'in-turn': inTurn }));
    await handleOf(id).trigger(ScheduleOverlapPolicy.CANCEL_OTHER);
    await until(async () => (await stack.accepted(instanceId)).length === 1 && (await runsOf(id)).length === 1);
    const [first = ''] = await runsOf(id);
    // Ids end with the second of the start: in the same one the next run would have the same id.
    const startedAt = /\d{4}-\d\d-\d\dT[\d:]+Z$/.exec(first)?.[0] ?? '';
    await until(() => Date.now() >= Date.parse(startedAt) + 1_000);
    await handleOf(id).trigger(ScheduleOverlapPolicy.CANCEL_OTHER);
    const lease = leaseId({ projectId: stack.simulator.projectId, instanceId });
    await until(() => isCancelRequested(temporal.client, lease));
    await stack.control.finish(instanceId);
    await until(async () => (await runsOf(id)).length > 1, 100);
    const [, second = ''] = await runsOf(id);
    expect(await stack.report(first)).toMatchObject({
      outcome: 'cancelled',
      requestedBy: `schedule ${id}`,
      targets: [
        {
          outcome: 'cancelled',
          steps: [{ action: { action: 'stop' }, result: 'succeeded' }],
          compensations: [{ action: { action: 'start' }, result: 'succeeded' }],
        },
      ],
    });
    expect(await stack.report(second)).toMatchObject({ outcome: 'succeeded' });
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start', 'stop']);
    const [cancelled, next] = await Promise.all(
      [first, second].map((workflowId) => temporal.client.workflow.getHandle(workflowId).describe()),
    );
    expect(cancelled?.status.name).toBe('CANCELLED');
    expect(next?.startTime.getTime()).toBeGreaterThanOrEqual(cancelled?.closeTime?.getTime() ?? Infinity);
  });

  it('from a cron line with seconds fires as well', async () => {
    const { path } = await stack.newInstance();
    const owner = desk.newOwner();
    const { calendar: _calendar, ...rest } = every(path, SOON);
    await desk.apply(await desk.file(owner, { often: { ...rest, cron: '*/2 * * * * * *' } }));
    await until(async () => (await runsOf(`${owner}/often`)).length > 0, 100);
    await handleOf(`${owner}/often`).pause();
  });
});

describe.concurrent('pause and resume', () => {
  it('stop a schedule from starting, with who and why in the list, and let it start again', async () => {
    const { path } = await stack.newInstance();
    const owner = desk.newOwner();
    const id = `${owner}/later`;
    await desk.apply(await desk.file(owner, { later: every(path, 0, YEARLY) }));
    expect((await desk.run('pause', id, '--reason', 'the move')).stdout).toContain(`runbook schedule resume ${id}`);
    const isShown = new RegExp(`${id}.*  paused by .*the move`);
    await until(async () => isShown.test((await desk.run('list', '--owner', owner)).stdout), 100);
    expect((await runbookProcess(['schedule', 'resume', id], desk.env)).exitCode).toBe(0);
    expect((await handleOf(id).describe()).state.paused).toBe(false);
    const missing = await desk.run('pause', `${owner}/never`);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain('There is no schedule');
  });
});

describe.concurrent('run-now', () => {
  it('starts a run of a paused schedule, and prints its id and how to watch it', async () => {
    const { path } = await stack.newInstance();
    const owner = desk.newOwner();
    const id = `${owner}/later`;
    await desk.apply(await desk.file(owner, { later: every(path, 0, YEARLY) }));
    await desk.run('pause', id);
    const { exitCode, stdout } = await runbookProcess(['schedule', 'run-now', id], desk.env);
    expect(exitCode).toBe(0);
    const [, workflowId = ''] = /^Started run (\S+)$/m.exec(stdout) ?? [];
    expect(stdout).toContain(`runbook watch ${workflowId}`);
    expect(await stack.report(workflowId)).toMatchObject({ outcome: 'succeeded', requestedBy: `schedule ${id}` });
  });

  it('obeys the overlap policy: a current run keeps it from starting, or makes it wait', async () => {
    for (const [overlap, kind, exitCode] of [
      ['skip', 'skipped', 1],
      ['buffer-one', 'waits', 0],
    ] as const) {
      const { instanceId, path } = await stack.newInstance();
      await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
      const owner = desk.newOwner();
      const id = `${owner}/later`;
      await desk.apply(
        await desk.file(owner, {
          later: every(path, 0, { ...YEARLY, overlap }),
        }),
      );
      const first = JSON.parse((await desk.run('run-now', id, '--json')).stdout) as { workflowId: string };
      const askedFromMs = Date.now();
      const second = await desk.run('run-now', id, '--json');
      const askedToMs = Date.now();
      expect(second.exitCode).toBe(exitCode);
      expect(JSON.parse(second.stdout)).toMatchObject({ kind, runningRuns: [first.workflowId] });
      if (kind === 'waits') {
        const third = await desk.run('run-now', id);
        expect(third.exitCode).toBe(1);
        expect(third.stdout).toContain('Not started (overlap: buffer-one): a run is already waiting');
      }
      await untilFinished(instanceId);
      expect((await stack.report(first.workflowId)).outcome).toBe('succeeded');
      if (kind === 'skipped') continue;
      // One that had to wait counts its window from its request, not from its start.
      await until(async () => (await runsOf(id)).length === 2, 100);
      const nominalMs = await scheduledStartMs((await runsOf(id)).at(-1) ?? '');
      expect(nominalMs).toBeGreaterThan(askedFromMs - 1_000);
      expect(nominalMs).toBeLessThanOrEqual(askedToMs);
    }
  });
});
