/** `runbook ls`, `runbook targets` and the formats of `runbook report`, against a server, a worker and the simulator. */
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes, type Payload } from '@temporalio/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OUTCOME_SEARCH_ATTRIBUTE } from '../../src/domain/contract.js';
import type { ListedRun } from '../../src/client/list-runs.js';
import type { ShownRuns } from '../../src/cli/render-runs.js';
import type { ShownTargets } from '../../src/cli/render-targets.js';
import { leaseId } from '../../src/domain/target/target.js';
import { runbook } from '../support/command-line.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const outcomeKey = defineSearchAttributeKey(OUTCOME_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD);
let stack: Stack;
let env: Record<string, string>;
beforeAll(async () => {
  stack = await startStack(temporal);
  const { url, projectId, accessKey, secretKey } = stack.simulator;
  env = {
    ...{ TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue },
    ...{ SERVICESTAGE_ENDPOINT: url, HUAWEICLOUD_SDK_IAM_ENDPOINT: url, HUAWEICLOUD_SDK_PROJECT_ID: projectId },
    ...{ HUAWEICLOUD_SDK_AK: accessKey, HUAWEICLOUD_SDK_SK: secretKey },
  };
});
afterAll(() => stack.close());

async function ls(...words: string[]): Promise<ShownRuns> {
  const { exitCode, stdout, stderr } = await runbook(['ls', '--json', ...words], env);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return JSON.parse(stdout) as ShownRuns;
}

/** Makes a memo that only its writer can read. */
const scrambled = {
  encode: async (payloads: Payload[]) => payloads.map(flipped),
  decode: async (all: Payload[]) => all,
};
function flipped(payload: Payload): Payload {
  return { ...payload, data: (payload.data ?? new Uint8Array()).map((byte) => byte ^ 1) };
}

const idsOf = (runs: readonly ListedRun[]) => runs.map(({ workflowId }) => workflowId);

/** The server's listing lags, so it is asked until it shows what the test waits for. */
async function untilListed(words: readonly string[], shows: (list: ShownRuns) => boolean): Promise<ShownRuns> {
  let list: ShownRuns | undefined;
  await until(async () => {
    list = await ls(...words);
    return shows(list);
  });
  if (list === undefined) throw new Error('it was asked at least once');
  return list;
}

it('ls lists runs by target, outcome, requester and time, and neither leases nor plans', async () => {
  const { path } = await stack.newInstance();
  const requester = `ann-${randomUUID()}`;
  const by = (name: string) => ['-t', path, '--requested-by', name, '--wait'];
  await runbook(['start', 'restart', '--id', `first-${path}`, ...by(requester)], env);
  await runbook(['start', 'stop', '--id', `second-${path}`, ...by('bob')], env);
  expect((await runbook(['plan', 'start', '-t', path], env)).exitCode).toBe(0);

  const onTarget = ['--target', path];
  const all = await untilListed(onTarget, ({ runs }) => runs.length === 2 && runs.every(({ open }) => !open));
  // The newest first.
  expect(idsOf(all.runs)).toEqual([`second-${path}`, `first-${path}`]);
  expect(all).toMatchObject({ needsYou: [], moreNeedYou: false, more: false });
  expect(all.runs[1]).toMatchObject({
    ...{ runbook: 'restart', targets: [path], outcome: 'succeeded', requestedBy: requester, attention: null },
  });
  expect(idsOf((await ls(...onTarget, '--limit', '1')).runs)).toEqual([`second-${path}`]);
  expect((await ls(...onTarget, '--limit', '1')).more).toBe(true);
  expect(idsOf((await ls(...onTarget, '--runbook', 'restart')).runs)).toEqual([`first-${path}`]);
  expect(idsOf((await ls(...onTarget, '--requested-by', requester)).runs)).toEqual([`first-${path}`]);
  expect((await ls(...onTarget, '--outcome', 'failed', '--outcome', 'expired')).runs).toEqual([]);
  expect((await ls(...onTarget, '--since', '1h')).runs).toHaveLength(2);
  expect((await ls(...onTarget, '--since', '2099-01-01')).runs).toEqual([]);
  expect((await ls(...onTarget, '--open')).runs).toEqual([]);

  const everything = await ls('--limit', '1000');
  const listed = [...everything.needsYou, ...everything.runs];
  expect(listed.length).toBeGreaterThanOrEqual(2);
  const isNotARun = ({ runbook: type }: ListedRun) => ['targetRun', 'alarmRule'].includes(type);
  expect(listed.filter(isNotARun)).toEqual([]);

  const text = await runbook(['ls', ...onTarget], env);
  expect(text.stdout).toMatch(/^state +started \(UTC\) +took +id +runbook +target +requested by\nsucceeded /);
});

it('ls and targets show a run while it acts, and ls asks for a person once it was terminated', async () => {
  const { instanceId, path } = await stack.newInstance();
  const workflowId = `held-${instanceId}`;
  await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
  await runbook(['start', 'restart', '-t', path, '--id', workflowId], env);
  await until(async () => (await stack.control.instance(instanceId)).busy);

  const open = await untilListed(['--open', '--target', path], ({ runs }) => runs.length === 1);
  expect(open.runs[0]).toMatchObject({ workflowId, open: true, outcome: null, attention: null });

  const { exitCode, stdout } = await runbook(['targets', path.replace(/prod-\w+$/, 'prod-*'), '--json'], env);
  expect(exitCode).toBe(0);
  const { targets } = JSON.parse(stdout) as ShownTargets;
  expect(targets.find((target) => target.path === path)).toMatchObject({
    ...{ instanceId, problem: null, heldBy: { workflowId } },
    seen: { version: '1.4.1', lastJobId: expect.stringMatching(/^JOB/) as string },
  });

  const { projectId } = stack.simulator;
  await temporal.client.workflow.getHandle(workflowId).terminate('the test');
  const lost = await untilListed(['--target', path], ({ needsYou }) => needsYou.length === 1);
  expect(lost.needsYou[0]).toMatchObject({ workflowId, status: 'TERMINATED', attention: 'noReport' });
  expect(lost.runs).toEqual([]);
  const text = await runbook(['ls', '--target', path], env);
  expect(text.stdout).toContain(`NEEDS YOU\n! restart on ${path}: it ended without a report: nothing was undone\n`);
  // Its child goes with it, or shortly after.
  await stack.control.finish(instanceId);
  await temporal.client.workflow
    .getHandle(leaseId({ projectId, instanceId }))
    .terminate('the test')
    .catch(() => {});
  await until(async () => {
    const shown = JSON.parse((await runbook(['targets', path, '--json'], env)).stdout) as ShownTargets;
    return shown.targets[0]?.heldBy === null;
  });
});

it('ls asks for a person while a failed run has left an instance stopped, until a later run has succeeded on it', async () => {
  const { instanceId, path } = await stack.newInstance();
  await stack.control.outcome({ instanceId, action: 'start', executionStatus: 'FAILED' });
  const workflowId = `left-${instanceId}`;
  const on = ['-t', path, '--wait'];
  await runbook(['start', 'recover', '--id', workflowId, ...on], env);
  const left = await untilListed(['--target', path], ({ needsYou }) => needsYou.length === 1);
  expect(left.needsYou[0]).toMatchObject({ workflowId, attention: 'leftChanged' });
  expect(left.needsYou[0]?.left[0]?.path).toBe(path);
  expect((await runbook(['ls', '--target', path], env)).stdout).toMatch(/left this behind\n {4}\S/);

  expect((await runbook(['start', 'start', ...on], env)).exitCode).toBe(0);
  const after = await untilListed(['--target', path], ({ runs }) => runs.length === 2);
  expect(after.needsYou).toEqual([]);
});

it('ls distinguishes a run that is being planned from a dry run, which the server lists the same way', async () => {
  const taskQueue = `unserved-${randomUUID()}`;
  const start = async (workflowId: string, more: object) =>
    temporal.client.workflow.start('restart', {
      ...{ workflowId, taskQueue },
      args: [{ targets: ['shop/checkout/prod-1'], requestedBy: 'dora', ...more }],
    });
  const handles = [await start(`real-${taskQueue}`, {}), await start(`dry-${taskQueue}`, { dryRun: true })];
  const { runs } = await untilListed(['--open', '--task-queue', taskQueue], (list) =>
    list.runs.some(({ workflowId }) => workflowId === `real-${taskQueue}`),
  );
  const ofQueue = runs.filter(({ workflowId }) => workflowId.endsWith(taskQueue));
  expect(ofQueue).toMatchObject([{ workflowId: `real-${taskQueue}`, targets: [], requestedBy: 'dora' }]);
  for (const handle of handles) await handle.terminate('the test');
});

it('ls leaves out a dry run that was refused, and shows who asked for a run that was', async () => {
  const runbookName = `missing-${randomUUID().slice(0, 8)}`;
  const about = [runbookName, '--target', 'shop/checkout/prod-1'];
  expect((await runbook(['plan', ...about], env)).exitCode).toBe(15);
  const id = `refused-${randomUUID()}`;
  // As a schedule starts it: without the memo that names the requester.
  const handle = await temporal.client.workflow.start(runbookName, {
    ...{ workflowId: id, taskQueue: temporal.taskQueue },
    args: [{ targets: ['shop/checkout/prod-1'], requestedBy: 'schedule nights/evening' }],
  });
  await expect(handle.result()).rejects.toThrow();
  const isOver = ({ runs }: ShownRuns) => runs.length === 1 && runs[0]?.outcome === 'refused';
  const { runs } = await untilListed(['--runbook', runbookName], isOver);
  expect(runs).toMatchObject([{ workflowId: id, outcome: 'refused', requestedBy: 'schedule nights/evening' }]);
});

it('targets names every variable that it misses, and refuses a pattern that is none', async () => {
  const missing = await runbook(['targets'], { TEMPORAL_ADDRESS: temporal.address });
  expect(missing.exitCode).toBe(2);
  for (const name of ['SERVICESTAGE_REGION', 'HUAWEICLOUD_SDK_PROJECT_ID', 'HUAWEICLOUD_SDK_AK'])
    expect(missing.stderr).toContain(name);
  expect(await runbook(['targets', 'a//b'], env)).toMatchObject({ exitCode: 2, stdout: '' });
});

it('targets shows the instances while Temporal is down', async () => {
  const { path } = await stack.newInstance();
  const { exitCode, stdout, stderr } = await runbook(['targets', path], { ...env, TEMPORAL_ADDRESS: '127.0.0.1:9' });
  expect(exitCode).toBe(0);
  expect(stdout).toBe(`${path}  RUNNING 2/2, version 1.4.1\n  no cloud job yet; not known whether a run acts on it\n`);
  expect(stderr).toContain('127.0.0.1:9 cannot be reached');
});

it('report has four formats, and ends with the next command where something went wrong', async () => {
  const { instanceId, path } = await stack.newInstance();
  await stack.control.outcome({ instanceId, action: 'stop', executionStatus: 'FAILED' });
  const id = `formats-${instanceId}`;
  const started = await runbook(['start', 'stop', '-t', path, '--id', id, '--wait'], env);
  const { exitCode } = started;
  expect(exitCode).toBeGreaterThanOrEqual(10);
  expect(started.stdout.trimEnd().split('\n').at(-1)).toBe(`  runbook resume ${id} --plan`);
  const asFormat = (format: string) => runbook(['report', id, '--format', format], env);
  expect(await asFormat('text')).toMatchObject({ exitCode, stdout: started.stdout });
  expect(await asFormat('json')).toEqual(await runbook(['report', id, '--json'], env));
  expect((await asFormat('markdown')).stdout).toMatch(/^## stop: \w+\n\n\*\*[A-Z]+\*\*: /);
  const html = await asFormat('html');
  expect(html).toMatchObject({ exitCode, stderr: '' });
  expect(html.stdout).toMatch(/^<!doctype html>\n[\s\S]*<svg [\s\S]*<\/html>\n$/);
  expect((await asFormat('pdf')).exitCode).toBe(2);
  expect((await runbook(['report', id, '--json', '--format', 'html'], env)).exitCode).toBe(2);
});

it('ls refuses a time and an outcome that are none', async () => {
  expect((await runbook(['ls', '--since', 'yesterday'], env)).stderr).toContain('Write how long ago, such as 24h');
  expect((await runbook(['ls', '--outcome', 'fine'], env)).stderr).toContain('Write one of indeterminate, ');
});

it('ls lists a run whose memo it cannot decode, and those beside it', async () => {
  const { connection, options } = temporal.client;
  const foreign = new Client({
    connection,
    namespace: options.namespace,
    dataConverter: { payloadCodecs: [scrambled] },
  });
  const workflowId = `scrambled-${randomUUID()}`;
  const typedSearchAttributes = new TypedSearchAttributes([{ key: outcomeKey, value: 'failed' }]);
  const start = {
    taskQueue: `${temporal.taskQueue}-unpolled`,
    workflowId,
    memo: { report: 'x' },
    typedSearchAttributes,
  };
  const handle = await foreign.workflow.start('restart', start);
  await untilListed(['--limit', '1000'], ({ runs, needsYou }) => idsOf([...runs, ...needsYou]).includes(workflowId));
  await handle.terminate();
});
