/**
 * `RunbookClient.close` ends calls that only wait, finishes those that change something, refuses later ones, and closes
 * only its own connection.
 */
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientClosed, RunbookClient } from '../../src/client/index.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const AN_HOUR_MS = 3_600_000;
let stack: Stack;
let others: RunbookClient;
let workflowId: string;
beforeAll(async () => {
  stack = await startStack(temporal);
  others = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
  const { path } = await stack.newInstance();
  const window = { duration: '1h', opensAt: new Date(Date.now() + AN_HOUR_MS).toISOString() };
  ({ workflowId } = await others.start('restart', { targets: [path], window, waitAtMost: '2h' }));
});
afterAll(async () => {
  await others.cancel(workflowId);
  await others.result(workflowId);
  await stack.close();
});

const lazy = () => RunbookClient.lazy({ address: temporal.address, taskQueue: temporal.taskQueue });
const ofTheirs = () => new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });

describe.each([
  ['its own connection', lazy],
  ["somebody's client", ofTheirs],
])('a client on %s', (_on, made) => {
  it('ends waiting calls when it is closed', async () => {
    const runbooks = made();
    const watching = runbooks.watch(workflowId, { intervalMs: AN_HOUR_MS });
    await watching.next();
    const waits = [runbooks.result(workflowId), watching.next()].map((wait) => wait.catch((error: unknown) => error));
    await runbooks.report(workflowId); // Both have asked the server by now.
    await runbooks.close();
    for (const error of await Promise.all(waits)) {
      expect(error).toBeInstanceOf(ClientClosed);
      expect(error).toMatchObject({ name: 'ClientClosed' });
    }
  });

  it('refuses calls after it was closed, and may be closed again', async () => {
    const runbooks = made();
    await Promise.all([runbooks.close(), runbooks.close()]);
    await runbooks.close();
    const { path } = await stack.newInstance();
    const calls = [
      () => runbooks.start('restart', { targets: [path] }),
      () => runbooks.plan('restart', { targets: [path] }),
      () => runbooks.result(workflowId),
      () => runbooks.report(workflowId),
      () => runbooks.progress(workflowId),
      () => runbooks.watch(workflowId).next(),
      () => runbooks.cancel(workflowId),
      () => runbooks.hasWorker(),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(ClientClosed);
  });

  it('finishes a start that is under way', async () => {
    const runbooks = made();
    const { instanceId, path } = await stack.newInstance();
    const id = `closing-${instanceId}`;
    const starting = runbooks.start('restart', { targets: [path], id });
    const closing = runbooks.close();
    expect(await starting).toMatchObject({ workflowId: id, started: 'started' });
    await closing;
    expect((await others.result(id)).outcome).toBe('succeeded');
  });

  it('leaves the connection of others open', async () => {
    const runbooks = made();
    await runbooks.hasWorker();
    await runbooks.close();
    expect(await others.hasWorker()).toBe(true);
    expect(await temporal.client.connection.workflowService.getSystemInfo({})).toBeDefined();
  });
});

it('a cancel that is being sent is finished by a close', async () => {
  const { path } = await stack.newInstance();
  const window = { duration: '1h', opensAt: new Date(Date.now() + AN_HOUR_MS).toISOString() };
  const waiting = await others.start('restart', { targets: [path], window, waitAtMost: '2h' });
  const closesMeanwhile = {
    cancel: <Input, Answer>(input: Input, next: (input: Input) => Promise<Answer>) => {
      void runbooks.close();
      return next(input);
    },
  };
  const { connection } = temporal.client;
  const client = new Client({ connection, interceptors: { workflow: [closesMeanwhile] } });
  const runbooks = new RunbookClient({ client, taskQueue: temporal.taskQueue });
  expect(await runbooks.cancel(waiting.workflowId)).toBe('requested');
  expect((await others.result(waiting.workflowId)).outcome).toBe('cancelled');
});
