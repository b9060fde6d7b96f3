/** What a watcher sees when the worker of a step is killed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endOf, spawnCommand, untilHinted, untilShown } from '../support/command-line.js';
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

it('watch reports that the worker of a step was lost, and when another takes over', async () => {
  const taskQueue = `${temporal.taskQueue}-left`;
  const worker = await startWorkerProcess({
    ...{ address: temporal.address, taskQueue, simulator: stack.simulator },
    // Longer than the first check why nothing happens.
    env: { RUNBOOK_POST_TIMEOUT: '30s' },
  });
  const { instanceId, path } = await stack.newInstance();
  await stack.control.outcome({ instanceId, action: 'restart', durationMs: 600_000 });
  const id = `left-${instanceId}`;
  const words = ['--task-queue', taskQueue];
  const watching = spawnCommand(['start', 'restart', '-t', path, '--id', id, '--watch', ...words], env);
  const ended = endOf(watching);
  await untilShown(watching, /runs as cloud job/);
  await worker.kill('SIGKILL');
  expect(await untilHinted(watching, /last heartbeat for the step/)).toMatch(
    /The worker \d+@\S+ sent its last heartbeat for the step of restart on shop\/checkout\/\S+ at \d{4}-\S+Z; another worker takes over at \d{4}-\S+Z/,
  );
  watching.kill('SIGTERM');
  expect(await ended).toMatchObject({ exitCode: 143 });
  await temporal.client.workflow.getHandle(id).terminate();
});
