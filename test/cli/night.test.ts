/** What a command says at night: a start that is refused, no worker, a worker that went away, Ctrl-C and SIGTERM. */
import { randomUUID } from 'node:crypto';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import type { ChildProcess } from 'node:child_process';
import { endOf, runbook, spawnCommand, untilShown } from '../support/command-line.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const temporal = useTemporal();
let stack: Stack;
let env: Record<string, string>;
beforeAll(async () => {
  env = { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue };
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

/** What it has said on standard error, as soon as that matches. */
function untilHinted(child: ChildProcess, shows: RegExp): Promise<string> {
  let stderr = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (shows.test(stderr)) resolve(stderr);
    });
    child.once('close', () => reject(new Error(`It ended before it said ${shows.source}: ${stderr}`)));
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 100));
}

describe('start without waiting', () => {
  it.each([
    ['an unknown runbook', ['recoverr', '-t', 'a/b/c'], 'UnknownRunbook'],
    ['an unknown target', ['recover', '-t', 'no/such/thing'], 'there is no application "no"'],
    ['a missing input', ['scale', '-t', 'a/b/c'], 'inputs.replica'],
    ['a wrong input', ['scale', '-t', 'a/b/c', '-i', 'replica=many'], 'inputs.replica'],
  ])('ends with 15 and the reason for %s', async (_what, words, reason) => {
    const refused = await runbook(['start', ...words], env);
    expect(refused.exitCode).toBe(15);
    expect(refused.stdout).toMatch(/^REFUSED/);
    expect(refused.stdout).toContain(reason);
    const asJson = await runbook(['start', ...words, '--json'], env);
    expect(asJson.exitCode).toBe(15);
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      started: 'started',
      state: 'refused',
      report: { outcome: 'refused' },
    });
  });

  it('ends with 0 as soon as the run has begun', async () => {
    const { path } = await stack.newInstance();
    const { exitCode, stdout } = await runbook(['start', 'restart', '-t', path, '--json'], env);
    expect(exitCode).toBe(0);
    const { workflowId, state } = JSON.parse(stdout) as { workflowId: string; state: string };
    expect(['begun', 'ended']).toContain(state);
    expect((await stack.report(workflowId)).outcome).toBe('succeeded');
  });

  it('leaves a run that goes on planning to itself, and says why it does', async () => {
    const queue = `nobody-${randomUUID()}`;
    const { exitCode, stderr, stdout } = await runbook(['start', 'stop', '-t', 'a/b/c', '--task-queue', queue], env);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Started run /);
    expect(stderr).toContain('still being planned');
    expect(stderr).toContain(`No worker polls the task queue "${queue}". Start one with: runbook worker`);
  });
});

describe('where no worker answers', () => {
  it.each([['--wait'], ['--watch']])('start %s says so; Ctrl-C says that the run goes on', async (how) => {
    const id = `silent-${randomUUID()}`;
    const queue = `nobody-${randomUUID()}`;
    const child = spawnCommand(['start', 'stop', '-t', 'a/b/c', '--id', id, how, '--task-queue', queue], env);
    const ended = endOf(child);
    const hinted = await untilHinted(child, /No worker polls/);
    expect(hinted).toMatch(new RegExp(`No worker has taken ${id} for \\d+s \\(since \\d{4}-.*Z\\)`));
    child.kill('SIGINT');
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(how === '--wait' ? 130 : 0);
    expect(stderr).toContain(`the run goes on. Follow it with: runbook watch ${id}`);
    expect((await temporal.client.workflow.getHandle(id).describe()).status.name).toBe('RUNNING');
    await temporal.client.workflow.getHandle(id).terminate();
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('plan says so, and leaves nothing behind on %s', async (signal, code) => {
    const queue = `nobody-${randomUUID()}`;
    const child = spawnCommand(['plan', 'recover', '-t', 'a/b/c', '--task-queue', queue], env);
    const ended = endOf(child);
    await untilHinted(child, /No worker polls/);
    const count = async (status: string) =>
      (await temporal.client.workflow.count(`TaskQueue = "${queue}" AND ExecutionStatus = "${status}"`)).count;
    await until(async () => (await count('Running')) === 1);
    child.kill(signal);
    expect(await ended).toMatchObject({ exitCode: code, stdout: '' });
    await until(async () => (await count('Terminated')) === 1);
    expect(await count('Running')).toBe(0);
  });
});

it('watch says that the worker of a step went away, and when another takes over', async () => {
  const taskQueue = `left-${randomUUID()}`;
  const worker = await startWorkerProcess({
    ...{ address: temporal.address, taskQueue, simulator: stack.simulator },
    // Longer than the first look at why nothing happens.
    env: { RUNBOOK_VISIBILITY: '30s' },
  });
  const { instanceId, path } = await stack.newInstance();
  await stack.control.outcome({ instanceId, action: 'restart', durationMs: 600_000 });
  const id = `left-${instanceId}`;
  const words = ['--task-queue', taskQueue];
  const watching = spawnCommand(['start', 'restart', '-t', path, '--id', id, '--watch', ...words], env);
  const ended = endOf(watching);
  await untilShown(watching, /followed as cloud job/);
  await worker.kill('SIGKILL');
  expect(await untilHinted(watching, /last heartbeat for performAction/)).toMatch(
    /The worker \d+@\S+ sent its last heartbeat for performAction \d+s ago; another worker takes over at \d{4}-\S+Z/,
  );
  watching.kill('SIGTERM');
  expect(await ended).toMatchObject({ exitCode: 143 });
  await temporal.client.workflow.getHandle(id).terminate();
});
