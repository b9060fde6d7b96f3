/** A target whose steps do not fit into the window is not begun, and what is shown of usual durations on the way. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import type { WindowArguments } from '../../src/domain/contract.js';
import type { UsualDuration } from '../../src/domain/durations/usual-duration.js';
import type { TargetProgress } from '../../src/domain/report/progress.js';
import { leaseId } from '../../src/domain/target/target.js';
import { startStack, USUAL_MS, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;

const MINUTE = 60_000;
/** What the worker of this test has learned: a restart takes long, but only of one component; a stop was seen too seldom. */
const LEARNED: Readonly<Record<string, UsualDuration>> = {
  'restart of shop/slow': { p50Ms: 9 * MINUTE, p90Ms: 12 * MINUTE, jobs: 41, from: 'component' },
  'stop of shop/slow': { p50Ms: 9 * MINUTE, p90Ms: 12 * MINUTE, jobs: 3, from: 'component' },
  'restart of shop/quick': { p50Ms: 1, p90Ms: 2, jobs: 41, from: 'component' },
};

beforeAll(async () => {
  stack = await startStack(temporal, {
    dependencies: {
      usualDurations: ({ action, componentId }) => LEARNED[`${action} of ${componentId}`] ?? null,
    },
  });
});
afterAll(() => stack.close());

const newInstance = (component: string) => stack.newInstance({ component });
const iso = (ms: number) => new Date(ms).toISOString();

describe.concurrent('a target whose steps', () => {
  it('take longer than the rest of the window is not begun, with the figures', async () => {
    const { instanceId, path } = await newInstance('slow');
    const opensAt = iso(Date.now() - 51 * MINUTE);
    const report = await stack.run('restart', path, { window: { duration: '1h', opensAt } });
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'OutsideWindow' }, notStarted: [path] });
    expect(report.failure?.message).toMatch(
      /its steps take up to 12m \(nine in ten, from 41 cloud jobs\) and the window ends in (9m|8m \d+s): they had to begin before /,
    );
    expect(report.gates).toMatchObject([{ target: path, looks: 1, failure: 'OutsideWindow' }]);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('take longer than the whole window is not waited for', async () => {
    const { path } = await newInstance('slow');
    const window = { duration: '10m', opensAt: iso(Date.now() + 10 * MINUTE) };
    const report = await stack.run('restart', path, { window, waitAtMost: '1h' });
    expect(report).toMatchObject({ outcome: 'expired', failure: { name: 'OutsideWindow' }, notStarted: [path] });
    expect(report.failure?.message).toContain('and the whole window is 10m');
  });

  it.each<[string, string, string, WindowArguments]>([
    ['fit into the window', 'restart', 'slow', { duration: '1h' }],
    ['need not fit', 'restart', 'slow', { duration: '10m', fit: false }],
    ['were seen too seldom to say so', 'stop', 'slow', { duration: '10m' }],
    ['are quick', 'restart', 'quick', { duration: '10m' }],
  ])('%s is begun', async (_when, runbook, component, window) => {
    const { instanceId, path } = await newInstance(component);
    const report = await stack.run(runbook, path, { window });
    expect(report).toMatchObject({ outcome: 'succeeded' });
    expect(report.gates).toBeUndefined();
    expect(await stack.accepted(instanceId)).toEqual([runbook]);
  });

  it('do not fit is left out after those before it were done', async () => {
    const first = await newInstance('quick');
    const second = await newInstance('slow');
    const start = { targets: [second.path, first.path], window: { duration: '10m' } };
    expect(await stack.report(await stack.start('restart', start))).toMatchObject({
      outcome: 'expired',
      targets: [{ path: first.path, outcome: 'succeeded' }],
      notStarted: [second.path],
      gates: [{ target: second.path, failure: 'OutsideWindow' }],
    });
    expect(await stack.accepted(second.instanceId)).toEqual([]);
  });
});

it('plan, progress, Temporal UI and report show how long a step usually takes', async () => {
  const { instanceId, path } = await newInstance('quick');
  const client = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
  const plan = await client.plan('restart', { targets: [path] });
  expect(plan.targets[0]?.usual).toEqual([
    { stepId: 'restart', job: LEARNED['restart of shop/quick'], stepP50Ms: 61, stepP90Ms: 62 },
  ]);
  const unknown = await newInstance('other');
  expect((await client.plan('restart', { targets: [unknown.path] })).targets[0]?.usual).toMatchObject([
    { job: { p50Ms: USUAL_MS.restart, jobs: 0, from: 'declared' } },
  ]);

  await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
  const workflowId = await stack.start('restart', { targets: [path] });
  await until(async () => (await stack.accepted(instanceId)).length === 1);
  const child = temporal.client.workflow.getHandle(leaseId({ projectId: stack.simulator.projectId, instanceId }));
  const usual = { p50Ms: 61, p90Ms: 62, jobs: 41 };
  expect(await child.query<TargetProgress>('progress')).toMatchObject({ steps: [{ state: 'running', usual }] });
  expect(await client.progress(workflowId)).toMatchObject({ run: { usual: { p50Ms: 61, p90Ms: 62 } } });
  const { currentDetails } = await child.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  expect(currentDetails).toMatch(/\*\*restart\*\*: usually ends by \S+Z; unusually late after \S+Z/);
  await stack.control.finish(instanceId);
  expect(await stack.report(workflowId)).toMatchObject({ targets: [{ steps: [{ result: 'succeeded', usual }] }] });
});
