/** Every workflow that the other test files left on the server replays: a run whose worker was replaced must go on as it began. */
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ClosableConnection } from '../../src/client/connection.js';
import { installQuietRuntime } from '../support/quiet-runtime.js';
import { TEST_QUEUE_PREFIX } from '../support/temporal.js';

const workflowBundle = { codePath: inject('workflowBundlePath') };
/**
 * A reset run that waited out its predecessor cannot be replayed: the SDK's replayer (1.24) gives the workflow the original run's id
 * as its own, so that the reset is not seen. This marker stands in exactly those histories.
 */
const RESET_THAT_WAITED = 'reset-run-looks-before-it-leaves';

const ofTests = `TaskQueue STARTS_WITH "${TEST_QUEUE_PREFIX}"`;
let connection: ClosableConnection;
let client: Client;

beforeAll(async () => {
  installQuietRuntime();
  connection = await ClosableConnection.connect({ address: inject('temporalAddress') });
  client = new Client({ connection });
});

afterAll(() => connection.close());

it('replays every workflow that the tests started, with the code they ran', { timeout: 600_000 }, async () => {
  // Visibility lags: once it lists a workflow started now, it lists all that were started before.
  const workflowId = `replayed-last-${randomUUID()}`;
  await client.workflow.start('restart', { workflowId, taskQueue: `${TEST_QUEUE_PREFIX}replay`, args: [] });
  await client.workflow.getHandle(workflowId).terminate('nothing works on it');
  const isListed = `${ofTests} AND WorkflowId = "${workflowId}"`;
  await expect.poll(async () => (await client.workflow.count(isListed)).count, { timeout: 60_000 }).toBe(1);

  const replayed: string[] = [];
  const failures: string[] = [];
  const histories = client.workflow.list({ query: ofTests }).intoHistories();
  for await (const result of Worker.runReplayHistories({ workflowBundle }, histories)) {
    replayed.push(result.workflowId);
    if (result.error !== undefined && !result.error.message.includes(RESET_THAT_WAITED))
      failures.push(`${result.workflowId}: ${result.error.message}`);
  }
  expect(failures).toEqual([]);
  expect(replayed).toContain(workflowId);
});
