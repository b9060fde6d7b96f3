/**
 * Every workflow that the other test files left on the server replays: a run must continue after its worker was
 * replaced.
 */
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { replayExecutions, type Execution } from '../../src/replay/replay-executions.js';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { installQuietRuntime } from '../support/quiet-runtime.js';
import { TEST_QUEUE_PREFIX } from '../support/temporal.js';
import { unobserved } from '../support/unobserved.js';
import { untilAllListed } from '../support/visibility.js';
import { withReadableMemos } from '../../src/temporal/readable-memos.js';

const workflowBundle = { codePath: inject('workflowBundlePath') };
/** As many as replay side by side. */
const WORKERS = 2;

/**
 * Left out are histories that this bundle cannot read: encrypted ones, whose queues have another prefix (test/support/encrypted.ts,
 * test/workflows/codec.test.ts), and those of other versions, which are on a server of their own (test/support/worker-versions.ts).
 */
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
  const workflowId = await untilAllListed(client);

  const runs: Execution[] = [];
  for await (const { workflowId, runId } of withReadableMemos(client).list({ query: ofTests }))
    runs.push({ workflowId, runId });
  const queue = runs.values();
  // Each worker replays one history at a time.
  const failures = await Promise.all(Array.from({ length: WORKERS }, () => failuresOf(queue)));
  expect(failures.flat()).toEqual([]);
  expect(runs.map((run) => run.workflowId)).toContain(workflowId);
});

/** Replays in parallel with other callers. @returns the workflows that do not replay, each with the reason */
async function failuresOf(queue: Iterator<Execution>): Promise<string[]> {
  const failures: string[] = [];
  for await (const { run, result, reason } of replayExecutions(
    { client, code: { workflowBundle, sinks: unobserved } },
    queue,
  ))
    if (result === 'failed' || result === 'unread') failures.push(`${run.workflowId}: ${reason}`);
  return failures;
}
