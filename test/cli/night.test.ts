/** What commands print when something is wrong: a refused start, no worker, an unreachable server, Ctrl-C and other signals. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { endOf, runbook, spawnCommand, untilHinted, untilShown } from '../support/command-line.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
let env: Record<string, string>;
beforeAll(async () => {
  env = { TEMPORAL_ADDRESS: temporal.address, RUNBOOK_TASK_QUEUE: temporal.taskQueue };
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

describe.concurrent('start without waiting', () => {
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

  it('leaves a run that is still planning alone, and explains the delay', async () => {
    const queue = `unserved-${randomUUID()}`;
    const { exitCode, stderr, stdout } = await runbook(['start', 'stop', '-t', 'a/b/c', '--task-queue', queue], env);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Started run /);
    expect(stderr).toContain('still being planned');
    expect(stderr).toContain(
      `No worker polls the task queue "${queue}". Start one with: RUNBOOK_TASK_QUEUE=${queue} runbook worker`,
    );
  });
});

describe.concurrent('start of a run that has ended by then', () => {
  it('ends with the report and the exit code of its outcome', async () => {
    const { path } = await stack.newInstance();
    const opensAt = new Date(Date.now() + 22 * 3_600_000).toISOString();
    const window = ['--window', '2h', '--cutoff', '30m', '--opens-at', opensAt, '--wait-at-most', '4h'];
    const words = ['start', 'restart', '-t', path, ...window];
    const expired = await runbook(words, env);
    expect(expired.stdout).toMatch(/^EXPIRED /);
    expect(expired.exitCode).toBe(16);
    const asJson = await runbook([...words, '--json'], env);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ state: 'ended', report: { outcome: 'expired' } });
    expect(asJson.exitCode).toBe(16);
  });

  it('counts for an id that was used before, and reports a missing report', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'stop', executionStatus: 'FAILED' });
    const words = ['start', 'stop', '-t', path, '--id', `again-${instanceId}`];
    const first = await runbook([...words, '--wait'], env);
    const again = await runbook(words, env);
    expect(first.exitCode).toBeGreaterThanOrEqual(10);
    expect(again).toMatchObject({ exitCode: first.exitCode, stdout: first.stdout });

    const id = `terminated-${randomUUID()}`;
    const unserved = ['start', 'stop', '-t', path, '--id', id, '--task-queue', `unserved-${randomUUID()}`];
    await runbook(unserved, env);
    await temporal.client.workflow.getHandle(id).terminate();
    const terminated = await runbook(unserved, env);
    expect(terminated.exitCode).toBe(2);
    expect(terminated.stderr).toContain('without a report');
  });

  it('takes either --wait or --watch', async () => {
    const { exitCode, stderr } = await runbook(['start', 'stop', '-t', 'a/b/c', '--wait', '--watch'], env);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("'--watch' cannot be used with option '--wait'");
  });
});

/** Before `main` runs: pipes that count as a terminal, so that the view is drawn in place and the cursor hidden. */
const AS_TERMINAL = ['--import', 'data:text/javascript,process.stdout.isTTY = process.stderr.isTTY = true'];

it.concurrent('a view that is drawn in place ends with words on Ctrl-C', async () => {
  const id = `drawn-${randomUUID()}`;
  const queue = ['--task-queue', `unserved-${randomUUID()}`];
  const child = spawnCommand(['start', 'stop', '-t', 'a/b/c', '--id', id, '--watch', ...queue], env, AS_TERMINAL);
  const ended = endOf(child);
  await untilShown(child, /No worker polls/);
  child.kill('SIGINT');
  const { exitCode, stderr } = await ended;
  expect(stderr).toContain(`the run continues. Follow it with: runbook watch ${id}`);
  expect(exitCode).toBe(0);
  await temporal.client.workflow.getHandle(id).terminate();
});

it.concurrent('a second Ctrl-C ends a command at once, whatever it still waits for', async () => {
  const module = new URL('../../dist/cli/interruptible.js', import.meta.url).href;
  const script = `
    import { interruptible } from '${module}';
    const stay = setInterval(() => {}, 1_000);
    const waiting = interruptible((signal) => {
      signal.addEventListener('abort', () => console.log('aborted'));
      return new Promise(() => {});
    });
    console.log('waiting');
    await waiting;`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = endOf(child);
  await untilShown(child, /waiting/);
  child.kill('SIGINT');
  await untilShown(child, /aborted/);
  expect(child.exitCode).toBeNull();
  child.kill('SIGINT');
  expect((await ended).exitCode).toBe(130);
});

describe.concurrent('where no worker answers', () => {
  it.each([['--wait'], ['--watch']])(
    'start %s explains it; after Ctrl-C it prints that the run continues',
    async (how) => {
      const id = `silent-${randomUUID()}`;
      const queue = `unserved-${randomUUID()}`;
      const child = spawnCommand(['start', 'stop', '-t', 'a/b/c', '--id', id, how, '--task-queue', queue], env);
      const ended = endOf(child);
      const hinted = await untilHinted(child, /No worker polls/);
      expect(hinted).toMatch(new RegExp(`No worker has taken ${id} since \\d{4}-.*Z`));
      child.kill('SIGINT');
      const { exitCode, stderr } = await ended;
      expect(exitCode).toBe(how === '--wait' ? 130 : 0);
      expect(stderr).toContain(`the run continues. Follow it with: runbook watch ${id}`);
      expect((await temporal.client.workflow.getHandle(id).describe()).status.name).toBe('RUNNING');
      await temporal.client.workflow.getHandle(id).terminate();
    },
  );

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('plan explains it, and leaves nothing behind on %s', async (signal, code) => {
    const queue = `unserved-${randomUUID()}`;
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

/** A proxy in front of the server, so that it can be unreachable for one command only. */
async function gate(): Promise<{ address: string; go: (how: 'refusing' | 'silent') => void; close: () => void }> {
  const { hostname, port } = new URL(`http://${temporal.address}`);
  const sockets = new Set<Socket>();
  let isSilent = false;
  const server = createServer((socket) => {
    const there = connect(Number(port), hostname);
    for (const each of [socket, there]) sockets.add(each.on('error', () => {}));
    if (isSilent) return;
    socket.pipe(there).pipe(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  const silence = () => {
    isSilent = true;
    for (const socket of sockets) socket.unpipe().pause();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    go: (how) => (how === 'refusing' ? close() : silence()),
    close,
  };
}

it.concurrent.each([
  ['refusing', ['start', '--wait']],
  ['silent', ['start', '--watch']],
  ['refusing', ['plan']],
] as const)(
  'reports within seconds that Temporal is unreachable (%s, %s), and what happens to the run',
  async (how, given) => {
    const [command, ...more] = given;
    const before = await gate();
    const queue = `unserved-${randomUUID()}`;
    const words = [command, 'stop', '-t', 'a/b/c', ...more, '--task-queue', queue];
    const child = spawnCommand(words, { ...env, TEMPORAL_ADDRESS: before.address });
    const ended = endOf(child);
    await untilHinted(child, /No worker polls/);
    before.go(how);
    const hinted = await untilHinted(child, /Temporal has not answered/);
    expect(hinted).toMatch(
      command === 'plan'
        ? /not answered since \d{4}-\S+Z; a plan touches nothing/
        : /not answered since \d{4}-\S+Z; the run is not affected\. Follow it, once Temporal answers, with: runbook watch stop-/,
    );
    child.kill('SIGINT');
    expect((await ended).exitCode).toBe(more[0] === '--watch' ? 0 : 130);
    before.close();
  },
);
