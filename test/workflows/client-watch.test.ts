/**
 * `RunbookClient.watch` gives what changed until the run ends, survives absent workers and servers, ends with its
 * signal, and gives up with a named error.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  NoReport,
  NotARun,
  NoWorkerAnswers,
  RunbookClient,
  RunNotFound,
  ServerUnreachable,
  type RunSnapshot,
} from '../../src/client/index.js';
import { BreakableLink } from '../chaos/link.js';
import { startGrpcProxy } from '../support/grpc-proxy.js';
import { startStack, stopWorker, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until, untilFound } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
let runbooks: RunbookClient;
beforeAll(async () => {
  stack = await startStack(temporal);
  const { client, taskQueue } = temporal;
  runbooks = new RunbookClient({ client, taskQueue });
});
afterAll(() => stack.close());

/** On its own task queue, which has no worker unless a test starts one. */
function lonelyClient(): RunbookClient {
  const taskQueue = `${temporal.taskQueue}-lonely-${randomUUID()}`;
  return new RunbookClient({ client: temporal.client, taskQueue, callTimeoutMs: 1_000 });
}

async function aRun(durationMs: number): Promise<string> {
  const { instanceId, path } = await stack.newInstance();
  await stack.control.outcome({ instanceId, action: 'restart', durationMs });
  return (await runbooks.start('restart', { targets: [path] })).workflowId;
}

async function collect(snapshots: AsyncIterable<RunSnapshot>): Promise<RunSnapshot[]> {
  const all: RunSnapshot[] = [];
  for await (const snapshot of snapshots) all.push(snapshot);
  return all;
}

describe.concurrent('watch', () => {
  it('gives a snapshot only when something changed, or every one with everySnapshot', async () => {
    const changes = await collect(runbooks.watch(await aRun(600), { intervalMs: 20 }));
    const everything = await collect(runbooks.watch(await aRun(600), { intervalMs: 20, everySnapshot: true }));
    const hasRepeats = (all: readonly RunSnapshot[]) =>
      all.some((snapshot, index) => JSON.stringify(snapshot) === JSON.stringify(all[index - 1]));
    expect(changes.length).toBeGreaterThan(2);
    expect([hasRepeats(changes), hasRepeats(everything)]).toEqual([false, true]);
    for (const all of [changes, everything])
      expect(all.at(-1)).toMatchObject({
        run: { phase: 'finished', outcome: 'succeeded' },
        targets: [{ phase: 'finished', steps: [{ id: 'restart', state: 'succeeded' }] }],
      });
  });

  it('ends at once when it is aborted during the pause', async () => {
    const workflowId = await aRun(1_000);
    const enough = new AbortController();
    const watching = runbooks.watch(workflowId, { intervalMs: 3_600_000, signal: enough.signal });
    expect((await watching.next()).done).toBe(false);
    // The call of `next` begins the pause.
    const next = watching.next();
    enough.abort();
    expect((await next).done).toBe(true);
    expect(await collect(runbooks.watch(workflowId, { signal: enough.signal }))).toEqual([]);
    await runbooks.result(workflowId);
  });

  it('ends at once when it is aborted while the server does not answer', async () => {
    const enough = new AbortController();
    const proxy = await startGrpcProxy(temporal.address, (method) => {
      if (method === 'QueryWorkflow') enough.abort();
      return null;
    });
    const { taskQueue } = lonelyClient();
    await using patient = RunbookClient.lazy({ address: proxy.address, taskQueue, callTimeoutMs: 3_600_000 });
    const { workflowId } = await patient.start('health-check', { targets: ['a/b/c'] });
    expect(await collect(patient.watch(workflowId, { signal: enough.signal }))).toEqual([]);
    await temporal.client.workflow.getHandle(workflowId).terminate();
    await proxy.close();
  });

  it('shows a run that has ended without a worker, from its report', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'rollback', executionStatus: 'FAILED' });
    const { workflowId } = await runbooks.start('recover', { targets: [path] });
    const report = await runbooks.result(workflowId);
    const lonely = lonelyClient();
    const [only, ...others] = await collect(lonely.watch(workflowId));
    expect(others).toEqual([]);
    expect(only?.run).toMatchObject({ phase: 'finished', outcome: 'compensated', planHash: report.planHash });
    expect(only?.targets[0]).toMatchObject({
      path,
      steps: [
        { id: 'stop', title: 'stop', state: 'succeeded' },
        { id: 'rollback', title: 'rollback version=1.4.0', state: 'failed' },
        { id: 'start', state: 'pending' },
      ],
      compensations: [{ title: 'undo: start', state: 'succeeded' }],
    });
    expect(await lonely.progress(workflowId)).toEqual(only);
  });

  it('continues through a time without workers', async () => {
    const { path } = await stack.newInstance();
    const lonely = lonelyClient();
    const { workflowId } = await lonely.start('restart', { targets: [path] });
    await expect(lonely.progress(workflowId)).rejects.toThrow(NoWorkerAnswers);
    const watching = collect(lonely.watch(workflowId, { intervalMs: 50, patienceMs: 0 }));
    const worker = await temporal.worker({ activities: { ...stack.activities }, taskQueue: lonely.taskQueue });
    const running = worker.run();
    expect((await watching).at(-1)?.run.outcome).toBe('succeeded');
    await stopWorker(worker, running);
  });

  it('asks again soon after an unanswered query, however long its interval is', async () => {
    const { path } = await stack.newInstance();
    const lonely = lonelyClient();
    const { workflowId } = await lonely.start('restart', { targets: [path] });
    const first = lonely.watch(workflowId, { intervalMs: 3_600_000 })[Symbol.asyncIterator]().next();
    await expect(lonely.progress(workflowId)).rejects.toThrow(NoWorkerAnswers);
    const worker = await temporal.worker({ activities: { ...stack.activities }, taskQueue: lonely.taskQueue });
    const running = worker.run();
    expect((await first).done).toBe(false);
    await lonely.result(workflowId);
    await stopWorker(worker, running);
  });

  it('continues through a short absence of the server, and gives up after a long one', async () => {
    const link = await BreakableLink.open(Number(temporal.address.split(':')[1]));
    const address = `127.0.0.1:${link.port}`;
    await using far = RunbookClient.lazy({ address, taskQueue: temporal.taskQueue, callTimeoutMs: 500 });
    const workflowId = await aRun(1_500);
    const waiting = far.result(workflowId);
    const watching = far.watch(workflowId, { intervalMs: 20 });
    expect((await watching.next()).done).toBe(false);
    link.cut();
    const rest = collect(watching);
    await until(() => link.refused > 0);
    link.restore();
    expect((await rest).at(-1)?.run.outcome).toBe('succeeded');
    expect((await waiting).outcome).toBe('succeeded');
    link.cut();
    await expect(collect(far.watch(workflowId, { intervalMs: 20, patienceMs: 200 }))).rejects.toThrow(
      ServerUnreachable,
    );
    await link.close();
  });

  it('gives up with a named error when the run was deleted', async () => {
    await expect(collect(runbooks.watch(`no-${randomUUID()}`))).rejects.toThrow(RunNotFound);
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const { workflowId } = await runbooks.start('restart', { targets: [path] });
    const { run } = await untilBegun(workflowId);
    // `finish` at the end ends only a cloud job that exists.
    await until(async () => (await stack.accepted(instanceId)).length > 0);
    const lease = run.targets[0];
    await expect(collect(runbooks.watch(lease?.leaseId ?? '', { runId: lease?.childRunId ?? '' }))).rejects.toThrow(
      NotARun,
    );
    const watched = expect(collect(runbooks.watch(workflowId, { intervalMs: 20 }))).rejects.toThrow(NoReport);
    await temporal.client.workflow.getHandle(workflowId).terminate('a test');
    await watched;
    await stack.control.finish(instanceId);
  });
});

async function untilBegun(workflowId: string): Promise<RunSnapshot> {
  return untilFound(async () => {
    const snapshot = await runbooks.progress(workflowId);
    return snapshot.targets.length > 0 ? snapshot : null;
  });
}
