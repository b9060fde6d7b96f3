/**
 * A gate that closes after the check that found it open and before the first action: nothing is begun, and what had
 * begun continues.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WITHDRAW_SIGNAL } from '../../src/domain/alarms/alarm.js';
import type { TargetReport } from '../../src/domain/report/report.js';
import type { RunProgress } from '../../src/domain/report/progress.js';
import { leaseId } from '../../src/domain/target/target.js';
import { writeFreezes } from '../support/freezes.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { withLead } from '../support/with-lead.js';

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
const HOUR = 3_600_000;

/** An instance with somebody's cloud job in flight: the first action waits until the test finishes it. */
async function busyInstance() {
  const instance = await stack.newInstance();
  await stack.control.outcome({ instanceId: instance.instanceId, action: 'scale', neverEnds: true });
  await stack.control.console({ instanceId: instance.instanceId, action: 'scale', parameters: { replica: 3 } });
  return instance;
}

/**
 * Writes a freeze that begins after `leadMs`, rounded up to a whole second, and lasts `lastsMs`. @returns when it
 * begins
 */
async function frozenIn(leadMs: number, calendar: string, lastsMs: number): Promise<number> {
  const fromMs = Math.ceil((Date.now() + leadMs) / SECOND) * SECOND;
  await writeFreezes(folder, calendar, [fromMs, fromMs + lastsMs]);
  return fromMs;
}

/** A window whose cut-off is that soon after the start of the run. */
const closingIn = (leadMs: number) => ({ duration: '1h', cutoff: `${HOUR - leadMs}ms` });
const past = (atMs: number) => until(() => Date.now() > atMs);
const startedAtMs = async (workflowId: string) =>
  (await temporal.client.workflow.getHandle(workflowId).describe()).startTime.getTime();
/** Waits until the run found its gate open and waits for its instance. @returns false if the gate had closed before */
async function comesToItsTarget(workflowId: string): Promise<boolean> {
  let hasBegun = false;
  await until(async () => {
    const { phase, targets } = await progressOf(workflowId);
    hasBegun = targets.some(({ childRunId }) => childRunId !== null);
    return hasBegun || phase === 'waiting' || phase === 'finished';
  });
  return hasBegun;
}

describe.concurrent('a first action that would come after', () => {
  it('the cut-off is not sent: the run is refused, with the window in its report', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await busyInstance();
      const workflowId = await stack.start('restart', { targets: [path], window: closingIn(leadMs) });
      const hasBegun = await comesToItsTarget(workflowId);
      await past((await startedAtMs(workflowId)) + leadMs);
      await stack.control.finish(instanceId);
      const report = await stack.report(workflowId);
      expect(report).toMatchObject({
        outcome: 'refused',
        failure: { name: 'OutsideWindow' },
        targets: [],
        notStarted: [path],
        gates: [{ target: path, failure: 'OutsideWindow' }],
      });
      expect(report.failure?.message).toContain('its cut-off has passed');
      expect(await stack.accepted(instanceId)).toEqual([]);
      return hasBegun;
    }));

  it('the beginning of a freeze is sent after its end, if the run may wait', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await busyInstance();
      const fromMs = await frozenIn(leadMs, 'passing', 2 * leadMs);
      const start = { targets: [path], freeze: ['passing'], waitAtMost: '1h' };
      const workflowId = await stack.start('restart', start);
      const hasBegun = await comesToItsTarget(workflowId);
      await past(fromMs);
      await stack.control.finish(instanceId);
      const report = await stack.report(workflowId);
      expect(report).toMatchObject({ outcome: 'succeeded', targets: [{ outcome: 'succeeded' }] });
      expect(await stack.accepted(instanceId)).toEqual(['restart']);
      // If the freeze was over before a check found it, the report does not mention it.
      if (!hasBegun || report.gates === undefined) return false;
      expect(report.gates.map(({ failure }) => failure)).toEqual(['ChangeFreeze', null]);
      const thawed = report.gates.at(-1);
      expect(report.targets[0]?.steps[0]?.startedAtMs).toBeGreaterThanOrEqual(thawed?.firstLookAtMs ?? Infinity);
      return true;
    }));

  it('the beginning of a freeze lets the run expire, if it may not wait that long', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await busyInstance();
      const fromMs = await frozenIn(leadMs, 'lasting', HOUR);
      const workflowId = await stack.start('restart', { targets: [path], freeze: ['lasting'], waitAtMost: '1s' });
      const hasBegun = await comesToItsTarget(workflowId);
      await past(fromMs);
      await stack.control.finish(instanceId);
      const report = await stack.report(workflowId);
      expect(report).toMatchObject({ outcome: 'expired', failure: { name: 'ChangeFreeze' }, notStarted: [path] });
      expect(await stack.accepted(instanceId)).toEqual([]);
      return hasBegun;
    }));

  it('the beginning of a freeze that was lifted meanwhile is sent', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await busyInstance();
      const fromMs = await frozenIn(leadMs, 'liftedSoon', HOUR);
      const workflowId = await stack.start('restart', { targets: [path], freeze: ['liftedSoon'] });
      const hasBegun = await comesToItsTarget(workflowId);
      await writeFreezes(folder, 'liftedSoon');
      await past(fromMs);
      await stack.control.finish(instanceId);
      const report = await stack.report(workflowId);
      if (!hasBegun) return false;
      expect(report).toMatchObject({ outcome: 'succeeded' });
      expect(report.gates?.map(({ failure }) => failure)).toEqual(['ChangeFreeze', null]);
      expect(await stack.accepted(instanceId)).toEqual(['restart']);
      return true;
    }));

  it('the beginning of a freeze is not sent after its end if the run was withdrawn meanwhile', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await busyInstance();
      const fromMs = await frozenIn(leadMs, 'withdrawnBefore', leadMs);
      const start = { targets: [path], freeze: ['withdrawnBefore'], waitAtMost: '1h' };
      const workflowId = await stack.start('restart', start);
      const hasBegun = await comesToItsTarget(workflowId);
      await temporal.client.workflow.getHandle(workflowId).signal(WITHDRAW_SIGNAL, 'a test');
      await past(fromMs);
      await stack.control.finish(instanceId);
      const report = await stack.report(workflowId);
      if (report.gates === undefined) return false; // The freeze was over before it was found.
      expect(report).toMatchObject({ outcome: 'cancelled', withdrawnBy: 'a test' });
      expect(await stack.accepted(instanceId)).toEqual([]);
      return hasBegun;
    }));

  it('the beginning of a freeze leaves the run with nothing begun, so it can be withdrawn', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await busyInstance();
      const fromMs = await frozenIn(leadMs, 'withdrawn', HOUR);
      const workflowId = await stack.start('restart', { targets: [path], freeze: ['withdrawn'], waitAtMost: '1h' });
      const hasBegun = await comesToItsTarget(workflowId);
      await past(fromMs);
      await stack.control.finish(instanceId);
      await until(async () => (await progressOf(workflowId)).phase === 'waiting');
      expect(await progressOf(workflowId)).toMatchObject({ targets: [{ childRunId: null, outcome: null }] });
      await temporal.client.workflow.getHandle(workflowId).signal(WITHDRAW_SIGNAL, 'a test');
      expect(await stack.report(workflowId)).toMatchObject({ outcome: 'cancelled', withdrawnBy: 'a test' });
      expect(await stack.accepted(instanceId)).toEqual([]);
      return hasBegun;
    }));
});

describe.concurrent('a run that had begun', () => {
  /** A run whose first action is sent before the cut-off, and whose cloud job lasts until the test finishes it. */
  async function pastItsCutoff(leadMs: number) {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('guarded', { targets: [path], window: closingIn(leadMs) });
    const isOver = async () => (await progressOf(workflowId)).phase === 'finished';
    const isSent = async () => (await stack.accepted(instanceId)).length === 1;
    await until(async () => (await isSent()) || (await isOver()));
    if (!(await isSent())) return null; // The cut-off had passed before.
    await past((await startedAtMs(workflowId)) + leadMs);
    return { instanceId, workflowId };
  }

  it('continues with its next steps after the cut-off', () =>
    withLead(async (leadMs) => {
      const run = await pastItsCutoff(leadMs);
      if (run === null) return false;
      await stack.control.finish(run.instanceId);
      const report = await stack.report(run.workflowId);
      expect(report).toMatchObject({ outcome: 'succeeded' });
      expect(report.gates).toBeUndefined();
      expect(await stack.accepted(run.instanceId)).toEqual(['scale', 'restart']);
      return true;
    }));

  it('continues after the cut-off if its workflow was reset meanwhile', () =>
    withLead(async (leadMs) => {
      const run = await pastItsCutoff(leadMs);
      if (run === null) return false;
      const { instanceId } = run;
      const lease = leaseId({ projectId: stack.simulator.projectId, instanceId });
      const resetRunId = await resetToFirstAction(lease);
      await stack.control.finish(instanceId);
      const report = (await temporal.client.workflow.getHandle(lease, resetRunId).result()) as TargetReport;
      expect(report).toMatchObject({ outcome: 'succeeded', steps: [{ id: 'scale' }, { result: 'succeeded' }] });
      expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart']);
      return true;
    }));
});

// Alone, since a 429 holds up every request of the worker.
describe('a first action that would come after', () => {
  it('the cut-off, because ServiceStage was busy before, is not sent either', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await stack.newInstance();
      const fault = { kind: 'throttle', retryAfterSeconds: leadMs / SECOND };
      const { id } = await stack.control.fault({ on: { route: 'action', instanceId }, times: 1, fault });
      const report = await stack.run('restart', path, { window: closingIn(leadMs) });
      expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'OutsideWindow' }, notStarted: [path] });
      expect(await stack.accepted(instanceId)).toEqual([]);
      return (await stack.control.faults()).some((each) => each.id === id && each.hits === 1);
    }));
});

/**
 * Resets to before the workflow task that scheduled the first action. @returns the id of the run that continues from
 * there
 */
async function resetToFirstAction(workflowId: string): Promise<string> {
  const { client } = temporal;
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const first = events
    ?.map(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled)
    .find((scheduled) => scheduled?.activityType?.name === 'performAction');
  const reset: Promise<{ runId: string }> = client.connection.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'a test',
    workflowTaskFinishEventId: first?.workflowTaskCompletedEventId ?? null,
    requestId: `reset-${runId}`,
  });
  return (await reset).runId;
}

function progressOf(workflowId: string) {
  return temporal.client.workflow.getHandle(workflowId).query<RunProgress>('progress');
}
