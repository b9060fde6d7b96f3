/** The step `check` in a run: before anything is touched, after actions, cancelled, taken over, and after a reset. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createColors } from '../../src/cli/colors.js';
import { renderPlan } from '../../src/cli/render-plan.js';
import { renderReport } from '../../src/cli/render-report.js';
import { RunbookClient } from '../../src/client/index.js';
import { leaseId } from '../../src/domain/target/target.js';
import type { RunReport, TargetReport } from '../../src/domain/report/report.js';
import { reportHtml } from '../../src/rendering/report-html.js';
import { reportMarkdown } from '../../src/rendering/report-markdown.js';
import { checksOf } from '../support/checks.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
let runbooks: RunbookClient;
let base: string;
/** The status with which a path is answered, 200 where it is not here, and how often it was asked. */
const statuses = new Map<string, number>();
const asked = new Map<string, number>();
const server = createServer(({ url = '' }, response) => {
  asked.set(url, (asked.get(url) ?? 0) + 1);
  response.writeHead(statuses.get(url) ?? 200).end('{"state":"ok"}');
});
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  base = `http://${host}`;
  stack = await startStack(temporal, {
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))],
    dependencies: { checks: checksOf(host) },
  });
  runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
});
afterAll(async () => {
  await stack.close();
  server.closeAllConnections();
  server.close();
});

/** URLs of one test, with the status of each. */
function urls(name: string, { first = 200, later = 200, after = 200 } = {}): { first: string; later: string } {
  statuses.set(`/${name}/first`, first).set(`/${name}/later`, later).set(`/${name}/later/after`, after);
  return { first: `${base}/${name}/first`, later: `${base}/${name}/later` };
}

const results = ([target]: readonly TargetReport[]) => target?.steps.map(({ id, result }) => `${id} ${result}`);

describe.concurrent('a check', () => {
  it('with `before` comes first, and its evidence is in the report', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await stack.run('checked', path, { inputs: urls('passes') });
    expect(report.outcome).toBe('succeeded');
    const all = ['at-first', 'restart', 'check', 'scale', 'check-2'];
    expect(results(report.targets)).toEqual(all.map((id) => `${id} succeeded`));
    expect(report.targets[0]?.steps[4]).toMatchObject({
      action: null,
      sent: 'no',
      check: { url: `${base}/passes/later/after`, requests: 1, status: 200, body: '{"state":"ok"}', unmet: [] },
    });
    expect(report.targets[0]?.steps[2]?.check?.heldMs).toBeGreaterThanOrEqual(100);
    expect(await stack.accepted(instanceId)).toEqual(['restart', 'scale']);
  });

  it('with `before` that fails refuses the target, and nothing is touched', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await stack.run('checked', path, { inputs: urls('refused', { first: 503 }) });
    expect(report.outcome).toBe('refused');
    expect(results(report.targets)).toEqual(['at-first failed']);
    expect(report.targets[0]).toMatchObject({
      notReached: ['restart', 'check', 'scale', 'check-2'],
      compensations: [],
      steps: [{ failure: { name: 'CheckFailed' }, check: { status: 503, body: '{"state":"ok"}' } }],
    });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('that fails after actions has them undone', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await stack.run('checked', path, { inputs: urls('undone', { after: 500 }) });
    expect(report.outcome).toBe('compensated');
    expect(results(report.targets)?.at(-1)).toBe('check-2 failed');
    expect(await stack.accepted(instanceId)).toEqual(['restart', 'scale', 'scale']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ replica: 2 });
    const line = /check-2: GET http:.*undone\/later\/after: failed/;
    expect(renderReport(report, createColors(false))).toMatch(line);
    expect(renderReport(report, createColors(false))).toContain('500 from 127.0.0.1, ');
    expect(renderReport(report, createColors(false))).toContain('body: {"state":"ok"}');
    for (const text of [reportMarkdown(report), reportHtml(report)]) expect(text).toContain('500 from 127.0.0.1, ');
  });

  it('with `onFailure: continue` that fails does not stop what follows', async () => {
    const { instanceId, path } = await stack.newInstance();
    const { later } = urls('continues', { later: 404 });
    const report = await stack.run('checked-continue', path, { inputs: { url: later } });
    expect(report.outcome).toBe('failed');
    expect(results(report.targets)).toEqual(['check failed', 'restart succeeded']);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('of a host that is not allowed cannot be planned, and all problems come at once', async () => {
    const { path } = await stack.newInstance();
    const report = await stack.run('checked', path, {
      inputs: { first: 'https://user@shop.example.com/', later: 'http://169.254.169.254' },
    });
    expect(report.outcome).toBe('refused');
    expect(report.failure?.name).toBe('InvalidPlan');
    expect(report.failure?.message).toContain('step at-first: the URL contains a user name or password');
    expect(report.failure?.message).toContain('step check: checks may not ask the host 169.254.169.254');
    expect(report.failure?.message).toContain('RUNBOOK_CHECK_HOSTS');
  });

  it('is shown by the plan with what it wants and when it is done', async () => {
    const { path } = await stack.newInstance();
    const plan = renderPlan(
      await runbooks.plan('checked', { targets: [path], inputs: urls('planned') }),
      createColors(false),
    );
    expect(plan).toContain(`  1. check GET ${base}/planned/first  (before anything is sent)\n     wants status 200\n`);
    expect(plan).toContain('if it fails: nothing is touched');
    expect(plan).toContain('wants status 200, json state "ok"\n     within 400ms, holds 0ms; if it fails: compensate');
    expect(plan).toContain('if step 5 fails and has changed nothing: undo by scale replica=2');
    expect(asked.get('/planned/first')).toBeUndefined();
  });

  it('that a cancel meets ends as cancelled, and what was done is undone', async () => {
    const { instanceId, path } = await stack.newInstance();
    const { later } = urls('cancelled', { later: 503 });
    const workflowId = await stack.start('long-check', { targets: [path], inputs: { url: later } });
    await until(() => (asked.get('/cancelled/later') ?? 0) > 1);
    const [shown] = (await runbooks.progress(workflowId)).targets;
    const step = shown?.steps[1];
    expect(step).toMatchObject({ title: `check: GET ${later}`, state: 'running' });
    expect(step?.retrying?.reason).toBe('status 503, and 200 is wanted');
    await temporal.client.workflow.getHandle(workflowId).cancel();
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('cancelled');
    expect(results(report.targets)).toEqual(['stop succeeded', 'check cancelled']);
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
  });

  it('whose worker stops is continued by another one', async ({ onTestFinished }) => {
    const { path } = await stack.newInstance();
    const { later } = urls('taken-over', { later: 503 });
    const taskQueue = `${temporal.taskQueue}-taken-over`;
    const begin = () => stack.beginWorker(taskQueue, onTestFinished);
    const stopFirst = await begin();
    const workflowId = `taken-over-${path.replaceAll('/', '-')}`;
    await temporal.client.workflow.start('long-check', {
      workflowId,
      taskQueue,
      args: [{ targets: [path], inputs: { url: later } }],
    });
    await until(() => (asked.get('/taken-over/later') ?? 0) > 1);
    await stopFirst();
    const before = asked.get('/taken-over/later') ?? 0;
    statuses.set('/taken-over/later', 200);
    await begin();
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    const check = report.targets[0]?.steps[1]?.check;
    expect(check?.requests).toBe(asked.get('/taken-over/later'));
    expect(check?.requests).toBeGreaterThan(before);
    expect(check?.heldMs).toBeGreaterThanOrEqual(1_000);
  });

  it('that fails after a reset has what the run before sent settled and undone, and nothing new is sent', async ({
    onTestFinished,
  }) => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'scale', neverEnds: true });
    // Apart from the others: a replay takes the id of the original run for that of the reset run, so it decides otherwise.
    const taskQueue = `${temporal.taskQueue}-reset-checked`;
    const begin = () => stack.beginWorker(taskQueue, onTestFinished);
    const stopFirst = await begin();
    const inputs = urls('reset');
    const workflowId = `checked-${instanceId}`;
    await temporal.client.workflow.start('checked', { workflowId, taskQueue, args: [{ targets: [path], inputs }] });
    await until(async () => (await stack.accepted(instanceId)).length === 2);
    await stopFirst();
    statuses.set('/reset/later', 503);
    const lease = leaseId({ projectId: stack.simulator.projectId, instanceId });
    const handle = temporal.client.workflow.getHandle(lease);
    const { runId } = await handle.describe();
    const { events } = await temporal.client.workflow.getHandle(lease, runId).fetchHistory();
    const checks = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
      scheduled?.activityType?.name === 'performCheck' ? [scheduled] : [],
    );
    const reset: Promise<{ runId: string }> = temporal.client.connection.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: lease, runId },
      reason: 'a test',
      workflowTaskFinishEventId: checks[1]?.workflowTaskCompletedEventId ?? null,
      requestId: `reset-${runId}`,
    });
    const { runId: resetRunId } = await reset;
    await begin();
    await stack.control.finish(instanceId);
    const report = (await temporal.client.workflow.getHandle(lease, resetRunId).result()) as TargetReport;
    expect(results([report])).toEqual(['at-first succeeded', 'restart succeeded', 'check failed', 'scale failed']);
    expect(report.steps[3]).toMatchObject({ sent: 'yes', failure: { name: 'CheckFailed' } });
    expect(report.outcome).toBe('compensated');
    expect(await stack.accepted(instanceId)).toEqual(['restart', 'scale', 'scale']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ replica: 2 });
    const whole: RunReport = await stack.report(workflowId);
    expect(whole.outcome).not.toBe('succeeded');
  });
});
