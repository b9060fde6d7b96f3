/**
 * Runs at the limits of what a Temporal server stores: they end with a report, and can be found by each of their
 * targets.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporalAccess } from '../../src/activities/temporal-access.js';
import { RunbookClient } from '../../src/client/index.js';
import type { RunReport } from '../../src/domain/report/report.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
let runbooks: RunbookClient;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wide-'));
  stack = await startStack(temporal, { runbookDirectories: [folder] });
  runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

/** Every step's report lists its hosts: with 300 of them a skipped step's report is longer than the longest trail. */
const HOSTS = Array.from({ length: 300 }, (_item, index) => `"${String(index).padStart(36, '0')}"`);

/** A runbook whose steps are skipped, because the instance has two replicas already; the last ones wait. */
async function writeRunbook(name: string, steps: number, last = ''): Promise<void> {
  const step = (id: number) =>
    `  - { action: scale, id: step-${id}, with: { replica: 2, hosts: [${HOSTS.join(', ')}] } }\n`;
  const all = Array.from({ length: steps }, (_item, index) => step(index)).join('');
  const text = `name: ${name}\ntitle: Wide\ntargets: { max: 100 }\nsteps:\n${all}${last}`;
  await writeFile(join(folder, `${name}.yaml`), text);
}

async function newTargets(count: number): Promise<string[]> {
  const instances = await Promise.all(Array.from({ length: count }, () => stack.newInstance()));
  return instances.map(({ path }) => path).sort();
}

const LONG = {
  application: 'customer-relationship-management-prod-eu',
  component: 'payment-authorisation-and-settlement-api',
};

/** Instances whose paths have 119 characters: 20 of them do not fit into a search attribute. */
async function longTargets(count: number): Promise<string[]> {
  const targets: string[] = [];
  for (let index = 0; index < count; index++) {
    const name = `payment-authorisation-green-zone-a-${index + 10}`;
    targets.push((await stack.newInstance({ ...LONG, name })).path);
  }
  return targets;
}

describe.concurrent('a run on twenty targets with long paths', () => {
  it('ends with its report, and is found by each of them', async () => {
    const targets = await longTargets(20);
    const runId = await stack.start('start', { targets }); // They run already: each step is skipped.
    const access = temporalAccess(temporal.client);
    const asked = { runIds: [], targets, sinceMs: Date.now() - 60_000 };
    // While it is under way, also by targets that it has not begun.
    await until(async () => (await access.findRuns(asked)).some((run) => run.runId === runId));
    const [open] = await access.findRuns(asked);
    expect([open?.runId, targets.filter((path) => !open?.targets.includes(path))]).toEqual([runId, []]);
    const report = await stack.report(runId);
    expect(report.outcome).toBe('succeeded');
    expect(report.targets.map(({ path }) => path)).toEqual(targets);
    for (const path of targets) {
      const found = await access.findRuns({ ...asked, targets: [path] });
      expect(found.map((run) => [run.runId, run.targets.includes(path)])).toEqual([[runId, true]]);
    }
    // A search by path finds the run, or the workflow of the target in it.
    const last = targets.at(-1) ?? '';
    const listed: (string | undefined)[] = [];
    for await (const { type, parentExecution } of temporal.client.workflow.list({ query: `RunbookTarget = '${last}'` }))
      listed.push(`${type} of ${parentExecution?.workflowId}`);
    expect(listed).toEqual([`targetRun of ${runId}`]);
  });
});

describe.concurrent('a run whose report is larger than what a run stores', () => {
  const whole = (report: RunReport) => report.targets.map(({ path, steps, cut }) => [path, steps.length, cut]);

  it('ends, and its client reads the whole report from the targets', async () => {
    await writeRunbook('wide', 3);
    const targets = await newTargets(8);
    const workflowId = await stack.start('wide', { targets });
    const result = await runbooks.result(workflowId);
    expect([result.outcome, result.cut]).toEqual(['succeeded', undefined]);
    expect(whole(result)).toEqual(targets.map((path) => [path, 3, undefined]));
    expect(result.targets[0]?.steps[0]?.before).toMatchObject({ status: 'RUNNING', replicaCount: 2 });
    expect(await runbooks.report(workflowId)).toEqual(result);
    // What Temporal itself has: every target, with what was done, and how much is missing.
    const handle = temporal.client.workflow.getHandle(workflowId);
    const stored = (await handle.result()) as RunReport;
    const { memo } = await handle.describe();
    for (const [report, most] of [
      [stored, 256_000],
      [memo?.['report'] as RunReport, 62_000],
    ] as const) {
      expect(JSON.stringify(report).length).toBeLessThanOrEqual(most);
      expect(report.targets.map(({ path, outcome }) => [path, outcome])).toEqual(
        targets.map((path) => [path, 'succeeded']),
      );
      expect(report.cut?.targets).toBeGreaterThan(0);
    }
  });

  it('ends cancelled too, if only the memo has a report', async () => {
    await writeRunbook('wide-then-wait', 6, '  - { wait: 5m }\n');
    const [path = ''] = await newTargets(1);
    const workflowId = await stack.start('wide-then-wait', { targets: [path] });
    await until(async () => {
      const { targets } = await runbooks.progress(workflowId);
      return targets[0]?.steps.some(({ state, title }) => title.startsWith('wait') && state === 'running') === true;
    });
    await runbooks.cancel(workflowId);
    const result = await runbooks.result(workflowId);
    expect([result.outcome, result.cut]).toEqual(['cancelled', undefined]);
    expect(whole(result)).toEqual([[path, 7, undefined]]);
    const { memo } = await temporal.client.workflow.getHandle(workflowId).describe();
    expect(memo?.['report']).toMatchObject({ outcome: 'cancelled', cut: { targets: 1 }, targets: [{ cut: 'short' }] });
  });

  it('is refused before anything is touched if its report could not be stored', async () => {
    await writeRunbook('too-wide', 16);
    const targets = await newTargets(12);
    const report = await stack.report(await stack.start('too-wide', { targets }));
    expect(report.outcome).toBe('refused');
    expect(report.failure?.message).toMatch(
      /the plan could reach \d,\d{3},\d{3} bytes, and Temporal can store only 1,500,000/,
    );
  });
});
