/** `resumes`: a new run continues where an earlier one failed, and sends nothing where the world is not as that run left it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderPlan } from '../../src/cli/render-plan.js';
import { createColors } from '../../src/cli/colors.js';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import type { RunReport } from '../../src/domain/report/report.js';
import { stackLimits } from '../support/build.js';
import { runbook } from '../support/command-line.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { withLead } from '../support/with-lead.js';

const temporal = useTemporal();
let stack: Stack;
let folder: string;
let runbooks: RunbookClient;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbooks-resume-'));
  stack = await startStack(temporal, { runbookDirectories: [folder] });
  runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

interface Written {
  readonly name: string;
  rewrite(deadline: string): Promise<void>;
}

/** stop, rollback to the version before, start; nothing is undone. */
async function newRunbook(more = ''): Promise<Written> {
  const name = `fix-${randomUUID()}`;
  const rewrite = (deadline: string) =>
    writeFile(
      join(folder, `${name}.yaml`),
      `name: ${name}
title: t
targets: { max: 3 }
${more}steps:
  - { action: stop, onFailure: abort, deadline: ${deadline} }
  - action: rollback
    with: { version: previous }
    onFailure: abort
    compensation: { irreversible: later snapshots are cleared }
  - { action: start, onFailure: abort }
`,
    );
  await rewrite('5m');
  return { name, rewrite };
}

const failRollback = (instanceId: string) =>
  stack.control.outcome({ instanceId, action: 'rollback', executionStatus: 'FAILED' });
const steps = ({ targets }: RunReport, target = 0) => targets[target]?.steps.map(({ id, result }) => `${id} ${result}`);

async function resume(
  workflowId: string,
  options: Parameters<RunbookClient['resumeFailed']>[1] = {},
): Promise<RunReport> {
  const started = await runbooks.resumeFailed(workflowId, options);
  return runbooks.result(started.workflowId);
}

/** An instance whose run has failed at its second step. */
async function failedRun(more = '') {
  const written = await newRunbook(more);
  const instance = await stack.newInstance();
  await failRollback(instance.instanceId);
  const report = await stack.run(written.name, instance.path);
  expect(report.outcome).toBe('failed');
  expect(await stack.accepted(instance.instanceId)).toEqual(['stop', 'rollback']);
  return { ...instance, written, report };
}

/** Refused while planning: nothing was sent. */
async function expectRefusal(report: RunReport, instanceId: string, ...words: (string | RegExp)[]): Promise<void> {
  expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidPlan' }, targets: [] });
  for (const each of words) expect(report.failure?.message).toMatch(each);
  expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback']);
}

describe.concurrent('a run that failed at its second step', () => {
  it('is resumed from that step on, to the version that was resolved at first', async () => {
    const { instanceId, path, report } = await failedRun();
    const { workflowId, runId } = report;
    const again = await resume(workflowId, { reason: 'registry fixed', requestedBy: 'ann' });
    expect(again).toMatchObject({ outcome: 'succeeded', resumes: { workflowId, runId }, requestedBy: 'ann' });
    expect(steps(again)).toEqual(['rollback succeeded', 'start succeeded']);
    expect(again.targets[0]?.steps[0]?.action).toEqual({ action: 'rollback', version: '1.4.0' });
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'rollback', 'start']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING', version: '1.4.0' });
    expect(path).toBe(again.targets[0]?.path);
  });

  it('shows in its plan what was done, and by which run', async () => {
    const { report } = await failedRun();
    const { runbook: name, request } = await runbooks.resumption(report.workflowId);
    const plan = await runbooks.plan(name, request);
    expect(plan).toMatchObject({
      resumes: { workflowId: report.workflowId, planHash: report.planHash, outcome: 'failed' },
    });
    expect(plan.hash).not.toBe(report.planHash);
    const text = renderPlan(plan, createColors());
    const job = report.targets[0]?.steps[0]?.cloudJobId;
    expect(text).toContain(`resumes run ${report.workflowId}, which ended failed at `);
    expect(text).toMatch(new RegExp(`✓ stop: done by cloud job ${job}, .*, report of ${report.workflowId}`));
    expect(text).toContain('1. rollback version=1.4.0');
    expect(text).toContain('They do not undo what the earlier run did.');
  });

  it('is resumed twice', async () => {
    const { instanceId, report } = await failedRun();
    await failRollback(instanceId);
    const second = await resume(report.workflowId);
    expect(second.outcome).toBe('failed');
    expect(steps(second)).toEqual(['rollback failed']);
    const third = await resume(second.workflowId);
    expect(third).toMatchObject({ outcome: 'succeeded', resumes: { workflowId: second.workflowId } });
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'rollback', 'rollback', 'start']);
    const late = await resume(second.workflowId);
    expect(late.failure?.message).toContain('somebody acted on it since');
    expect(await stack.accepted(instanceId)).toHaveLength(5);
  });

  it('is refused if somebody acted since', async () => {
    const { instanceId, report } = await failedRun();
    await stack.control.console({ instanceId, action: 'start' });
    await stack.control.finish(instanceId);
    const again = await resume(report.workflowId);
    await expectRefusal(again, instanceId, `somebody acted on it since run ${report.workflowId}`, 'runbook start fix-');
  });

  it('sends nothing if somebody acts after it was planned and before it begins', () =>
    withLead(async (leadMs) => {
      const { instanceId, report } = await failedRun();
      const opensAtMs = Date.now() + 3 * leadMs;
      const window = { duration: '1h', opensAt: new Date(opensAtMs).toISOString() };
      const { workflowId } = await runbooks.resumeFailed(report.workflowId, { window, waitAtMost: '10m' });
      await until(async () => (await runbooks.progress(workflowId)).run.phase !== 'planning');
      await stack.control.console({ instanceId, action: 'start' });
      await stack.control.finish(instanceId);
      if (Date.now() >= opensAtMs) return false; // It had begun.
      const again = await runbooks.result(workflowId);
      expect(again).toMatchObject({
        outcome: 'refused',
        targets: [{ steps: [{ sent: 'no', failure: { name: 'TargetChanged' } }] }],
      });
      expect(again.startedAtMs).toBeLessThan(opensAtMs);
      expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback']);
      return true;
    }));

  it('is resumed once, however many resume it at the same time', async () => {
    const { instanceId, report } = await failedRun();
    const reports = await Promise.all([1, 2, 3].map(() => resume(report.workflowId)));
    expect(reports.map(({ outcome }) => outcome).sort()).toEqual(['refused', 'refused', 'succeeded']);
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'rollback', 'start']);
  });

  it('is resumed from the command line, which first shows what it would do', async () => {
    const { instanceId, report } = await failedRun();
    const env = { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue };
    const shown = await runbook(['report', report.workflowId], env);
    const [next = ''] = shown.stdout.trim().split('\n').slice(-1);
    expect(next.trim()).toBe(`runbook resume ${report.workflowId} --plan`);
    const planned = await runbook(next.trim().split(' ').slice(1), env);
    expect(planned).toMatchObject({ exitCode: 0, stderr: '' });
    expect(planned.stdout).toContain('1. rollback version=1.4.0');
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback']);
    const resumed = await runbook(['resume', report.workflowId, '--reason', 'registry fixed', '--wait'], env);
    expect(resumed.exitCode).toBe(0);
    expect(resumed.stdout).toContain(`resumes run ${report.workflowId}`);
    const again = await runbook(['resume', report.workflowId, '--wait'], env);
    expect(again.exitCode).toBe(15);
    expect(again.stdout).toContain('somebody acted on it since');
  });

  it('is refused if the runbook has changed, with both hashes', async () => {
    const { instanceId, written, report } = await failedRun();
    await written.rewrite('6m');
    // The changed step is done, so nothing of what is left differs.
    const { request } = await runbooks.resumption(report.workflowId);
    const again = await stack.report(await stack.start(written.name, request));
    await expectRefusal(
      again,
      instanceId,
      'step stop, deadlineMs: 300000, now 360000',
      new RegExp(`plan ${report.planHash?.slice(0, 16)}, now [0-9a-f]{16}`),
    );
  });

  it('takes no inputs, no other target, and no other runbook', async () => {
    const { instanceId, written, report, path } = await failedRun();
    const { workflowId, runId } = report;
    const resumes = { workflowId, runId };
    const other = await stack.newInstance();
    const startWith = async (name: string, given: object) => stack.report(await stack.start(name, given));
    await expectRefusal(
      await startWith(written.name, { targets: [path], resumes, inputs: { x: 1 } }),
      instanceId,
      'has its inputs',
    );
    await expectRefusal(
      await startWith(written.name, { targets: [other.path], resumes }),
      instanceId,
      'did not have it',
    );
    await expectRefusal(
      await startWith('stop', { targets: [path], resumes }),
      instanceId,
      `is a run of ${written.name}`,
    );
    const unknown = { workflowId: 'no-such-run', runId };
    await expectRefusal(
      await startWith(written.name, { targets: [path], resumes: unknown }),
      instanceId,
      'does not know run',
    );
  });
});

describe.concurrent('a restart whose run does not know what came of it', () => {
  async function newRestart(deadline: string): Promise<string> {
    const name = `unclear-${randomUUID()}`;
    const restart = `{ action: restart, deadline: ${deadline}, verify: { within: 1s, stable: 50ms }, onFailure: abort }`;
    const text = `name: ${name}\ntitle: t\nsteps:\n  - ${restart}\n  - { action: scale, with: { replica: 3 }, onFailure: abort }\n`;
    await writeFile(join(folder, `${name}.yaml`), text);
    return name;
  }

  it('is sent when it is proved that it was not: no cloud job has appeared', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.fault({ on: { route: 'action', instanceId }, fault: { kind: 'reset' } });
    const report = await stack.run(await newRestart('1m'), path);
    expect(report.targets[0]?.steps[0]).toMatchObject({ result: 'indeterminate', sent: 'unknown' });
    const clearAtMs = (report.targets[0]?.steps[0]?.endedAtMs ?? 0) + unseenAttemptMs(stackLimits());
    const early = await resume(report.workflowId);
    // On a busy machine the first one may come late enough to be right.
    const isLate = early.outcome === 'succeeded' && (early.targets[0]?.steps[0]?.startedAtMs ?? 0) > clearAtMs;
    if (!isLate) expect(early.failure?.message).toContain('may have been sent, and what was sent may be unseen until');
    await until(() => Date.now() > clearAtMs);
    const again = isLate ? early : await resume(report.workflowId);
    expect(steps(again)).toEqual(['restart succeeded', 'scale succeeded']);
    expect(await stack.accepted(instanceId)).toEqual(['restart', 'scale']);
  });

  it('is not sent again when its own cloud job has succeeded since', () =>
    withLead(async (leadMs) => {
      const { instanceId, path } = await stack.newInstance();
      await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
      const report = await stack.run(await newRestart(`${1.5 * leadMs}ms`), path);
      if (report.targets[0]?.steps[0]?.sent === 'no') return false; // Its deadline came before.
      expect(report.targets[0]?.steps[0]).toMatchObject({ result: 'indeterminate', sent: 'yes' });
      expect((await resume(report.workflowId)).outcome).toBe('refused');
      await stack.control.finish(instanceId);
      const again = await resume(report.workflowId);
      expect(steps(again)).toEqual(['scale succeeded']);
      expect(await stack.accepted(instanceId)).toEqual(['restart', 'scale']);
      return true;
    }));
});

describe.concurrent('a run with several targets', () => {
  it('is resumed on those that did not succeed', async () => {
    const { name } = await newRunbook();
    const instances = await Promise.all([1, 2, 3].map(() => stack.newInstance()));
    const [first, second, third] = instances.sort((one, other) => (one.path < other.path ? -1 : 1));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three instances');
    await failRollback(second.instanceId);
    const id = await stack.start(name, { targets: instances.map(({ path }) => path) });
    const report = await stack.report(id);
    expect(report).toMatchObject({ outcome: 'failed', notStarted: [third.path] });
    const { request } = await runbooks.resumption(id);
    expect(request.targets).toEqual([second.path, third.path]);
    const plan = await runbooks.plan(name, request);
    expect(plan.resumes?.succeeded).toEqual([first.path]);
    const again = await resume(id);
    expect(again.outcome).toBe('succeeded');
    expect(steps(again, 0)).toEqual(['rollback succeeded', 'start succeeded']);
    expect(steps(again, 1)).toEqual(['stop succeeded', 'rollback succeeded', 'start succeeded']);
    expect(await stack.accepted(first.instanceId)).toEqual(['stop', 'rollback', 'start']);
    const done = await stack.report(
      await stack.start(name, { targets: [first.path], resumes: { workflowId: id, runId: report.runId } }),
    );
    expect(done.failure?.message).toContain(`it succeeded in run ${id}`);
  });
});

describe.concurrent('a run that cannot be resumed', () => {
  it('is one that undid its steps', async () => {
    const { instanceId, path } = await stack.newInstance();
    const name = `undone-${randomUUID()}`;
    const text = `name: ${name}\ntitle: t\nsteps:\n  - { action: scale, with: { replica: 4 } }\n  - { action: restart }\n`;
    await writeFile(join(folder, `${name}.yaml`), text);
    await stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED' });
    const report = await stack.run(name, path);
    expect(report.outcome).toBe('compensated');
    const again = await resume(report.workflowId);
    expect(again.failure?.message).toContain('its steps were undone');
    expect(await stack.accepted(instanceId)).toEqual(['scale', 'restart', 'scale']);
  });

  it('is one that is open, and later one that was cancelled is resumed from its wait on', async () => {
    const name = `waits-${randomUUID()}`;
    const text = `name: ${name}\ntitle: t\nonCancel: leave\ninputs:\n  pause: { type: duration }\nsteps:\n  - { action: stop }\n  - { wait: "\${{ inputs.pause }}" }\n  - { action: start }\n`;
    await writeFile(join(folder, `${name}.yaml`), text);
    const { instanceId, path } = await stack.newInstance();
    const id = await stack.start(name, { targets: [path], inputs: { pause: '3s' } });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    const { runId } = await temporal.client.workflow.getHandle(id).describe();
    await expect(runbooks.resumption(id)).rejects.toThrow('it is still in progress');
    const refused = await stack.report(
      await stack.start(name, { targets: [path], resumes: { workflowId: id, runId } }),
    );
    expect(refused.failure?.message).toContain('is still open and may act');
    await temporal.client.workflow.getHandle(id).cancel();
    const report = await runbooks.result(id);
    expect(report.outcome).toBe('cancelled');
    const again = await resume(id);
    expect(again.outcome).toBe('succeeded');
    expect(steps(again)?.at(-1)).toBe('start succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
  });

  it('is one that was terminated', async () => {
    const { name } = await newRunbook();
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'stop', durationMs: 2_000 });
    const id = await stack.start(name, { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 1);
    const { runId } = await temporal.client.workflow.getHandle(id).describe();
    await temporal.client.workflow.getHandle(id).terminate();
    await expect(runbooks.resumption(id)).rejects.toMatchObject({ name: 'NoReport' });
    const again = await stack.report(await stack.start(name, { targets: [path], resumes: { workflowId: id, runId } }));
    expect(again.failure?.message).toContain('left no report');
  });

  it('is one that succeeded', async () => {
    const { path } = await stack.newInstance();
    const { workflowId } = await stack.run('stop', path);
    await expect(runbooks.resumption(workflowId)).rejects.toThrow('no target of it is left');
  });
});
