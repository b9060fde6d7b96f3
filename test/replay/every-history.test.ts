/**
 * Every workflow that the other test files left on the server replays: a run must continue after its worker was
 * replaced.
 */
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { installQuietRuntime } from '../support/quiet-runtime.js';
import { TEST_QUEUE_PREFIX } from '../support/temporal.js';
import { unobserved } from '../support/unobserved.js';
import { withReadableMemos } from '../../src/temporal/readable-memos.js';

const workflowBundle = { codePath: inject('workflowBundlePath') };
/**
 * A reset run that waited out its predecessor cannot be replayed: the SDK's replayer (1.24) gives the workflow the
 * original run's id
 * as its own, so that the reset is not seen, nor what was scheduled because of it.
 */
const RESET_THAT_WAITED = 'does not handle this event: HistoryEvent(id: ';
const resetWorkflows = new Set<string>();

/** As many as replay side by side. */
const WORKERS = 2;

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

  const runs: Run[] = [];
  for await (const { workflowId, runId } of withReadableMemos(client).list({ query: ofTests }))
    runs.push({ workflowId, runId });
  const queue = runs.values();
  // Each worker replays one history at a time.
  const failures = await Promise.all(Array.from({ length: WORKERS }, () => failuresOf(queue)));
  expect(failures.flat()).toEqual([]);
  expect(runs.map((run) => run.workflowId)).toContain(workflowId);
});

interface Run {
  readonly workflowId: string;
  readonly runId: string;
}

/**
 * Replays histories from the queue, in parallel with other callers. @returns the workflows that do not replay, each
 * with the reason
 */
async function failuresOf(queue: Iterator<Run>): Promise<string[]> {
  const failures: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle, sinks: unobserved },
    historiesOf(queue),
  ))
    if (error !== undefined && !(resetWorkflows.has(workflowId) && error.message.includes(RESET_THAT_WAITED)))
      failures.push(`${workflowId}: ${error.message}`);
  return failures;
}

/** Each history is fetched while the one before is replayed. */
async function* historiesOf(queue: Iterator<Run>) {
  const fetchNext = () => {
    const { value: run } = queue.next();
    if (run === undefined) return null;
    const { workflowId, runId } = run as Run;
    const history = client.workflow.getHandle(workflowId, runId).fetchHistory();
    history.catch(() => {}); // It is awaited in its turn.
    return { workflowId, history };
  };
  for (let current = fetchNext(); current !== null;) {
    const next = fetchNext();
    const history = await current.history;
    if (history.events?.some((event) => (event.workflowTaskFailedEventAttributes?.baseRunId ?? '') !== ''))
      resetWorkflows.add(current.workflowId);
    yield { workflowId: current.workflowId, history };
    current = next;
  }
}
