/** `runbook replay`: histories of a server against the workflow code of a version, and against code that was changed. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShownReplay } from '../../src/cli/render-replay.js';
import { replayExecutions } from '../../src/replay/replay-executions.js';
import { selfSignedRsa } from '../servicestage/self-signed.js';
import { endOf, runbookProcess } from '../support/command-line.js';
import { startGrpcProxy } from '../support/grpc-proxy.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const API_KEY = 'the-key-of-this-test';

const temporal = useTemporal();
let stack: Stack;
let folder: string;
let openRun: string;
let endedRun: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replay-'));
  stack = await startStack(temporal);
  const [open, ended] = [await stack.newInstance(), await stack.newInstance()];
  await stack.control.outcome({ instanceId: open.instanceId, action: 'restart', neverEnds: true });
  openRun = await stack.start('restart', { targets: [open.path] });
  endedRun = await stack.start('recover', { targets: [ended.path] });
  await stack.report(endedRun);
  await until(async () => (await stack.accepted(open.instanceId)).length === 1);
  const ofQueue = `TaskQueue = '${temporal.taskQueue}' AND ExecutionStatus`;
  const count = async (query: string) => (await temporal.client.workflow.count(query)).count;
  await until(
    async () => (await count(`${ofQueue} = 'Running'`)) === 2 && (await count(`${ofQueue} = 'Completed'`)) === 2,
  );
});
afterAll(async () => {
  await temporal.client.workflow.getHandle(openRun).terminate();
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

const here = () => ({ TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue });
const shown = ({ stdout }: { readonly stdout: string }) => JSON.parse(stdout) as ShownReplay;

describe('runbook replay', () => {
  it('replays open and closed histories, over TLS and with an API key', async () => {
    const certificate = selfSignedRsa({ commonName: 'localhost', host: 'localhost' });
    await writeFile(join(folder, 'server.pem'), certificate.cert);
    const isKnown = ({ authorization }: { readonly authorization?: string | undefined }) =>
      authorization === `Bearer ${API_KEY}`;
    const UNAUTHENTICATED = 16;
    const proxy = await startGrpcProxy(
      temporal.address,
      (_method, headers) => (isKnown(headers) ? null : UNAUTHENTICATED),
      certificate,
    );
    const words = ['replay', '--address', proxy.address.replace('127.0.0.1', 'localhost')];
    const env = { TEMPORAL_API_KEY: API_KEY, TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'server.pem') };
    const ended = await runbookProcess(
      [...words, '--namespace', 'default', '--task-queue', temporal.taskQueue, '--json'],
      env,
    );
    await proxy.close();
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(shown(ended)).toEqual({
      ...{ namespace: 'default', taskQueue: temporal.taskQueue, kept: { open: 2, closed: 2 } },
      ...{ results: { replayed: 4, failed: 0, notReplayable: 0, unread: 0 }, notReplayed: [] },
    });
  });

  it('shows how many there are, where it takes fewer', async () => {
    expect(await runbookProcess(['replay', '--limit', '1'], here())).toEqual({
      exitCode: 0,
      stdout: `2 of 2 histories replay (task queue ${temporal.taskQueue}, namespace default: 2 open, 2 closed). The namespace keeps 4; --limit takes more\n`,
      stderr: '',
    });
  });

  it('names each history that changed code does not replay, with the reason', async () => {
    const changed = join(folder, 'changed');
    for (const path of ['dist', 'runbooks', 'package.json'])
      await cp(join(ROOT, path), join(changed, path), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(changed, 'node_modules'));
    const bundle = join(changed, 'dist/workflow-bundle.js');
    const code = await readFile(bundle, 'utf8');
    // As if the step's activity had been renamed.
    await writeFile(bundle, code.replaceAll('performAction', 'carryOutAction'));
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...here() };
    const ended = await endOf(
      execFile(process.execPath, [join(changed, 'dist/cli/main.js'), 'replay', '--json'], { env }),
    );
    const { results, notReplayed } = shown(ended);
    expect({ ...ended, stdout: '' }).toEqual({ exitCode: 5, stdout: '', stderr: '' });
    expect(results).toEqual({ replayed: 2, failed: 2, notReplayable: 0, unread: 0 });
    for (const { workflowType, reason } of notReplayed) {
      expect(workflowType).toBe('targetRun');
      expect(reason).toMatch(/Nondeterminism.*performAction.*carryOutAction/);
    }
    expect(new Set(notReplayed.map(({ isOpen }) => isOpen))).toEqual(new Set([true, false]));
  });

  it('does not pass where there is nothing to replay', async () => {
    const { exitCode, stderr } = await runbookProcess(['replay', '--task-queue', `none-${randomUUID()}`], here());
    expect(exitCode).toBe(2);
    expect(stderr).toContain('so nothing was checked');
  });
});

it('a history that cannot be read does not end the replay of the others', async () => {
  const executions = [
    { workflowId: endedRun, runId: (await temporal.client.workflow.getHandle(endedRun).describe()).runId },
    { workflowId: `unknown-${randomUUID()}`, runId: randomUUID() },
    { workflowId: openRun, runId: (await temporal.client.workflow.getHandle(openRun).describe()).runId },
  ];
  const options = { client: temporal.client, code: { workflowBundle: { codePath: temporal.bundlePath } } };
  const results: string[] = [];
  for await (const { run, result } of replayExecutions(options, executions.values()))
    results.push(`${run.workflowId} ${result}`);
  expect(results.toSorted()).toEqual(
    executions.map(({ workflowId }, index) => `${workflowId} ${index === 1 ? 'unread' : 'replayed'}`).toSorted(),
  );
});
