/**
 * scale-down and scale-up: scale-up restores the count that the report recorded, and sends nothing if that is not
 * known.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporalAccess } from '../../src/activities/temporal-access.js';
import type { RunReport } from '../../src/domain/report/report.js';
import { leaseId } from '../../src/domain/target/target.js';
import { isCancelRequested } from '../support/cancel-request.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { withLead } from '../support/with-lead.js';

const temporal = useTemporal();
let stack: Stack;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbooks-pair-'));
  const up = 'action: scale\n    with: { replica: "${{ captured.replicaCount }}" }\n';
  await writeFile(
    join(folder, 'down-then-wait.yaml'),
    `name: down-then-wait\ntitle: t\nonCancel: stop-after-step\nsteps:\n  - action: scale\n    with: { replica: 1 }\n  - wait: 30s\n`,
  );
  await writeFile(
    join(folder, 'up-again.yaml'),
    `name: up-again\ntitle: t\nrestores: down-then-wait\nsteps:\n  - ${up}`,
  );
  await writeFile(
    join(folder, 'restart-then-up.yaml'),
    `name: restart-then-up\ntitle: t\nrestores: scale-down\nsteps:\n  - action: restart\n  - ${up}`,
  );
  await writeFile(join(folder, 'up-typo.yaml'), `name: up-typo\ntitle: t\nrestores: scale-dwon\nsteps:\n  - ${up}`);
  stack = await startStack(temporal, { runbookDirectories: [folder] });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

const steps = ({ targets }: RunReport) => targets[0]?.steps.map(({ id, result }) => `${id} ${result}`);
const replicas = async (instanceId: string) => (await stack.control.instance(instanceId)).replica;

/** Somebody in the console scales, and the cloud job has ended. */
async function scaleInConsole(instanceId: string, replica: number): Promise<void> {
  await stack.control.console({ instanceId, action: 'scale', parameters: { replica } });
  await stack.control.finish(instanceId);
}

/** Refused while planning: nothing was sent, and no lease was acquired. */
async function expectRefusal(instanceId: string, path: string, ...words: (string | RegExp)[]): Promise<void> {
  const sent = await stack.accepted(instanceId);
  const report = await stack.run('scale-up', path);
  expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidPlan' }, targets: [] });
  for (const each of words) expect(report.failure?.message).toMatch(each);
  expect(await stack.accepted(instanceId)).toEqual(sent);
}

describe.concurrent('scale-up', () => {
  it('brings back the count that scale-down captured', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    const down = await stack.run('scale-down', path);
    expect(down).toMatchObject({ outcome: 'succeeded' });
    expect(await replicas(instanceId)).toBe(1);
    const up = await stack.run('scale-up', path);
    expect(up).toMatchObject({ outcome: 'succeeded' });
    expect(up.targets[0]?.steps[0]?.action).toEqual({ action: 'scale', replica: 4 });
    expect(await replicas(instanceId)).toBe(4);
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'scale']);
  });

  it('shows in its plan where the count comes from', async () => {
    const { path } = await stack.newInstance({ replica: 3 });
    const down = await stack.run('scale-down', path, { inputs: { replica: 2 } });
    const workflowId = await stack.start('scale-up', { targets: [path], dryRun: true });
    const plan: unknown = await temporal.client.workflow.getHandle(workflowId).result();
    expect(plan).toMatchObject({
      targets: [
        { steps: [{ note: expect.stringMatching(`^captured by run ${down.workflowId} at 20.*Z: 2 → 3$`) as string }] },
      ],
    });
  });

  it('brings back the first count after a second scale-down that was skipped', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.run('scale-down', path);
    expect(steps(await stack.run('scale-down', path))).toEqual(['scale skipped']);
    await stack.run('scale-up', path);
    expect(await replicas(instanceId)).toBe(4);
  });

  it('is skipped with proof if the count is back already', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.run('scale-down', path);
    await scaleInConsole(instanceId, 4);
    expect(steps(await stack.run('scale-up', path))).toEqual(['scale skipped']);
    expect(steps(await stack.run('scale-up', path))).toEqual(['scale skipped']);
    expect(await stack.accepted(instanceId)).toEqual(['scale']);
  });

  it('finds the report behind runs of other runbooks', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.run('scale-down', path);
    await stack.run('restart', path);
    await stack.run('stop', path);
    await stack.run('start', path);
    await stack.run('scale-up', path);
    expect(await replicas(instanceId)).toBe(4);
  });

  it('finds the scale-down that has only just ended, night after night', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 9 });
    for (const count of [2, 5, 3, 6, 4]) {
      await scaleInConsole(instanceId, count);
      await stack.run('scale-down', path);
      const up = await stack.run('scale-up', path);
      expect(up.targets[0]?.steps[0]?.action, `with ${count} before`).toEqual({ action: 'scale', replica: count });
    }
  });

  it('brings back a count of its own for each of several targets', async () => {
    const instances = await Promise.all([2, 3, 5].map((replica) => stack.newInstance({ replica })));
    const targets = instances.map(({ path }) => path);
    const down = await stack.report(await stack.start('scale-down', { targets }));
    const up = await stack.report(await stack.start('scale-up', { targets }));
    expect([down.outcome, up.outcome]).toEqual(['succeeded', 'succeeded']);
    expect(await Promise.all(instances.map(({ instanceId }) => replicas(instanceId)))).toEqual([2, 3, 5]);
  });

  it('finds reports by a name with a quote', async () => {
    const name = `o'ne-${randomUUID().slice(0, 8)}`;
    const { instanceId, path } = await stack.newInstance({ replica: 4, name });
    await stack.run('scale-down', path);
    await stack.run('restart', path);
    await stack.run('scale-up', path);
    expect(await replicas(instanceId)).toBe(4);
  });
});

describe.concurrent('scale-up is refused, and sends nothing,', () => {
  it('if no scale-down ran; the message explains that, and how to give the count', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.run('restart', path);
    await expectRefusal(
      instanceId,
      path,
      'no run of scale-down has changed its replica count',
      `runbook start scale --target ${path} --input replica=N`,
      'retention',
    );
  });

  it('if somebody changed the count since; the message has both counts', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.run('scale-down', path);
    await scaleInConsole(instanceId, 3);
    await expectRefusal(instanceId, path, /captured 4 and left 1 at 20.*Z/, 'changed since: 1 → 3');
  });

  it('if somebody lowered the restored count', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.run('scale-down', path);
    const up = await stack.run('scale-up', path);
    await scaleInConsole(instanceId, 1);
    await expectRefusal(instanceId, path, `${up.workflowId} restored 4`, 'changed since: 4 → 1');
  });

  it('if the scale-down is still running', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('scale-down', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    await expectRefusal(instanceId, path, new RegExp(`run ${workflowId}, started .* is still open`));
    await stack.control.finish(instanceId);
    await stack.report(workflowId);
  });

  it('for every target at once', async () => {
    const [one, other] = await Promise.all([stack.newInstance(), stack.newInstance()]);
    const report = await stack.report(
      await stack.start('scale-up', { targets: [one.path, other.path, 'no/such/one'] }),
    );
    expect(report.failure?.message.match(/has changed its replica count/g)).toHaveLength(2);
    expect(report.failure?.message).toContain('there is no application "no"');
  });

  it('if the runbook that it restores has another name', async () => {
    const { path } = await stack.newInstance();
    const report = await stack.run('up-typo', path);
    expect(report.failure?.message).toContain('there is no runbook "scale-dwon"');
    expect(report.failure?.message).toContain('Did you mean scale-down?');
  });
});

describe.concurrent('a scale-down that did not succeed', () => {
  it('and changed nothing captures nothing', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.control.outcome({ instanceId, action: 'scale', executionStatus: 'FAILED' });
    expect((await stack.run('scale-down', path)).outcome).toBe('failed');
    await expectRefusal(instanceId, path, '1 is known, without a change that was kept');
  });

  it('and was undone captures nothing; the one before it counts', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.run('scale-down', path, { inputs: { replica: 2 } });
    await stack.control.outcome({ instanceId, action: 'scale', converges: false });
    const undone = await stack.run('scale-down', path);
    expect(undone.outcome).toBe('compensated');
    const up = await stack.run('scale-up', path);
    expect(up.targets[0]?.steps[0]).toMatchObject({ result: 'succeeded', action: { replica: 4 } });
    expect(await replicas(instanceId)).toBe(4);
  });

  it('and was cancelled and undone captures nothing', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('scale-down', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    await temporal.client.workflow.getHandle(workflowId).cancel();
    const lease = leaseId({ projectId: stack.simulator.projectId, instanceId });
    await until(() => isCancelRequested(temporal.client, lease));
    await stack.control.finish(instanceId);
    expect((await stack.report(workflowId)).outcome).toBe('cancelled');
    expect(await replicas(instanceId)).toBe(4);
    await expectRefusal(instanceId, path, '1 is known, without a change that was kept');
  });

  it('but was cancelled after its step, which was not undone, counts', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    const workflowId = await stack.start('down-then-wait', { targets: [path] });
    await until(async () => {
      const { steps: seen } = await temporal.client.workflow
        .getHandle(leaseId({ projectId: stack.simulator.projectId, instanceId }))
        .query<{ steps: { state: string }[] }>('progress')
        .catch(() => ({ steps: [] }));
      return seen[0]?.state === 'succeeded';
    });
    await temporal.client.workflow.getHandle(workflowId).cancel();
    expect((await stack.report(workflowId)).outcome).toBe('cancelled');
    expect(steps(await stack.run('up-again', path))).toEqual(['scale succeeded']);
    expect(await replicas(instanceId)).toBe(4);
  });

  it('and does not know what happened is not used', () =>
    withLead(async (leadMs) => {
      const [quick, up] = [`scale-down-in-${leadMs}`, `scale-up-after-${leadMs}`];
      const { instanceId, path } = await stack.newInstance({ replica: 4 });
      // Its cloud job never ends, so its result stays unknown.
      await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
      await writeFile(
        join(folder, `${quick}.yaml`),
        `name: ${quick}\ntitle: t\nsteps:\n  - action: scale\n    with: { replica: 1 }\n    deadline: ${leadMs / 2}ms\n`,
      );
      await writeFile(
        join(folder, `${up}.yaml`),
        `name: ${up}\ntitle: t\nrestores: ${quick}\nsteps:\n  - action: scale\n    with: { replica: "\${{ captured.replicaCount }}" }\n`,
      );
      const down = await stack.run(quick, path);
      if (down.targets[0]?.steps[0]?.sent === 'no') return false; // Its deadline came before.
      expect(down.outcome).toBe('indeterminate');
      const refused = await stack.run(up, path);
      expect(refused).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidPlan' } });
      expect(refused.failure?.message).toContain(`what run ${down.workflowId}`);
      expect(refused.failure?.message).toContain('it ended indeterminate there');
      expect(await stack.accepted(instanceId)).toEqual(['scale']);
      return true;
    }));

  it('but was terminated is not used, until the next one', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('scale-down', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    await temporal.client.workflow.getHandle(workflowId).terminate('a test');
    const child = temporal.client.workflow.getHandle(leaseId({ projectId: stack.simulator.projectId, instanceId }));
    await expectRefusal(instanceId, path, `run ${workflowId}`);
    await stack.control.finish(instanceId);
    await child.result();
    await expectRefusal(instanceId, path, `run ${workflowId}`, 'it ended TERMINATED without a report');
    await scaleInConsole(instanceId, 6);
    await stack.run('scale-down', path);
    await stack.run('scale-up', path);
    expect(await replicas(instanceId)).toBe(6);
  });

  it('but was reset after its end counts as before', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    const down = await stack.run('scale-down', path);
    const { events } = await temporal.client.workflow.getHandle(down.workflowId).fetchHistory();
    const finished = events
      ?.filter((event) => event.workflowTaskCompletedEventAttributes)
      .map(({ eventId }) => eventId);
    await temporal.client.connection.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: down.workflowId, runId: down.runId },
      reason: 'a test',
      workflowTaskFinishEventId: finished?.at(-1) ?? null,
      requestId: randomUUID(),
    });
    await temporal.client.workflow.getHandle(down.workflowId).result();
    await stack.run('scale-up', path);
    expect(await replicas(instanceId)).toBe(4);
  });
});

describe.concurrent('a scale-down that was reset while it ran', () => {
  it('is known for the target that was done before; the other one is unclear', async () => {
    const done = await stack.newInstance({ replica: 4, name: `a-${randomUUID().slice(0, 8)}` });
    const cutOff = await stack.newInstance({ replica: 4, name: `b-${randomUUID().slice(0, 8)}` });
    await stack.control.outcome({ instanceId: cutOff.instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('scale-down', { targets: [done.path, cutOff.path] });
    await until(async () => (await stack.accepted(cutOff.instanceId)).length === 1);
    const { runId } = await temporal.client.workflow.getHandle(workflowId).describe();
    const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
    // To where the first target's report was taken in.
    const taken = events?.findLast((event) => event.childWorkflowExecutionCompletedEventAttributes)?.eventId;
    const next = events?.find(
      (event) => event.workflowTaskCompletedEventAttributes && Number(event.eventId) > Number(taken),
    );
    await temporal.client.connection.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId },
      reason: 'a test',
      workflowTaskFinishEventId: next?.eventId ?? null,
      requestId: randomUUID(),
    });
    const lease = leaseId({ projectId: stack.simulator.projectId, instanceId: cutOff.instanceId });
    const down = await stack.report(workflowId);
    await stack.control.finish(cutOff.instanceId);
    await temporal.client.workflow.getHandle(lease).result();
    expect(down.targets.map(({ outcome }) => outcome)).toEqual(['succeeded', 'refused']);
    expect((await stack.run('scale-up', done.path)).outcome).toBe('succeeded');
    expect(await replicas(done.instanceId)).toBe(4);
    await expectRefusal(cutOff.instanceId, cutOff.path, `what run ${workflowId}`, 'without a report');
  });
});

describe.concurrent('between the plan and the lease', () => {
  it('a count that somebody changes is not overwritten', async () => {
    const first = await stack.newInstance({ replica: 4, name: `a-${randomUUID().slice(0, 8)}` });
    const second = await stack.newInstance({ replica: 4, name: `b-${randomUUID().slice(0, 8)}` });
    const targets = [first.path, second.path];
    await stack.report(await stack.start('scale-down', { targets }));
    await stack.control.outcome({ instanceId: first.instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('scale-up', { targets });
    await until(async () => (await stack.accepted(first.instanceId)).length === 2);
    await scaleInConsole(second.instanceId, 3);
    await stack.control.finish(first.instanceId);
    const report = await stack.report(workflowId);
    expect(report.targets.map(({ outcome }) => outcome)).toEqual(['succeeded', 'refused']);
    expect(report.targets[1]?.steps[0]?.failure).toMatchObject({ name: 'TargetChanged' });
    expect(report.summary).toMatch(/captured 4 and left 1 .* somebody changed the count since/);
    expect(await replicas(second.instanceId)).toBe(3);
    expect(await stack.accepted(second.instanceId)).toEqual(['scale']);
  });
});

describe.concurrent('between the plan and the lease, too,', () => {
  /** A scale-up of two targets that stays at the first one until `finishFirst` is called. */
  async function upOfTwo() {
    const first = await stack.newInstance({ replica: 4, name: `a-${randomUUID().slice(0, 8)}` });
    const second = await stack.newInstance({ replica: 4, name: `b-${randomUUID().slice(0, 8)}` });
    const targets = [first.path, second.path];
    await stack.report(await stack.start('scale-down', { targets }));
    await stack.control.outcome({ instanceId: first.instanceId, action: 'scale', neverEnds: true });
    const workflowId = await stack.start('scale-up', { targets });
    await until(async () => (await stack.accepted(first.instanceId)).length === 2);
    const finishFirst = () => stack.control.finish(first.instanceId);
    return { second, workflowId, finishFirst };
  }

  it('a newer scale-down is noticed, although its count is the one of the plan', async () => {
    const { second, workflowId, finishFirst } = await upOfTwo();
    await scaleInConsole(second.instanceId, 6);
    await stack.run('scale-down', second.path);
    await finishFirst();
    const report = await stack.report(workflowId);
    expect(report.targets.map(({ outcome }) => outcome)).toEqual(['succeeded', 'refused']);
    expect(report.targets[1]?.steps[0]?.failure).toMatchObject({ name: 'TargetChanged' });
    expect(report.summary).toMatch(
      /captured 4 and left 1 .* its newest cloud job is \S+, not \S+ as when it was planned/,
    );
    expect(await replicas(second.instanceId)).toBe(1);
    await stack.run('scale-up', second.path);
    expect(await replicas(second.instanceId)).toBe(6);
  });

  it('its own cloud jobs do not count as changes: one of an earlier step, or one whose answer was lost', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.run('scale-down', path);
    await stack.control.fault({ on: { route: 'action', instanceId }, nth: 2, fault: { kind: 'actThenReset' } });
    const report = await stack.run('restart-then-up', path);
    expect(steps(report)).toEqual(['restart succeeded', 'scale succeeded']);
    expect(report.targets[0]?.steps[1]?.trail.map(({ decision }) => decision)).toContain('adopted');
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart', 'scale']);
  });

  it('a count that is back already is skipped', async () => {
    const { second, workflowId, finishFirst } = await upOfTwo();
    await scaleInConsole(second.instanceId, 4);
    await finishFirst();
    const report = await stack.report(workflowId);
    expect(report.targets[1]?.steps[0]).toMatchObject({ result: 'skipped', sent: 'no' });
  });
});

describe.concurrent('the newest run is known by its lease', () => {
  it('even if the listing does not have it yet', async () => {
    const { instanceId, path } = await stack.newInstance({ replica: 4 });
    await stack.run('scale-down', path);
    await stack.run('scale-up', path);
    await scaleInConsole(instanceId, 6);
    const down = await stack.run('scale-down', path);
    const deaf = Object.create(temporal.client, {
      workflow: {
        value: Object.create(temporal.client.workflow, {
          list: { value: async function* () {} },
        }) as unknown,
      },
    }) as typeof temporal.client;
    const { runs } = await temporalAccess(deaf).pastRuns({
      leaseId: leaseId({ projectId: stack.simulator.projectId, instanceId }),
      path,
      runbooks: ['scale-down', 'scale-up'],
      exceptRunId: null,
    });
    expect(runs).toMatchObject([{ workflowId: down.workflowId, open: false, report: { outcome: 'succeeded' } }]);
  });
});
