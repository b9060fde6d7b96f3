/** The commands of an operator against a real server: each once, at a wrong moment, repeated, two at once, without a worker, after a reset. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROGRESS_QUERY } from '../../src/domain/contract.js';
import { RunbookClient } from '../../src/client/runbook-client.js';
import type { RunReport, TargetReport } from '../../src/domain/report/report.js';
import type { RunProgress, TargetProgress } from '../../src/domain/report/progress.js';
import type { CommandName } from '../../src/domain/steering/command-names.js';
import type { CommandAnswer } from '../../src/domain/steering/commands.js';
import { GRPC, grpcCodeOf } from '../../src/temporal/calls.js';
import { CommandRejected, RunEnded, RunNotFound } from '../../src/temporal/errors.js';
import { leaseId } from '../../src/domain/target/target.js';
import { refusalOf } from '../support/refusal.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until, untilFound } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  const runbooks = fileURLToPath(new URL('./runbooks', import.meta.url));
  stack = await startStack(temporal, {
    runbookDirectories: [runbooks],
    dependencies: { operatorWaitMs: 60_000 },
  });
});
afterAll(() => stack.close());

const why = { actor: 'ann', reason: 'a test' };
const lease = (instanceId: string) => leaseId({ projectId: stack.simulator.projectId, instanceId });

/** Sends it again if the server reports that it was not accepted, as a person would. */
async function command(workflowId: string, name: CommandName, more: object = {}): Promise<CommandAnswer> {
  const handle = temporal.client.workflow.getHandle(workflowId);
  for (;;) {
    try {
      return await handle.executeUpdate<CommandAnswer, [object]>(name, { args: [{ ...why, ...more }] });
    } catch (error) {
      if (grpcCodeOf(error) !== GRPC.failedPrecondition) throw error;
    }
  }
}

const runProgress = (workflowId: string) =>
  temporal.client.workflow.getHandle(workflowId).query<RunProgress>(PROGRESS_QUERY);
const targetProgress = (instanceId: string) =>
  temporal.client.workflow.getHandle(lease(instanceId)).query<TargetProgress>(PROGRESS_QUERY);
const untilPaused = (workflowId: string) =>
  until(async () => (await runProgress(workflowId)).pause?.state === 'paused');
const blockedStep = (instanceId: string) => untilFound(async () => (await targetProgress(instanceId)).blocked ?? null);
const accepts = (instanceId: string, count: number) =>
  until(async () => (await stack.accepted(instanceId)).length === count);
const steps = ({ targets }: RunReport) => targets[0]?.steps.map(({ id, result }) => `${id} ${result}`);

async function stateAttribute(workflowId: string): Promise<unknown> {
  const { searchAttributes } = await temporal.client.workflow.getHandle(workflowId).describe();
  return (searchAttributes as Record<string, unknown[]>)['RunbookState']?.[0];
}

/** A restart whose answer is lost before ServiceStage acts: it cannot be known whether it was carried out. */
async function indeterminateRestart(): Promise<{ workflowId: string; instanceId: string; path: string }> {
  const instance = await stack.newInstance();
  const { instanceId } = instance;
  await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'reset' } });
  const workflowId = await stack.start('restart', { targets: [instance.path] });
  await blockedStep(instanceId);
  return { ...instance, workflowId };
}

describe.concurrent('pause', () => {
  it('takes effect when nothing is in flight, and the run continues after resume', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('scale-then-restart', { targets: [path] });
    await accepts(instanceId, 1);
    expect(await command(workflowId, 'pause')).toMatchObject({ command: 'pause', state: 'pausing', repeated: false });
    expect((await runProgress(workflowId)).pause).toMatchObject({ state: 'pausing', actor: 'ann', reason: 'a test' });
    await stack.control.finish(instanceId);
    await untilPaused(workflowId);
    await until(async () => (await stateAttribute(workflowId)) === 'paused');
    expect(await targetProgress(instanceId)).toMatchObject({ paused: true });
    expect(await stack.accepted(instanceId)).toEqual(['scale']);
    expect(await refusalOf(command(workflowId, 'pause'))).toBe(
      'pause is refused: the run is paused already. Possible now: resume, abort',
    );
    expect(await command(workflowId, 'resume')).toMatchObject({ state: 'running' });
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    expect(report.commands).toMatchObject([
      { command: 'pause', ...why },
      { command: 'resume', ...why },
    ]);
    expect((await stateAttribute(workflowId)) ?? null).toBeNull();
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart']);
  });

  it('is not needed to resume, which is refused while the run continues', async () => {
    const { instanceId, path } = await stack.newInstance();
    const workflowId = await stack.start('stop-then-wait', { targets: [path] });
    await accepts(instanceId, 1);
    expect(await refusalOf(command(workflowId, 'resume'))).toMatch(/not paused. Possible now: pause, abort$/);
    expect(await refusalOf(command(workflowId, 'pause', { step: 'stop' }))).toMatch(/pause does not accept "step"/);
    expect(await refusalOf(command(workflowId, 'pause', { actor: '' }))).toMatch(/"actor" of pause must be text/);
    await command(workflowId, 'abort');
    await stack.report(workflowId);
  });

  it('holds the next target back, and abort ends it', async () => {
    const instances = [await stack.newInstance(), await stack.newInstance()];
    for (const { instanceId } of instances)
      await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('scale-then-restart', { targets: instances.map(({ path }) => path) });
    const sent = () => Promise.all(instances.map(({ instanceId }) => stack.accepted(instanceId)));
    await until(async () => (await sent()).flat().length === 1);
    await command(workflowId, 'pause');
    for (const { instanceId } of instances) await stack.control.finish(instanceId);
    await untilPaused(workflowId);
    expect(await command(workflowId, 'abort', { reason: 'enough' })).toMatchObject({ state: 'ending' });
    expect((await runProgress(workflowId)).abort).toMatchObject({ actor: 'ann', reason: 'enough' });
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('cancelled');
    expect(report.summary).toMatch(/aborted by ann: enough$/);
    const { status } = await temporal.client.workflow.getHandle(workflowId).describe();
    expect(status.name).toBe('FAILED');
    expect(report.notStarted).toHaveLength(1);
    // The scale of the first target is undone.
    expect((await sent()).sort()).toEqual([[], ['scale', 'scale']]);
  });
});

describe.concurrent('a key', () => {
  it('makes a repeat harmless, and belongs to one command', async () => {
    const { instanceId, path } = await stack.newInstance();
    const workflowId = await stack.start('stop-then-wait', { targets: [path] });
    await accepts(instanceId, 1);
    const first = await command(workflowId, 'pause', { key: 'k1' });
    expect(await command(workflowId, 'pause', { key: 'k1' })).toEqual({ ...first, repeated: true });
    expect(await refusalOf(command(workflowId, 'resume', { key: 'k1' }))).toMatch(/key "k1" was used for pause of ann/);
    await command(workflowId, 'abort');
    const { commands } = await stack.report(workflowId);
    expect(commands?.map(({ command: name }) => name)).toEqual(['pause', 'abort']);
  });
});

describe.concurrent('an indeterminate step', () => {
  it('waits, and a retry reads first and sends once more', async () => {
    const { workflowId, instanceId, path } = await indeterminateRestart();
    await until(async () => (await stateAttribute(workflowId)) === 'blocked');
    expect((await runProgress(workflowId)).targets[0]?.blocked).toMatchObject({ step: 'restart' });
    expect(await refusalOf(command(lease(instanceId), 'retryStep', { step: 'stop' }))).toMatch(
      /the step that is blocked is restart, not stop/,
    );
    expect(await refusalOf(command(lease(instanceId), 'retryStep', { target: 'a/b/c' }))).toContain(path);
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    expect(await command(lease(instanceId), 'retryStep')).toMatchObject({ state: 'deciding' });
    await accepts(instanceId, 1);
    const again = { state: 'running', endedAtMs: null, cloudJobId: null, failure: null };
    expect((await targetProgress(instanceId)).steps).toMatchObject([again]);
    await stack.control.finish(instanceId);
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    const [step] = report.targets[0]?.steps ?? [];
    expect(step).toMatchObject({ id: 'restart', result: 'succeeded', sent: 'yes' });
    expect(step?.decisions).toMatchObject([
      {
        command: 'retryStep',
        ...why,
        step: 'restart',
        found: expect.stringMatching(/^RUNNING/),
        was: { result: 'indeterminate' },
      },
    ]);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('stays indeterminate after a retry that fails before it sends, and can be retried again', async () => {
    const { workflowId, instanceId } = await indeterminateRestart();
    await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'status', status: 403 } });
    await command(lease(instanceId), 'retryStep', { reason: 'refused' });
    const blocked = await untilFound(async () => {
      const { blocked: step } = await targetProgress(instanceId);
      return step?.why.includes('The retry sent nothing: NotAllowed') === true ? step : null;
    });
    expect(blocked).toMatchObject({
      step: 'restart',
      result: 'indeterminate',
      why: expect.stringMatching(/^Indeterminate: /),
    });
    expect(await stack.accepted(instanceId)).toEqual([]);
    await command(lease(instanceId), 'retryStep', { reason: 'allowed' });
    const report = await stack.report(workflowId);
    expect(steps(report)).toEqual(['restart succeeded']);
    const [step] = report.targets[0]?.steps ?? [];
    expect(step?.decisions).toMatchObject([
      { reason: 'refused', was: { result: 'indeterminate', sent: 'unknown' } },
      { reason: 'allowed', was: { result: 'indeterminate', sent: 'unknown' } },
    ]);
    expect(step?.decisions?.[1]?.was?.trail?.map(({ decision }) => decision)).toContain('refused');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it.each(['skipStep', 'markSucceeded'] as const)('continues after %s, and sends nothing', async (name) => {
    const { workflowId, instanceId } = await indeterminateRestart();
    await command(lease(instanceId), name);
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    expect(steps(report)).toEqual([`restart ${name === 'skipStep' ? 'skipped' : 'succeeded'}`]);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('names the workflow that a command is for, where it was sent to the other one', async () => {
    const { workflowId, instanceId } = await indeterminateRestart();
    await until(async () => (await runProgress(workflowId)).targets[0]?.blocked !== undefined);
    expect(await refusalOf(command(workflowId, 'skipStep'))).toBe(
      `skipStep is refused: send it to the workflow of the blocked target, ${lease(instanceId)}`,
    );
    expect(await refusalOf(command(lease(instanceId), 'abort'))).toBe(
      `abort is refused: send it to the run, ${workflowId}`,
    );
    await command(lease(instanceId), 'skipStep');
    expect((await stack.report(workflowId)).outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('takes one of two decisions at once', async () => {
    const { workflowId, instanceId } = await indeterminateRestart();
    const answers = await Promise.allSettled([
      command(lease(instanceId), 'retryStep'),
      command(lease(instanceId), 'retryStep'),
      command(lease(instanceId), 'skipStep'),
    ]);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const report = await stack.report(workflowId);
    expect(report.targets[0]?.steps[0]?.decisions).toHaveLength(1);
    expect((await stack.accepted(instanceId)).length).toBeLessThanOrEqual(1);
  });

  it('ends as it did when the run is aborted', async () => {
    const { workflowId } = await indeterminateRestart();
    await command(workflowId, 'abort');
    expect((await stack.report(workflowId)).outcome).toBe('indeterminate');
  });

  it('is decided about only after resume', async () => {
    const { workflowId, instanceId } = await indeterminateRestart();
    expect(await command(workflowId, 'pause')).toMatchObject({ state: 'pausing' });
    await untilPaused(workflowId);
    expect(await refusalOf(command(lease(instanceId), 'skipStep'))).toBe(
      'skipStep is refused: the run is paused. Possible now: resume, abort',
    );
    await command(workflowId, 'resume');
    await until(async () => (await targetProgress(instanceId)).paused !== true);
    await command(lease(instanceId), 'skipStep');
    expect((await stack.report(workflowId)).outcome).toBe('succeeded');
  });
});

describe.concurrent('a step that fails with onFailure: pause', () => {
  it('waits; a retry that fails waits again; a skip continues', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    await stack.control.outcome({ instanceId, action: 'restart', nth: 2, executionStatus: 'FAILED' });
    const workflowId = await stack.start('pause-on-failure', { targets: [path] });
    expect(await blockedStep(instanceId)).toMatchObject({ step: 'restart' });
    await command(lease(instanceId), 'retryStep');
    await accepts(instanceId, 3);
    await blockedStep(instanceId);
    await command(lease(instanceId), 'skipStep');
    const report = await stack.report(workflowId);
    expect(steps(report)).toEqual(['scale succeeded', 'restart skipped', 'scale-2 succeeded']);
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart', 'restart', 'scale']);
  });

  it('is compensated when the run is aborted', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    const workflowId = await stack.start('pause-on-failure', { targets: [path] });
    await blockedStep(instanceId);
    await command(workflowId, 'abort');
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('cancelled');
    expect(await stack.control.instance(instanceId)).toMatchObject({ replica: 2 });
  });
});

describe.concurrent('a reset of a target whose step was retried', () => {
  it('adopts what the run before it sent, and sends no second restart', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    await stack.control.outcome({ instanceId, action: 'restart', nth: 2, neverEnds: true });
    const workflowId = await stack.start('pause-on-failure', { targets: [path] });
    await blockedStep(instanceId);
    await command(lease(instanceId), 'retryStep');
    await accepts(instanceId, 3);
    const runId = await resetToBeforeUpdate(lease(instanceId));
    await until(async () => (await targetProgress(instanceId)).steps[1]?.state === 'running');
    await stack.control.finish(instanceId);
    const report = (await temporal.client.workflow.getHandle(lease(instanceId), runId).result()) as TargetReport;
    expect(report.steps.map(({ id, result }) => `${id} ${result}`)).toEqual([
      'scale succeeded',
      'restart succeeded',
      'scale-2 succeeded',
    ]);
    expect(report.steps[1]).toMatchObject({ sent: 'yes', decisions: [{ command: 'retryStep' }] });
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart', 'restart', 'scale']);
    await stack.report(workflowId);
  });
});

/** To before the workflow task that accepted the first Update, which the server sends again. */
async function resetToBeforeUpdate(workflowId: string): Promise<string> {
  const handle = temporal.client.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const accepted = events?.findIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes != null) ?? -1;
  const finished = events?.slice(0, accepted).findLast((event) => event.workflowTaskCompletedEventAttributes != null);
  const reset: Promise<{ runId: string }> = temporal.client.connection.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'a test',
    workflowTaskFinishEventId: finished?.eventId ?? null,
    requestId: `reset-${runId}`,
  });
  return (await reset).runId;
}

describe.concurrent('RunbookClient', () => {
  it('finds the blocked target, and explains what is refused', async () => {
    const { workflowId, instanceId, path } = await indeterminateRestart();
    const runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
    // The run learns by a signal that its target is blocked.
    await untilFound(async () => (await runProgress(workflowId)).targets[0]?.blocked ?? null);
    await expect(runbooks.resume(workflowId, why)).rejects.toThrow(CommandRejected);
    await expect(runbooks.retryStep(workflowId, { ...why, target: 'a/b/c' })).rejects.toThrow(/has no target a\/b\/c/);
    await expect(runbooks.skipStep(workflowId, { ...why, step: 'stop' })).rejects.toThrow(
      /skipStep is refused: the step that is blocked is restart/,
    );
    const first = await runbooks.markSucceeded(workflowId, { ...why, key: 'k', target: path });
    expect(first).toMatchObject({ command: 'markSucceeded', repeated: false });
    expect((await runbooks.result(workflowId)).outcome).toBe('succeeded');
    await expect(runbooks.pause(workflowId, why)).rejects.toThrow(RunEnded);
    await expect(runbooks.skipStep(workflowId, why)).rejects.toThrow(RunEnded);
    await expect(runbooks.pause('there-is-none', why)).rejects.toThrow(RunNotFound);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });
});
