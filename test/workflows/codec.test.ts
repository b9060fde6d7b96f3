/**
 * The promises also hold with an asynchronous payload codec: the details of a heartbeat must survive a crash and a
 * shutdown.
 */
import { randomUUID } from 'node:crypto';
import { Client, type Connection } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { RunbookClient, RunIdTaken } from '../../src/client/index.js';
import { replayExecutions } from '../../src/replay/replay-executions.js';
import { startBench, type Bench } from '../support/perform.js';
import { newSeed, quickActivities, stopWorker } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

/** Takes a little time, as a key service would, and makes payloads unreadable without it. */
const slowCodec: PayloadCodec = {
  encode: async (payloads) => Promise.all(payloads.map(async (payload) => after(5, flip(payload)))),
  decode: async (payloads) => Promise.all(payloads.map(async (payload) => after(5, flip(payload)))),
};

function flip(payload: Payload): Payload {
  const data = payload.data ?? new Uint8Array();
  return { ...payload, data: data.map((byte) => byte ^ 0x5a) };
}

function after<Value>(ms: number, value: Value): Promise<Value> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms));
}

const temporal = useTemporal();
const dataConverter = { payloadCodecs: [slowCodec] };
let bench: Bench;
let connection: Connection;
let client: Client;
beforeAll(async () => {
  bench = await startBench({ seed: newSeed() });
  connection = await ClosableConnection.connect({ address: temporal.address });
  client = new Client({ connection, dataConverter });
});
afterAll(async () => {
  await bench.close();
  await connection.close();
});

/** Its own queue, which the replay at the end skips, because it reads histories without this codec. */
function onItsOwnQueue() {
  const taskQueue = `codec-${randomUUID()}`;
  const runbooks = new RunbookClient({ client, taskQueue });
  return { runbooks, worker: () => worker(taskQueue) };
}

function worker(taskQueue: string) {
  const activities = quickActivities(bench.serviceStage, client);
  return temporal.worker({
    activities: { ...activities },
    dataConverter,
    taskQueue,
    shutdownGraceTime: 0,
    shutdownForceTime: 5_000,
  });
}

/** What a replay of the run shows, whose history is read with the codecs of this client. */
async function replayed(by: Client, run: { readonly workflowId: string; readonly runId: string }): Promise<string[]> {
  const options = { client: by, code: { workflowBundle: { codePath: temporal.bundlePath } } };
  const results: string[] = [];
  for await (const { result } of replayExecutions(options, [run].values())) results.push(result);
  return results;
}

describe.concurrent('with an asynchronous payload codec', () => {
  it('recover runs, shows its progress with the cloud job, and reports', async () => {
    const { target } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, action: 'stop', durationMs: 1_500 });
    const { runbooks, worker } = onItsOwnQueue();
    const first = await worker();
    const running = first.run();
    const { workflowId } = await runbooks.start('recover', { targets: [target.path] });
    const seen = new Set<string>();
    for await (const { targets } of runbooks.watch(workflowId, { intervalMs: 50 })) {
      for (const step of targets[0]?.steps ?? [])
        if (step.state === 'running' && step.cloudJobId !== null) seen.add(step.cloudJobId);
    }
    const report = await runbooks.result(workflowId);
    await stopWorker(first, running);
    expect(report.outcome).toBe('succeeded');
    expect(seen).toContain(report.targets[0]?.steps[0]?.cloudJobId);
    // The start arguments are read through the codec as well.
    const again = (inputs: { version?: string }) =>
      runbooks.start('recover', { targets: [target.path], inputs, id: workflowId });
    expect((await again({})).started).toBe('attached');
    await expect(again({ version: '1.3.2' })).rejects.toThrow(RunIdTaken);
    expect(await replayed(client, report)).toEqual(['replayed']);
    expect(await replayed(temporal.client, report)).toEqual(['failed']);
  });

  it('a shutdown while a cloud job runs hands its id to the next worker', async () => {
    const { target } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, action: 'restart', neverEnds: true });
    const { runbooks, worker } = onItsOwnQueue();
    const first = await worker();
    const running = first.run();
    const { workflowId } = await runbooks.start('restart', { targets: [target.path] });
    const isFollowed = async () => (await runbooks.progress(workflowId)).targets[0]?.steps[0]?.cloudJobId != null;
    await until(isFollowed);
    await stopWorker(first, running);
    const second = await worker();
    const runningAgain = second.run();
    await bench.control.finish(target.instanceId);
    const report = await runbooks.result(workflowId);
    await stopWorker(second, runningAgain);
    expect(report.outcome).toBe('succeeded');
    expect(await bench.accepted(target)).toEqual(['restart']);
    // Followed by its id, not found again by reading.
    expect(report.targets[0]?.steps[0]?.trail.map(({ decision }) => decision)).toContain('followed');
    expect(report.targets[0]?.steps[0]?.evidence).toBeUndefined();
  });

  it('scale-up reads the count from the memo of the scale-down, listed or described', async () => {
    const { target } = await bench.instance({ replica: 4 });
    const { runbooks, worker } = onItsOwnQueue();
    const only = await worker();
    const running = only.run();
    const run = async (runbook: string) =>
      runbooks.result((await runbooks.start(runbook, { targets: [target.path] })).workflowId);
    await run('scale-down');
    const up = await run('scale-up');
    await run('scale-down');
    await run('restart');
    const upAgain = await run('scale-up');
    await stopWorker(only, running);
    expect([up, upAgain].map(({ targets }) => targets[0]?.steps[0])).toMatchObject([
      { result: 'succeeded', action: { replica: 4 } },
      { result: 'succeeded', action: { replica: 4 } },
    ]);
  });
});
