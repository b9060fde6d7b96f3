/** Schedules that fire for real: the runs they start are runs like any other. pause, resume, run-now and list as users type them. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';
import { useSchedules } from '../support/schedules.js';
import { useTemporal } from '../support/temporal.js';

/** What a run counts its window from. */
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
const every = (path: string, second: unknown, more: object = {}) => ({
  runbook: 'restart',
  targets: [path],
  calendar: { second, minute: '*', hour: '*' },
  timezone: 'Europe/Berlin',
  window: '10s',
  reason: 'a test',
  ...more,
});
const SOON = { start: 0, end: 59, step: 2 };

describe('a schedule', () => {
  it('starts runs with plan, lease and report like any other', async () => {
    const { instanceId, path } = await stack.newInstance();
    const owner = desk.newOwner();
    const file = await desk.file(owner, { often: every(path, SOON) });
    await desk.apply(file);
    await expect.poll(() => runsOf(`${owner}/often`), { timeout: 30_000 }).not.toEqual([]);
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
    expect((await desk.run('pause', `${owner}/often`)).exitCode).toBe(0);
    const shown = await desk.run('list', '--owner', owner, '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ schedules: [{ paused: true, nextAt: null, state: 'applied' }] });
  });

  it('whose run lasts longer than the interval skips what comes meanwhile', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', durationMs: 3_000 });
    const owner = desk.newOwner();
    await desk.apply(await desk.file(owner, { often: every(path, '*') }));
    const id = `${owner}/often`;
    await expect
      .poll(async () => (await handleOf(id).describe()).info.numActionsSkippedOverlap, { timeout: 30_000 })
      .toBeGreaterThan(0);
    await expect.poll(async () => (await runsOf(id)).length, { timeout: 30_000 }).toBeGreaterThan(1);
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
    // Cancelled in the middle of its cloud job, which onCancel of the runbook finishes and takes back; long before the third start is due.
    await stack.control.outcome({ instanceId, action: 'stop', durationMs: 13_500 });
    const owner = desk.newOwner();
    const id = `${owner}/often`;
    const inTurn = every(path, { start: 0, end: 59, step: 12 }, { runbook: 'stop', overlap: 'cancel-other' });
    await desk.apply(await desk.file(owner, { often: inTurn }));
    await expect.poll(async () => (await runsOf(id)).length, { timeout: 40_000 }).toBeGreaterThan(1);
    await handleOf(id).pause();
    const [first = '', second = ''] = await runsOf(id);
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
    await expect.poll(() => runsOf(`${owner}/often`), { timeout: 30_000 }).not.toEqual([]);
    await handleOf(`${owner}/often`).pause();
  });
});

describe('pause and resume', () => {
  it('keep a schedule from starting, with who and why in the list, and let it start again', async () => {
    const { path } = await stack.newInstance();
    const owner = desk.newOwner();
    const id = `${owner}/later`;
    await desk.apply(
      await desk.file(owner, { later: every(path, 0, { calendar: { hour: 3, month: 'JANUARY', dayOfMonth: 1 } }) }),
    );
    expect((await desk.run('pause', id, '--reason', 'the move')).stdout).toContain(`runbook schedule resume ${id}`);
    await expect
      .poll(async () => (await desk.run('list')).stdout, { timeout: 20_000 })
      .toMatch(new RegExp(`${id}.*  paused by .*the move`));
    expect((await desk.run('resume', id)).exitCode).toBe(0);
    expect((await handleOf(id).describe()).state.paused).toBe(false);
    const missing = await desk.run('pause', `${owner}/never`);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain('There is no schedule');
  });
});

describe('run-now', () => {
  it('starts a run of a paused schedule, and says its id and how to watch it', async () => {
    const { path } = await stack.newInstance();
    const owner = desk.newOwner();
    const id = `${owner}/later`;
    await desk.apply(
      await desk.file(owner, { later: every(path, 0, { calendar: { hour: 3, month: 'JANUARY', dayOfMonth: 1 } }) }),
    );
    await desk.run('pause', id);
    const { exitCode, stdout } = await desk.run('run-now', id);
    expect(exitCode).toBe(0);
    const [, workflowId = ''] = /^Started run (\S+)$/m.exec(stdout) ?? [];
    expect(stdout).toContain(`runbook watch ${workflowId}`);
    expect(await stack.report(workflowId)).toMatchObject({ outcome: 'succeeded', requestedBy: `schedule ${id}` });
  });

  it('keeps to the overlap: a run under way keeps it from starting, or makes it wait', async () => {
    for (const [overlap, kind, exitCode] of [
      ['skip', 'skipped', 1],
      ['buffer-one', 'waits', 0],
    ] as const) {
      const { instanceId, path } = await stack.newInstance();
      // Under way until this test lets the time pass. Twice this is within the 15 minutes that a signature may be old.
      const durationMs = 400_000;
      await stack.control.outcome({ instanceId, action: 'restart', durationMs });
      const owner = desk.newOwner();
      const id = `${owner}/later`;
      await desk.apply(
        await desk.file(owner, {
          later: every(path, 0, { overlap, calendar: { hour: 3, month: 'JANUARY', dayOfMonth: 1 } }),
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
        expect(third.stdout).toContain('Not started (overlap: buffer-one): one run waits already');
      }
      await stack.control.time({ advanceMs: durationMs });
      expect((await stack.report(first.workflowId)).outcome).toBe('succeeded');
      if (kind === 'skipped') continue;
      // One that had to wait has its window from the moment it was asked for, not from its start.
      await expect.poll(async () => (await runsOf(id)).length, { timeout: 20_000 }).toBe(2);
      const nominalMs = await scheduledStartMs((await runsOf(id)).at(-1) ?? '');
      expect(nominalMs).toBeGreaterThan(askedFromMs - 1_000);
      expect(nominalMs).toBeLessThanOrEqual(askedToMs);
    }
  });
});
