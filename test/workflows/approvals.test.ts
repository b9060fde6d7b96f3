/** Approvals against a real server: of a whole run and of a step, at a wrong moment, rejected, expired, repeated, while the run is paused, after a reset. */
import { fileURLToPath } from 'node:url';
import { WithStartWorkflowOperation, type WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  APPROVAL_SIGNAL,
  PROGRESS_QUERY,
  type ApprovalOrder,
  type TargetRunArguments,
} from '../../src/domain/contract.js';
import type { Plan } from '../../src/domain/plan/plan.js';
import type { RunReport, TargetReport } from '../../src/domain/report/report.js';
import type { RunProgress, TargetProgress } from '../../src/domain/report/progress.js';
import type { CommandName } from '../../src/domain/steering/command-names.js';
import type { CommandAnswer } from '../../src/domain/steering/commands.js';
import { leaseId } from '../../src/domain/target/target.js';
import { timeOf } from '../chaos/history-events.js';
import { firedTimers, startQuickly } from '../support/quick-runs.js';
import { TIMES_QUICKER } from '../support/quick-timers.js';
import { refusalOf } from '../support/refusal.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until, untilFound } from '../support/until.js';

/** `RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL` of Temporal's API. */
const RESET_WITHOUT_SIGNALS = 1;

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  const runbooks = fileURLToPath(new URL('./runbooks', import.meta.url));
  stack = await startStack(temporal, { runbookDirectories: [runbooks] });
});
afterAll(() => stack.close());

const runProgress = (workflowId: string) =>
  temporal.client.workflow.getHandle(workflowId).query<RunProgress>(PROGRESS_QUERY);

async function command(
  workflowId: string,
  name: CommandName,
  actor: string,
  more: object = {},
): Promise<CommandAnswer> {
  const handle = temporal.client.workflow.getHandle(workflowId);
  return handle.executeUpdate<CommandAnswer, [object]>(name, {
    args: [{ actor, reason: `${name} by ${actor}`, ...more }],
  });
}

/** Decides with the hash of the run's own plan. */
async function decide(workflowId: string, name: 'approve' | 'reject', actor: string, more: object = {}) {
  const { planHash } = await runProgress(workflowId);
  return command(workflowId, name, actor, { planHash, ...more });
}

async function stateAttribute(workflowId: string): Promise<unknown> {
  const { searchAttributes } = await temporal.client.workflow.getHandle(workflowId).describe();
  return (searchAttributes as Record<string, unknown[]>)['RunbookState']?.[0];
}

/** A run on a new instance, once it waits for an approval. */
async function waiting(runbook: string) {
  const instance = await stack.newInstance();
  const workflowId = await stack.start(runbook, { targets: [instance.path], requestedBy: 'ann' });
  const approval = await untilFound(async () => {
    const progress = await runProgress(workflowId);
    return progress.approval ?? progress.targets[0]?.approval ?? null;
  });
  return { ...instance, workflowId, approval };
}

/** Only a message moves such a workflow on. */
const hasNothingUnderWay = ({ raw }: WorkflowExecutionDescription) =>
  raw.pendingWorkflowTask == null && (raw.pendingActivities ?? []).length === 0;

const steps = ({ targets }: RunReport) => targets[0]?.steps.map(({ id, result }) => `${id} ${result}`);

describe.concurrent('the approval of a run', () => {
  it('needs different people, none of them the requester, before anything is touched', async () => {
    const { workflowId, instanceId, approval } = await waiting('needs-approval');
    expect(approval).toMatchObject({ step: null, need: 2, votes: [] });
    await until(async () => (await stateAttribute(workflowId)) === 'waitingForApproval');
    expect(await refusalOf(decide(workflowId, 'approve', ' Ann'))).toMatch(
      /Ann requested the run, so somebody else must/,
    );
    expect(await decide(workflowId, 'approve', 'bob')).toMatchObject({ state: 'waitingForApproval' });
    expect(await refusalOf(decide(workflowId, 'approve', 'BOB'))).toMatch(
      /BOB has approved it already, and 2 different/,
    );
    expect(await refusalOf(command(workflowId, 'approve', 'cyd'))).toMatch(/"planHash" of approve must be text/);
    expect(await refusalOf(decide(workflowId, 'approve', 'cyd', { planHash: 'x'.repeat(64) }))).toMatch(/another hash/);
    expect(await refusalOf(decide(workflowId, 'approve', 'cyd', { step: 'restart' }))).toMatch(/the whole run waits/);
    expect((await runProgress(workflowId)).approval?.votes).toMatchObject([{ actor: 'bob' }]);
    expect(await stack.accepted(instanceId)).toEqual([]);
    expect(await decide(workflowId, 'approve', 'cyd', { key: 'k' })).toMatchObject({ state: 'approved' });
    const report = await stack.report(workflowId);
    expect(report).toMatchObject({
      outcome: 'succeeded',
      approval: { result: 'approved', need: 2, votes: [{ actor: 'bob' }, { actor: 'cyd', reason: 'approve by cyd' }] },
      commands: [
        { command: 'approve', actor: 'bob' },
        { command: 'approve', actor: 'cyd', key: 'k' },
      ],
    });
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
    expect((await stateAttribute(workflowId)) ?? null).toBeNull();
  });

  it('is rejected by one person, and then nothing is touched', async () => {
    const { workflowId, instanceId } = await waiting('needs-approval');
    await decide(workflowId, 'approve', 'bob');
    expect(await decide(workflowId, 'reject', 'bob')).toMatchObject({ state: 'rejected' });
    const report = await stack.report(workflowId);
    expect(report).toMatchObject({
      outcome: 'refused',
      failure: { name: 'ApprovalRejected', message: 'Rejected by bob: reject by bob' },
      approval: { result: 'rejected' },
      targets: [],
    });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('expires, and then nothing is touched', async () => {
    const { workflowId, instanceId } = await waiting('short-approval');
    const report = await stack.report(workflowId);
    expect(report).toMatchObject({
      outcome: 'expired',
      failure: { name: 'ApprovalExpired' },
      approval: { result: 'expired', votes: [] },
    });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('counts a repeat with the same key once', async () => {
    const { workflowId } = await waiting('needs-approval');
    const first = await decide(workflowId, 'approve', 'bob', { key: 'k' });
    expect(await decide(workflowId, 'approve', 'bob', { key: 'k' })).toEqual({ ...first, repeated: true });
    expect(await refusalOf(decide(workflowId, 'reject', 'bob', { key: 'k' }))).toMatch(/key "k" was used for approve/);
    await command(workflowId, 'abort', 'ann');
    expect(await stack.report(workflowId)).toMatchObject({ outcome: 'cancelled', approval: { result: 'cancelled' } });
  });

  it('can be given while the run is paused, which then continues only after resume', async () => {
    const { workflowId, instanceId } = await waiting('needs-approval');
    expect(await command(workflowId, 'pause', 'ann')).toMatchObject({ state: 'paused' });
    await decide(workflowId, 'approve', 'bob');
    await decide(workflowId, 'approve', 'cyd');
    await until(async () => (await runProgress(workflowId)).approval === undefined);
    expect(await refusalOf(decide(workflowId, 'approve', 'dan'))).toMatch(/nothing waits for an approval/);
    expect(await stack.accepted(instanceId)).toEqual([]);
    await command(workflowId, 'resume', 'ann');
    expect((await stack.report(workflowId)).outcome).toBe('succeeded');
  });

  it('is not possible if it is not known who requested the run, so planning refuses it', async () => {
    const { path } = await stack.newInstance();
    const workflowId = await stack.start('needs-approval', { targets: [path] });
    const report = await stack.report(workflowId);
    expect(report.failure?.message).toMatch(/requestedBy: it is missing, and the requester cannot approve the run/);
  });
});

describe.concurrent('the approval of a step', () => {
  it('holds the next step back, and is sent to the run', async () => {
    const { workflowId, instanceId, path, approval } = await waiting('work-between');
    expect(approval).toMatchObject({ step: 'work-done', title: 'The work is done' });
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
    expect(await refusalOf(decide(workflowId, 'approve', 'bob', { target: 'a/b/c' }))).toContain(path);
    expect(await decide(workflowId, 'approve', 'ann')).toMatchObject({ state: 'approved' });
    const report = await stack.report(workflowId);
    expect(steps(report)).toEqual(['stop succeeded', 'work-done succeeded', 'start succeeded']);
    expect(report.targets[0]?.steps[1]?.approval).toMatchObject({ result: 'approved', votes: [{ actor: 'ann' }] });
    expect(report.commands).toMatchObject([{ command: 'approve', step: 'work-done', target: path }]);
  });

  it('fails when it is rejected, and what was done is undone', async () => {
    const { workflowId, instanceId } = await waiting('work-between');
    await decide(workflowId, 'reject', 'bob', { step: 'work-done' });
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('compensated');
    expect(steps(report)).toEqual(['stop succeeded', 'work-done failed']);
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
  });

  it('that is rejected while the run is paused is undone after the pause, and the run shows paused until then', async () => {
    const { workflowId, instanceId } = await waiting('work-between');
    await command(workflowId, 'pause', 'ann');
    await until(async () => (await runProgress(workflowId)).pause?.state === 'paused');
    await decide(workflowId, 'reject', 'bob');
    const target = temporal.client.workflow.getHandle(leaseId({ ...stack.simulator, instanceId }));
    await until(async () => (await target.query<TargetProgress>(PROGRESS_QUERY)).approval === undefined);
    await until(async () => hasNothingUnderWay(await target.describe()));
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
    expect((await runProgress(workflowId)).pause?.state).toBe('paused');
    await command(workflowId, 'resume', 'ann');
    expect((await stack.report(workflowId)).outcome).toBe('compensated');
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
  });

  it('fails when it expires', async ({ onTestFinished }) => {
    const { instanceId, path } = await stack.newInstance();
    const started = { runbook: 'short-work', targets: [path], requestedBy: 'ann' };
    const report = await stack.report(await startQuickly(temporal, stack, started, onTestFinished));
    expect(report.outcome).toBe('compensated');
    expect(report.targets[0]?.steps[1]?.failure?.name).toBe('ApprovalExpired');
    // A decision that the run took in time may arrive 10 s later.
    const latestMs = (report.targets[0]?.steps[1]?.approval?.askedAtMs ?? 0) + 11_000;
    const [timer, ...others] = await firedTimers(temporal, leaseId({ ...stack.simulator, instanceId }));
    expect(others).toEqual([]);
    expect(timer?.untilMs).toBeGreaterThanOrEqual(latestMs);
    expect(timer?.untilMs).toBeLessThan(latestMs + TIMES_QUICKER);
  });

  it('ends with the run that is aborted', async () => {
    const { workflowId } = await waiting('work-between');
    await command(workflowId, 'abort', 'ann');
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('cancelled');
    expect(steps(report)).toEqual(['stop succeeded', 'work-done cancelled']);
  });
});

describe('the approval of a step that is rejected after a reset', () => {
  it('has what the run before sent settled and undone, and nothing new is sent', async ({ onTestFinished }) => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    // Apart from the others: a replay takes the id of the original run for that of the reset run, so it decides otherwise.
    const taskQueue = `${temporal.taskQueue}-reset-approved`;
    const begin = () => stack.beginWorker(taskQueue, onTestFinished);
    const stopFirst = await begin();
    const workflowId = `approved-scale-${instanceId}`;
    const args = [{ targets: [path], requestedBy: 'ann' }];
    await temporal.client.workflow.start('approved-scale', { workflowId, taskQueue, args });
    await untilFound(async () => (await runProgress(workflowId)).targets[0]?.approval ?? null);
    await decide(workflowId, 'approve', 'bob');
    await until(async () => (await stack.accepted(instanceId)).length === 2);
    await stopFirst();
    const lease = leaseId({ projectId: stack.simulator.projectId, instanceId });
    const reset = await resetBeforeVote(lease);
    await begin();
    const { step, askedAtMs } = await untilFound(async () => {
      const { approval } = await reset.query<TargetProgress>(PROGRESS_QUERY);
      return approval ?? null;
    });
    const vote = { command: 'reject', actor: 'cyd', reason: 'not now', atMs: askedAtMs + 1 } as const;
    await reset.signal<[ApprovalOrder]>(APPROVAL_SIGNAL, { step: step ?? '', askedAtMs, vote });
    await stack.control.finish(instanceId);
    const report: TargetReport = await reset.result();
    const results = report.steps.map(({ id, result }) => `${id} ${result}`);
    expect(results).toEqual(['restart succeeded', 'approval failed', 'scale failed']);
    expect(report.steps[1]).toMatchObject({ sent: 'no', failure: { name: 'ApprovalRejected' } });
    expect(report.steps[2]).toMatchObject({ sent: 'yes', failure: { name: 'ApprovalRejected' } });
    expect(report.outcome).toBe('compensated');
    expect(await stack.accepted(instanceId)).toEqual(['restart', 'scale', 'scale']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ replica: 2 });
  });

  /** Resets the target to a time when it waited for the approval. The vote is not sent again. */
  async function resetBeforeVote(lease: string) {
    const { runId } = await temporal.client.workflow.getHandle(lease).describe();
    const { events } = await temporal.client.workflow.getHandle(lease, runId).fetchHistory();
    const signalled = (events ?? []).findIndex(
      ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === APPROVAL_SIGNAL,
    );
    const waited = (events ?? [])
      .slice(0, signalled)
      .findLast(({ workflowTaskCompletedEventAttributes: ended }) => ended);
    const reset: { runId: string } = await temporal.client.connection.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: lease, runId },
      reason: 'a test',
      workflowTaskFinishEventId: waited?.eventId ?? null,
      requestId: `reset-${runId}`,
      resetReapplyExcludeTypes: [RESET_WITHOUT_SIGNALS],
    });
    return temporal.client.workflow.getHandle(lease, reset.runId);
  }
});

describe.concurrent('a runbook for emergencies', () => {
  it('is started by a person, and waits for nothing', async () => {
    const { instanceId, path } = await stack.newInstance();
    const frozen = await stack.start('emergency-stop', { targets: [path], freeze: ['any'] });
    expect((await stack.report(frozen)).failure?.message).toMatch(
      /emergency-stop is for emergencies and waits for nothing/,
    );
    const workflowId = await stack.start('emergency-stop', { targets: [path] });
    expect((await stack.report(workflowId)).outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
  });

  it('begins all its targets at once, and none keeps another one from being stopped', async () => {
    const [first, second, third] = [await stack.newInstance(), await stack.newInstance(), await stack.newInstance()];
    const both = [first, second];
    for (const { instanceId } of both) await stack.control.outcome({ instanceId, action: 'stop', neverEnds: true });
    await stack.control.outcome({ instanceId: third.instanceId, action: 'stop', executionStatus: 'FAILED' });
    const targets = [...both, third].map(({ path }) => path);
    const workflowId = await stack.start('emergency-stop', { targets });
    const accepted = async () => (await Promise.all(both.map(({ instanceId }) => stack.accepted(instanceId)))).flat();
    await until(async () => (await accepted()).length === 2);
    const state = async () => (await runProgress(workflowId)).pause?.state;
    const outcomes = async () => (await runProgress(workflowId)).targets.map(({ outcome }) => outcome ?? 'open').sort();
    await until(async () => (await outcomes()).join() === 'failed,open,open');
    expect(await command(workflowId, 'pause', 'ann')).toMatchObject({ state: 'pausing' });
    await stack.control.finish(first.instanceId);
    await until(async () => (await outcomes()).join() === 'failed,open,succeeded');
    expect(await state()).toBe('pausing');
    await stack.control.finish(second.instanceId);
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('failed');
    expect(report.notStarted).toEqual([]);
    expect(report.targets.map(({ path }) => path)).toEqual([...targets].sort());
    expect(report.targets.map(({ outcome }) => outcome).sort()).toEqual(['failed', 'succeeded', 'succeeded']);
    const began = report.targets.flatMap(({ steps }) => steps.map(({ startedAtMs }) => startedAtMs));
    const ended = report.targets.flatMap(({ steps }) => steps.map(({ endedAtMs }) => endedAtMs));
    expect(Math.max(...began)).toBeLessThan(Math.min(...ended));
  });

  it('is cancelled on all its targets', async () => {
    const both = [await stack.newInstance(), await stack.newInstance()];
    for (const { instanceId } of both) await stack.control.outcome({ instanceId, action: 'stop', neverEnds: true });
    const workflowId = await stack.start('emergency-stop', { targets: both.map(({ path }) => path) });
    for (const { instanceId } of both) await until(async () => (await stack.accepted(instanceId)).length === 1);
    await command(workflowId, 'abort', 'ann');
    for (const { instanceId } of both) await stack.control.finish(instanceId);
    const report = await stack.report(workflowId);
    expect(report.targets.map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
  });

  it('that is paused before it begins has that time once, however many targets wait', async () => {
    const targets = [await stack.newInstance(), await stack.newInstance(), await stack.newInstance()];
    const workflowId = `paused-first-${targets[0]?.instanceId}`;
    const startWorkflowOperation = new WithStartWorkflowOperation('emergency-stop', {
      workflowId,
      taskQueue: temporal.taskQueue,
      args: [{ targets: targets.map(({ path }) => path) }],
      workflowIdConflictPolicy: 'FAIL',
    });
    const pause = { actor: 'ann', reason: 'wait' };
    await temporal.client.workflow.executeUpdateWithStart('pause', { startWorkflowOperation, args: [pause] });
    await until(async () => (await runProgress(workflowId)).phase === 'running');
    await command(workflowId, 'resume', 'ann');
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
    const read = (payload: Payload | null | undefined): unknown =>
      defaultPayloadConverter.fromPayload(payload as Payload);
    const afterPlan = events?.slice(events.findIndex((event) => event.activityTaskCompletedEventAttributes)) ?? [];
    const { deadlineMs } = read(afterPlan[0]?.activityTaskCompletedEventAttributes?.result?.payloads?.[0]) as Plan;
    const begun = afterPlan.find((event) => event.workflowTaskStartedEventAttributes);
    const deadlines = (events ?? []).flatMap(({ startChildWorkflowExecutionInitiatedEventAttributes: child }) =>
      child ? [(read(child.input?.payloads?.[0]) as TargetRunArguments).deadlineAtMs] : [],
    );
    // The pause counts from when the run is planned.
    const pausedMs = (report.commands?.[1]?.atMs ?? 0) - Math.floor(begun === undefined ? 0 : timeOf(begun));
    const unpausedMs = report.startedAtMs + deadlineMs;
    expect(deadlines).toHaveLength(3);
    for (const deadlineAtMs of deadlines) {
      expect(deadlineAtMs).toBeGreaterThan(unpausedMs);
      expect(deadlineAtMs).toBeLessThanOrEqual(unpausedMs + pausedMs);
    }
  });

  it('is never started by a schedule, even one that no file describes', async () => {
    const { instanceId, path } = await stack.newInstance();
    const scheduleId = `emergency-${instanceId}`;
    const workflowId = `run-of-${scheduleId}`;
    const schedule = await temporal.client.schedule.create({
      scheduleId,
      spec: {},
      action: {
        type: 'startWorkflow',
        workflowType: 'emergency-stop',
        workflowId,
        taskQueue: temporal.taskQueue,
        args: [{ targets: [path] }],
      },
      state: { triggerImmediately: true },
    });
    try {
      const started = await untilFound(async () => (await schedule.describe()).info.recentActions[0] ?? null);
      const report = await stack.report(started.action.workflow.workflowId);
      expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidStart' } });
      expect(await stack.accepted(instanceId)).toEqual([]);
    } finally {
      await schedule.delete();
    }
  });
});
