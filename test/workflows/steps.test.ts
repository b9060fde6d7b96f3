/**
 * What a run does around its steps: undo, abort, continue, cancel in each phase and form, deadlines, and several
 * targets.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/domain/report/report.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { withLead } from '../support/with-lead.js';

const temporal = useTemporal();
let stack: Stack;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbooks-steps-'));
  const runbooks = fileURLToPath(new URL('./runbooks', import.meta.url));
  stack = await startStack(temporal, { runbookDirectories: [runbooks, folder] });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

/**
 * A runbook with a stop that has this deadline, and a wait longer than the run, whose deadline is twice that. @returns
 * its name
 */
async function shortDeadline(stepMs: number): Promise<string> {
  const name = `deadline-${randomUUID()}`;
  const stop = `- { action: stop, deadline: ${stepMs}ms, verify: { within: ${stepMs / 2}ms, stable: 50ms } }`;
  // A literal wait that exceeds the deadline would be refused.
  const steps = `inputs:\n  pause: { type: duration, default: 1h }\nsteps:\n  ${stop}\n  - wait: '\${{ inputs.pause }}'\n`;
  const text = `name: ${name}\ntitle: t\ndeadline: ${2 * stepMs}ms\n${steps}`;
  await writeFile(join(folder, `${name}.yaml`), text);
  return name;
}

const steps = ({ targets }: RunReport, target = 0) => targets[target]?.steps.map(({ id, result }) => `${id} ${result}`);
const undos = ({ targets }: RunReport) => targets[0]?.compensations.map(({ id, result }) => `${id} ${result}`);

/** Starts, cancels once the condition holds, and waits for the report. */
async function cancelledRun(runbook: string, path: string, condition: () => Promise<boolean>): Promise<RunReport> {
  const workflowId = await stack.start(runbook, { targets: [path] });
  await until(condition);
  await temporal.client.workflow.getHandle(workflowId).cancel();
  return stack.report(workflowId);
}

describe.concurrent('a step that fails', () => {
  it('undoes the steps before it', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    const report = await stack.run('scale-then-restart', path);
    expect(report.outcome).toBe('compensated');
    expect(undos(report)).toEqual(['undo-scale succeeded']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ replica: 2, availableReplica: 2 });
  });

  it('undoes nothing with onFailure: abort', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    const report = await stack.run('abort', path);
    expect(report.outcome).toBe('failed');
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart']);
  });

  it('is passed over with onFailure: continue', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    const report = await stack.run('go-on', path);
    expect(steps(report)).toEqual(['restart failed', 'scale succeeded']);
    expect(report.outcome).toBe('failed');
  });

  it('is undone as the runbook declares', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    expect((await stack.run('declared-undo', path)).outcome).toBe('compensated');
    expect(await stack.control.instance(instanceId)).toMatchObject({ replica: 3 });
  });

  it('sends no undo over what somebody else did since (story 10)', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED', neverEnds: true });
    const workflowId = await stack.start('scale-then-restart', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 2);
    await stack.control.console({ instanceId, action: 'scale', parameters: { replica: 6 } });
    await stack.control.finish(instanceId);
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('compensationFailed');
    expect(report.targets[0]?.compensations[0]).toMatchObject({
      result: 'failed',
      sent: 'no',
      failure: { name: 'TargetChanged' },
    });
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ replica: 6 });
  });

  it('whose answers are all lost ends by its deadline, settled, and reports what is known', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await stack.newInstance();
      await stack.control.outcome({ instanceId, action: 'stop', neverEnds: true });
      const report = await stack.run(await shortDeadline(leadMs), path);
      if (report.targets[0]?.steps[0]?.sent === 'no') return false; // Its deadline came before.
      expect(report.outcome).toBe('indeterminate');
      expect(report.targets[0]?.steps[0]).toMatchObject({ result: 'indeterminate', sent: 'yes' });
      return true;
    }));
});

describe.concurrent('a step whose last failure is only an unreachable API', () => {
  it('is settled, not treated as unsent: its cloud job is found and undone (story 2)', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await stack.newInstance();
      await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'actThenReset' } });
      // Planning, the first observation and the entry of the step read before; everything after the POST fails for a
      // while.
      await stack.control.fault({
        on: { instanceId, route: 'instance' },
        nth: 4,
        // Longer than the deadline of the step, shorter than settling waits.
        forMs: 1.5 * leadMs,
        fault: { kind: 'status', status: 503 },
      });
      const report = await stack.run(await shortDeadline(leadMs), path);
      const [step] = report.targets[0]?.steps ?? [];
      if (step?.sent === 'no') return false; // Its deadline came before.
      // An attempt that began late read the API when it answered again.
      if (step?.result === 'succeeded' && step.endedAtMs - step.startedAtMs >= 1.5 * leadMs) return false;
      expect(step).toMatchObject({ result: 'failed', sent: 'yes', evidence: { createdByUs: true } });
      expect(['Unreachable', 'Unanswered']).toContain(step?.failure?.name);
      expect(report.outcome).toBe('compensated');
      expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
      expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING' });
      return true;
    }));
});

describe.concurrent('a cancelled run', () => {
  it('undoes what it did, with onCancel: compensate', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await cancelledRun(
      'stop-then-wait',
      path,
      async () => (await stack.control.instance(instanceId)).status === 'STOPPED',
    );
    expect(report.outcome).toBe('cancelled');
    expect(undos(report)).toEqual(['undo-stop succeeded']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING', version: '1.4.1' });
  });

  it('finishes the cloud job in flight before it undoes', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await cancelledRun(
      'stop-then-wait',
      path,
      async () => (await stack.accepted(instanceId)).length === 1,
    );
    expect(steps(report)?.[0]).toBe('stop succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
    expect(report.outcome).toBe('cancelled');
  });

  it.each(['stop-then-wait-keep', 'stop-then-wait-leave'])('keeps what it did, with %s', async (runbook) => {
    const { instanceId, path } = await stack.newInstance();
    const report = await cancelledRun(runbook, path, async () => (await stack.accepted(instanceId)).length === 1);
    expect(report.outcome).toBe('cancelled');
    expect(undos(report)).toEqual([]);
    expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'STOPPED' });
  });

  it('closes Cancelled, and its report is readable without a worker', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await cancelledRun(
      'stop-then-wait',
      path,
      async () => (await stack.accepted(instanceId)).length === 1,
    );
    const description = await temporal.client.workflow.getHandle(report.workflowId).describe();
    expect(description.status.name).toBe('CANCELLED');
    expect(description.memo?.['report']).toMatchObject({ outcome: 'cancelled' });
  });

  it('sends nothing when it is cancelled at once', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await cancelledRun('stop-then-wait', path, async () => true);
    expect(report.outcome).toBe('cancelled');
    const actions = await stack.accepted(instanceId);
    // If the first step was quicker than the cancel, it is undone.
    expect([[], ['stop', 'start']]).toContainEqual(actions);
    expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING' });
  });

  it('waits for the whole visibility window when the answer of its POST is lost and its cloud job appears late (story 8)', async () => {
    const { instanceId, path } = await stack.newInstance();
    const lost = await stack.control.fault({
      on: { instanceId, route: 'action' },
      fault: { kind: 'actLate', ms: 150 },
    });
    const requested = async () => (await stack.control.faults()).some(({ id, hits }) => id === lost.id && hits > 0);
    const report = await cancelledRun('stop-then-wait', path, requested);
    expect(report.outcome).toBe('cancelled');
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING' });
  });

  it('is not stopped in its undo by a second cancel', async () => {
    const { instanceId, path } = await stack.newInstance();
    const workflowId = await stack.start('stop-then-wait', { targets: [path] });
    const handle = temporal.client.workflow.getHandle(workflowId);
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    await handle.cancel();
    await until(async () => (await stack.accepted(instanceId)).length === 2);
    await handle.cancel();
    const report = await stack.report(workflowId);
    expect(undos(report)).toEqual(['undo-stop succeeded']);
  });
});

describe.concurrent('the deadline of a run', () => {
  it('ends a wait, and what was done is undone', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await stack.newInstance();
      const report = await stack.run(await shortDeadline(leadMs), path);
      if (steps(report)?.length !== 2) return false; // It did not come to its wait.
      expect(steps(report)).toEqual(['stop succeeded', 'wait failed']);
      expect(report.targets[0]?.steps[1]?.failure?.name).toBe('DeadlinePassed');
      expect(report.outcome).toBe('compensated');
      expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING' });
      return true;
    }));
});

describe.concurrent('several targets', () => {
  it('are handled one after another, by name', async () => {
    const first = await stack.newInstance({ name: `a-${randomUUID()}` });
    const second = await stack.newInstance({ name: `b-${randomUUID()}` });
    const report = await stack.report(await stack.start('restart', { targets: [second.path, first.path] }));
    expect(report.targets.map(({ path, outcome }) => `${path} ${outcome}`)).toEqual([
      `${first.path} succeeded`,
      `${second.path} succeeded`,
    ]);
    const [end, begin] = [report.targets[0]?.steps[0]?.endedAtMs ?? 0, report.targets[1]?.steps[0]?.startedAtMs ?? 0];
    expect(begin).toBeGreaterThanOrEqual(end);
  });

  it('end at the first that does not succeed, and the report lists those not begun', async () => {
    const first = await stack.newInstance({ name: `a-${randomUUID()}` });
    const second = await stack.newInstance({ name: `b-${randomUUID()}` });
    await stack.control.outcome({ instanceId: first.instanceId, executionStatus: 'FAILED' });
    const report = await stack.report(await stack.start('restart', { targets: [first.path, second.path] }));
    expect(report).toMatchObject({ outcome: 'failed', notStarted: [second.path] });
    expect(await stack.accepted(second.instanceId)).toEqual([]);
  });
});
