/** A local activity keeps its schedule-to-close time, whose timer the SDK loses between two attempts. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { failure } from '../../src/activities/to-failure.js';
import { withinScheduleToClose } from '../../src/activities/time-limits.js';
import { stopWorker } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
/** Its own: the histories of this workflow do not replay with the product's code. */
const taskQueue = `short-read-${temporal.taskQueue}`;
const attempts = new Map<string, number>();
/** Hanging attempts ignore cancellation; the worker waits for them when it stops. */
let release = () => {};
const over = new Promise<void>((resolve) => (release = resolve));
let worker: Worker;
let running: Promise<void>;
beforeAll(async () => {
  worker = await Worker.create({
    connection: temporal.connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('fixtures/short-read.ts', import.meta.url)),
    activities: { read: withinScheduleToClose(100, read) },
  });
  running = worker.run();
});
afterAll(async () => {
  release();
  await stopWorker(worker, running);
});

async function read(how: string): Promise<string> {
  const { workflowExecution } = Context.current().info;
  const attempt = (attempts.get(workflowExecution?.workflowId ?? '') ?? 0) + 1;
  attempts.set(workflowExecution?.workflowId ?? '', attempt);
  if (how === 'hangs') await over;
  if (how === 'isThrottled') throw failure('Throttled', 'limit 1000, time: 1 hour', { nextRetryDelayMs: 3_600_000 });
  if (how === 'fails' || attempt < 3) throw ApplicationFailure.create({ type: 'Unreachable', message: 'no answer' });
  return `attempt ${attempt}`;
}

function workflowId(how: string): string {
  return `${taskQueue}-${how}`;
}

function run(how: string): Promise<unknown> {
  return temporal.client.workflow.execute('shortRead', { workflowId: workflowId(how), taskQueue, args: [how] });
}

/** What lies under the failures of workflow and activity. */
async function rootCauseOf(call: Promise<unknown>): Promise<unknown> {
  const error: unknown = await call.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause;
}

it('ends when its attempts fail', async () => {
  expect(await rootCauseOf(run('fails'))).toMatchObject({ type: 'Unreachable' });
  expect(attempts.get(workflowId('fails'))).toBeGreaterThan(2);
});

it('ends when its attempts hang', async () => {
  expect(await rootCauseOf(run('hangs'))).toBeInstanceOf(Error);
});

it('ends when a failure asks for a pause beyond it, with the reason of that failure', async () => {
  const cause = await rootCauseOf(run('isThrottled'));
  expect(cause).toMatchObject({ type: 'Throttled', message: 'limit 1000, time: 1 hour' });
  expect(attempts.get(workflowId('isThrottled'))).toBe(1);
});

it('is tried again while there is time', async () => {
  expect(await run('recovers')).toBe('attempt 3');
});
