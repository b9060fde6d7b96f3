/**
 * Windows and freezes are checked before each target: the run is refused, waits, or gives up. A begun target, an undo
 * and a cancel are never held.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { describeWaiting } from '../../src/domain/gates/gates.js';
import type { RunProgress } from '../../src/domain/report/progress.js';
import { writeFreezes, type Span } from '../support/freezes.js';
import { newSeed, startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { withLead } from '../support/with-lead.js';

const temporal = useTemporal();
let folder: string;
let runbooks: string;
let stack: Stack;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calendars-'));
  runbooks = await mkdtemp(join(tmpdir(), 'runbooks-'));
  await freeze('guarded');
  await freeze('never');
  stack = await startStack(temporal, {
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url)), runbooks],
    calendarDirectories: [folder],
  });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
  await rm(runbooks, { recursive: true, force: true });
});

const HOUR = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
const freeze = (calendar: string, ...spans: readonly Span[]) => writeFreezes(folder, calendar, ...spans);
const frozenNow = (calendar: string, forMs = HOUR) => freeze(calendar, [Date.now() - HOUR, Date.now() + forMs]);
const progress = (workflowId: string) => temporal.client.workflow.getHandle(workflowId).query<RunProgress>('progress');
const isWaiting = (workflowId: string) => until(async () => (await progress(workflowId)).phase === 'waiting');
/** @returns false if the run ended without waiting, because its gate had changed by then */
async function comesToWait(workflowId: string): Promise<boolean> {
  let phase = '';
  await until(async () => {
    phase = (await progress(workflowId)).phase;
    return phase === 'waiting' || phase === 'finished';
  });
  return phase === 'waiting';
}
const eventsOf = async (workflowId: string) => {
  const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return events ?? [];
};

describe.concurrent('a start outside its window', () => {
  it.each([
    ['before it opens', HOUR, 'it has not opened yet'],
    ['after its end', -3 * HOUR, 'its end has passed'],
  ])('%s is refused, with the times', async (_when, fromNowMs, why) => {
    const { instanceId, path } = await stack.newInstance();
    const opensAt = iso(Date.now() + fromNowMs);
    const report = await stack.run('restart', path, { window: { duration: '2h', opensAt } });
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'OutsideWindow' }, notStarted: [path] });
    expect(report.failure?.message).toContain(`open ${opensAt.slice(0, 19)}Z to `);
    expect(report.failure?.message).toContain(why);
    expect(report.gates).toMatchObject([{ target: path, looks: 1, failure: 'OutsideWindow' }]);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('past the cut-off of the runbook is refused, and one with a later cut-off of its own is not', async () => {
    const { path } = await stack.newInstance();
    const window = { duration: '90m', opensAt: iso(Date.now() - HOUR) };
    expect(await stack.run('guarded', path, { window })).toMatchObject({
      outcome: 'refused',
      failure: { name: 'OutsideWindow' },
    });
    const report = await stack.run('guarded', path, { window: { ...window, cutoff: '1m' } });
    expect(report.outcome).toBe('succeeded');
    expect(report.gates).toBeUndefined();
  });

  it('waits until it opens, and then runs', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await stack.newInstance();
      const opensAtMs = Date.now() + leadMs;
      const start = { targets: [path], window: { duration: '1h', opensAt: iso(opensAtMs) }, waitAtMost: '1m' };
      const report = await stack.report(await stack.start('restart', start));
      expect(report.outcome).toBe('succeeded');
      if (report.gates === undefined) return false; // It was open by then.
      expect(report.targets[0]?.steps[0]?.startedAtMs).toBeGreaterThanOrEqual(opensAtMs);
      expect(report.gates).toMatchObject([{ failure: 'OutsideWindow', opensAtMs }, { failure: null }]);
      expect(await stack.accepted(instanceId)).toEqual(['restart']);
      return true;
    }));

  it('shows until when it waits, in the Temporal UI and in its progress', async () => {
    const { path } = await stack.newInstance();
    const opensAtMs = Date.now() + HOUR;
    const start = { targets: [path], window: { duration: '1h', opensAt: iso(opensAtMs) }, waitAtMost: '2h' };
    const workflowId = await stack.start('restart', start);
    await isWaiting(workflowId);
    const { waiting } = await progress(workflowId);
    const handle = temporal.client.workflow.getHandle(workflowId);
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain(waiting === undefined ? 'nothing' : describeWaiting(waiting));
    await handle.cancel();
    expect((await stack.report(workflowId)).outcome).toBe('cancelled');
  });

  it('gives up at once if it would open too late', async () => {
    const { path } = await stack.newInstance();
    const window = { duration: '1h', opensAt: iso(Date.now() + 2 * HOUR) };
    expect(await stack.run('restart', path, { window, waitAtMost: '1h' })).toMatchObject({ outcome: 'expired' });
  });
});

describe.concurrent('a start inside a freeze', () => {
  it('is refused, with the name of the freeze and its times', async () => {
    const { instanceId, path } = await stack.newInstance();
    await frozenNow('refused');
    const report = await stack.run('restart', path, { freeze: ['refused'] });
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'ChangeFreeze' } });
    expect(report.failure?.message).toMatch(/refused "Test freeze" \d{4}-\d\d-\d\dT[\d:]+Z to /);
    expect(report.gates?.[0]?.opensAtMs).toBeGreaterThan(Date.now());
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('waits for its end, which does not count against the deadline of the run', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await stack.newInstance();
      const name = `deadline-${leadMs}`;
      const step = `{ action: stop, deadline: ${leadMs}ms, verify: { within: ${leadMs / 2}ms, stable: 50ms } }`;
      const text = `name: ${name}\ntitle: t\ndeadline: ${leadMs}ms\nsteps:\n  - ${step}\n`;
      await writeFile(join(runbooks, `${name}.yaml`), text);
      await frozenNow('waited', leadMs + 1_000);
      const report = await stack.run(name, path, { freeze: ['waited'], waitAtMost: '1h' });
      if (report.gates === undefined || report.outcome === 'failed') return false; // It had no time for its step.
      expect(report).toMatchObject({ outcome: 'succeeded' });
      expect(report.gates.map(({ failure }) => failure)).toEqual(['ChangeFreeze', null]);
      expect(await stack.accepted(instanceId)).toEqual(['stop']);
      return true;
    }));

  it('waits and expires if it may not wait long enough', async () => {
    const { instanceId, path } = await stack.newInstance();
    await frozenNow('expired');
    const report = await stack.run('restart', path, { freeze: ['expired'], waitAtMost: '1500ms' });
    expect(report).toMatchObject({ outcome: 'expired', failure: { name: 'ChangeFreeze' }, notStarted: [path] });
    expect(report.gates).toMatchObject([{ failure: 'ChangeFreeze', looks: 2 }]);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('continues if the freeze is lifted while it waits', () =>
    withLead(async (leadMs) => {
      const { path } = await stack.newInstance();
      await frozenNow('lifted');
      const start = { targets: [path], freeze: ['lifted'], waitAtMost: `${leadMs}ms` };
      const workflowId = await stack.start('restart', start);
      const waits = await comesToWait(workflowId);
      await freeze('lifted');
      const { outcome } = await stack.report(workflowId);
      return waits && outcome === 'succeeded';
    }));

  it('keeps waiting if the freeze is extended', () =>
    withLead(async (leadMs) => {
      const { path } = await stack.newInstance();
      await frozenNow('longer', leadMs);
      const start = { targets: [path], freeze: ['longer'], waitAtMost: `${2 * leadMs}ms` };
      const workflowId = await stack.start('restart', start);
      const waits = await comesToWait(workflowId);
      await frozenNow('longer');
      const { outcome, gates } = await stack.report(workflowId);
      // If the first freeze was over before that, it ran.
      return waits && outcome === 'expired' && gates?.length === 2;
    }));

  it('that is cancelled while it waits touches nothing', async () => {
    const { instanceId, path } = await stack.newInstance();
    await frozenNow('cancelled');
    const workflowId = await stack.start('restart', { targets: [path], freeze: ['cancelled'], waitAtMost: '1h' });
    await isWaiting(workflowId);
    await temporal.client.workflow.getHandle(workflowId).cancel();
    expect(await stack.report(workflowId)).toMatchObject({ outcome: 'cancelled', notStarted: [path] });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('is planned all the same, with what is frozen', async () => {
    const { path } = await stack.newInstance();
    await frozenNow('planned');
    const client = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
    const plan = await client.plan('restart', { targets: [path], freeze: ['planned', 'never'], waitAtMost: '90m' });
    expect(plan.guards).toMatchObject({
      window: null,
      freeze: ['planned', 'never'],
      waitAtMostMs: 1.5 * HOUR,
      coming: [{ calendar: 'planned', name: 'Test freeze' }],
    });
  });
});

describe.concurrent('a calendar', () => {
  it('that does not exist refuses the plan, with the known names', async () => {
    const { path } = await stack.newInstance();
    const report = await stack.run('restart', path, { freeze: ['neverr'] });
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidPlan' } });
    expect(report.failure?.message).toMatch(
      /there is no calendar "neverr". Known calendars: .*guarded.*Did you mean never/,
    );
  });

  it('that is broken refuses the plan, with its line', async () => {
    const { path } = await stack.newInstance();
    await writeFile(
      join(folder, 'broken.ics'),
      'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:soon\nEND:VEVENT\nEND:VCALENDAR',
    );
    const report = await stack.run('restart', path, { freeze: ['broken'] });
    expect(report.failure?.message).toContain('broken.ics:3: DTSTART "soon" is not a time');
  });

  it('that is half copied while a run is planned is waited for, if the run may wait', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await stack.newInstance();
      await writeFile(join(folder, 'half.yaml'), 'timezone: UTC\nfreezes: [');
      const start = { targets: [path], freeze: ['half'], waitAtMost: `${leadMs}ms` };
      const client = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
      const { guards } = await client.plan('restart', start);
      expect(guards?.unreadable).toMatchObject([expect.stringContaining('half.yaml:2:11')]);
      const workflowId = await stack.start('restart', start);
      await comesToWait(workflowId);
      await freeze('half');
      const report = await stack.report(workflowId);
      expect(report.gates?.[0]?.why).toContain('half.yaml:2:11');
      if (report.outcome === 'expired') return false;
      expect(report).toMatchObject({ outcome: 'succeeded', gates: [{ failure: 'ChangeFreeze' }, { failure: null }] });
      expect(await stack.accepted(instanceId)).toEqual(['restart']);
      return true;
    }));

  it('that is half copied refuses the plan of a run that may wait for no time', async () => {
    const { path } = await stack.newInstance();
    await writeFile(join(folder, 'hurried.yaml'), 'timezone: UTC\nfreezes: [');
    const report = await stack.run('restart', path, { freeze: ['hurried'], waitAtMost: '0s' });
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidPlan' } });
  });

  it('that does not exist is not waited for', async () => {
    const { path } = await stack.newInstance();
    const report = await stack.run('restart', path, { freeze: ['guardedd'], waitAtMost: '1h' });
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidPlan' } });
    expect(report.failure?.message).toContain('there is no calendar "guardedd"');
  });

  it('that cannot be read any more counts as frozen', () =>
    withLead(async (leadMs) => {
      const { path } = await stack.newInstance();
      await frozenNow('unreadable');
      const start = { targets: [path], freeze: ['unreadable'], waitAtMost: `${leadMs}ms` };
      const workflowId = await stack.start('restart', start);
      await comesToWait(workflowId);
      await writeFile(join(folder, 'unreadable.yaml'), 'freezes: [');
      const report = await stack.report(workflowId);
      expect(report).toMatchObject({ outcome: 'expired', failure: { name: 'ChangeFreeze' } });
      // Otherwise its last check was before that.
      return /a calendar cannot be read, which counts as frozen: .*unreadable\.yaml:1:11/.test(
        report.failure?.message ?? '',
      );
    }));
});

/** Two targets, taken in the order of their names. */
async function two() {
  const first = await stack.newInstance({ name: `a-${newSeed()}` });
  const second = await stack.newInstance({ name: `b-${newSeed()}` });
  return { first, second, targets: [first.path, second.path] };
}

describe.concurrent('a target that has begun', () => {
  it('is finished after the cut-off; the next target is not begun', () =>
    withLead(async (leadMs) => {
      const { first, second, targets } = await two();
      await stack.control.outcome({ instanceId: first.instanceId, neverEnds: true });
      const window = { duration: '1h', cutoff: `${HOUR - leadMs}ms` };
      const workflowId = await stack.start('restart', { targets, window });
      const isOver = async () => (await progress(workflowId)).phase === 'finished';
      await until(async () => (await stack.accepted(first.instanceId)).length === 1 || (await isOver()));
      if (await isOver()) return false; // The cut-off had passed before.
      const { startTime } = await temporal.client.workflow.getHandle(workflowId).describe();
      await until(() => Date.now() > startTime.getTime() + leadMs);
      await stack.control.finish(first.instanceId);
      expect(await stack.report(workflowId)).toMatchObject({
        outcome: 'expired',
        failure: { name: 'OutsideWindow' },
        targets: [{ path: first.path, outcome: 'succeeded' }],
        notStarted: [second.path],
      });
      expect(await stack.accepted(second.instanceId)).toEqual([]);
      return true;
    }));

  it('is finished in a freeze; the next target is not begun', async () => {
    const { first, second, targets } = await two();
    await freeze('midway');
    await stack.control.outcome({ instanceId: first.instanceId, neverEnds: true });
    const workflowId = await stack.start('restart', { targets, freeze: ['midway'] });
    await until(async () => (await stack.accepted(first.instanceId)).length === 1);
    await frozenNow('midway');
    await stack.control.finish(first.instanceId);
    expect(await stack.report(workflowId)).toMatchObject({
      outcome: 'expired',
      failure: { name: 'ChangeFreeze' },
      targets: [{ outcome: 'succeeded' }],
      notStarted: [second.path],
      gates: [{ target: second.path }],
    });
  });

  it('is undone in a freeze', async () => {
    const { instanceId, path } = await stack.newInstance();
    await freeze('undone');
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED', neverEnds: true });
    const workflowId = await stack.start('guarded', { targets: [path], freeze: ['undone'] });
    await until(async () => (await stack.accepted(instanceId)).length === 2);
    await frozenNow('undone');
    await stack.control.finish(instanceId);
    const report = await stack.report(workflowId);
    expect(report.targets[0]?.compensations).toMatchObject([{ result: 'succeeded' }]);
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart', 'scale']);
    expect(report.gates).toBeUndefined();
  });

  it('is undone by a cancel in a freeze', async () => {
    const { instanceId, path } = await stack.newInstance();
    await freeze('stopped');
    const workflowId = await stack.start('stop-then-wait', { targets: [path], freeze: ['stopped'] });
    await until(async () => (await stack.control.instance(instanceId)).status === 'STOPPED');
    await frozenNow('stopped');
    await temporal.client.workflow.getHandle(workflowId).cancel();
    expect(await stack.report(workflowId)).toMatchObject({ outcome: 'cancelled' });
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
  });
});

describe.concurrent('a run without guards', () => {
  it('checks no gate', async () => {
    const { path } = await stack.newInstance();
    const workflowId = await stack.start('restart', { targets: [path] });
    expect((await stack.report(workflowId)).gates).toBeUndefined();
    const markers = (await eventsOf(workflowId)).filter((event) => event.markerRecordedEventAttributes != null);
    expect(markers).toHaveLength(1); // The lease is described.
  });
});

describe.concurrent('a schedule', () => {
  it('passes its nominal time to a late start, so the window counts as over', async () => {
    const { path } = await stack.newInstance();
    const scheduleId = `gates-${newSeed()}`;
    const handle = await temporal.client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: '1h' }] },
      policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: '1d' },
      state: { paused: true },
      action: {
        type: 'startWorkflow',
        workflowType: 'restart',
        taskQueue: temporal.taskQueue,
        args: [{ targets: [path], window: { duration: '30m' } }],
      },
    });
    const now = Date.now();
    await handle.backfill({ start: new Date(now - 2.5 * HOUR), end: new Date(now - HOUR), overlap: 'ALLOW_ALL' });
    await until(async () => (await handle.describe()).info.recentActions.length > 0);
    const [taken] = (await handle.describe()).info.recentActions;
    const workflowId = taken?.action.workflow.workflowId ?? '';
    const report = await stack.report(workflowId);
    await handle.delete();
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'OutsideWindow' } });
    const nominal = iso(Math.floor((now - HOUR) / HOUR) * HOUR).slice(0, 19);
    expect(
      [nominal, iso(Date.parse(`${nominal}Z`) - HOUR).slice(0, 19)].some((time) =>
        report.failure?.message.includes(`open ${time}Z`),
      ),
    ).toBe(true);
  });
});
