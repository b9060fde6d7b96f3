/** A worker that starts knows how long cloud jobs took from the reports of the runs before, whatever else is in the memos of workflows. */
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  TypedSearchAttributes,
  type Payload,
  type PayloadCodec,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { learnFromReports } from '../../src/activities/learned-durations.js';
import { RunbookClient } from '../../src/client/index.js';
import { OUTCOME_SEARCH_ATTRIBUTE } from '../../src/domain/contract.js';
import { Durations } from '../../src/domain/durations/durations.js';
import type { StepReport } from '../../src/domain/report/report.js';
import { leaseId } from '../../src/domain/target/target.js';
import { startSimulator } from '../../src/simulator/server.js';
import { aStepReport } from '../support/build.js';
import { controlOf } from '../support/simulator.js';
import { newSeed } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { startWorkerProcess } from '../support/worker-process.js';

const temporal = useTemporal();
const outcomeKey = defineSearchAttributeKey(OUTCOME_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD);
const stop = { action: 'stop', componentId: 'shop/checkout' };

/** Keeps what it receives, in order. */
class RecordedDurations extends Durations {
  readonly received: Parameters<Durations['ended']>[] = [];

  override ended(...given: Parameters<Durations['ended']>): void {
    this.received.push(given);
  }
}

/** What a worker of a task queue learns from `runs` runs, as soon as the server lists them. */
async function learned(
  taskQueue: string,
  runs: number,
  client = temporal.client,
): Promise<RecordedDurations['received']> {
  let durations = new RecordedDurations();
  await until(async () => {
    durations = new RecordedDurations();
    return (await learnFromReports(client, taskQueue, durations)).runs === runs;
  });
  return durations.received;
}

/** A queue that no worker polls, so that a workflow may leave anything in its memo. The replay at the end skips it. */
const unpolledQueue = () => `unpolled-${randomUUID()}`;

/** Leaves a closed workflow with this in the memo where a report belongs. */
async function leave(taskQueue: string, report: unknown, client = temporal.client): Promise<void> {
  const handle = await client.workflow.start('recover', {
    taskQueue,
    workflowId: randomUUID(),
    memo: { report },
    typedSearchAttributes: new TypedSearchAttributes([{ key: outcomeKey, value: 'succeeded' }]),
  });
  await handle.terminate();
}

function reportOf(...steps: unknown[]): object {
  return reportWith(steps, []);
}

function reportWith(steps: readonly unknown[], compensations: readonly unknown[]): object {
  const target = { path: 'shop/checkout/prod-1', outcome: 'succeeded', steps, compensations };
  return { reportVersion: 1, outcome: 'succeeded', targets: [target] };
}

function tookStep(cloudJobId: string, change: Partial<StepReport> = {}): StepReport {
  return aStepReport({ cloudJobId, cloudJobTook: { runningAtMs: 1_000, endedByMs: 2_000 }, ...change });
}

/** As JSON. */
async function newestHeartbeat(workflowId: string): Promise<string> {
  const description = await temporal.client.workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => null);
  const [payload] = description?.raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
  return Buffer.from(payload?.data ?? []).toString();
}

describe('a worker that starts', () => {
  it('knows what runs took that another worker carried out, and what was seen before that one was killed', async () => {
    const taskQueue = `${temporal.taskQueue}-${randomUUID().slice(0, 8)}`;
    const simulator = await startSimulator({ world: 'empty', seed: newSeed(), switches: { jitter: 0 } });
    const control = controlOf(simulator);
    const named = { application: 'shop', component: 'checkout', name: 'prod-1' };
    const { instanceId } = await control.createInstance({ ...named, replica: 2, version: '2', snapshots: ['1'] });
    await control.outcome({ instanceId, action: 'restart', neverEnds: true });
    const place = { address: temporal.address, taskQueue, simulator, env: { RUNBOOK_LOG_LEVEL: 'debug' } };
    const first = await startWorkerProcess(place);
    const runbooks = new RunbookClient({ client: temporal.client, taskQueue });
    const { workflowId } = await runbooks.start('restart', { targets: ['shop/checkout/prod-1'] });
    const lease = leaseId({ projectId: simulator.projectId, instanceId });
    await until(async () => (await newestHeartbeat(lease)).includes('"runningAtMs"'));
    await first.kill('SIGKILL');
    await control.finish(instanceId);
    const second = await startWorkerProcess(place);
    const report = await runbooks.result(workflowId);
    await second.kill('SIGTERM');
    const [step] = report.targets[0]?.steps ?? [];
    const { cloudJobTook, cloudJobId } = step ?? {};
    expect(cloudJobTook?.runningAtMs).toBeGreaterThan(0);
    expect(cloudJobTook?.endedByMs).toBeGreaterThan(cloudJobTook?.runningAtMs ?? Infinity);

    const restart = { action: 'restart', componentId: 'shop/checkout' };
    expect(await learned(taskQueue, 1)).toEqual([[restart, cloudJobId, cloudJobTook]]);
    const third = await startWorkerProcess(place);
    const isLearned = () => third.lastWords().includes('learned from the reports of earlier runs');
    await until(isLearned);
    expect(third.lastWords()).toMatch(/"runs":1,"cloudJobs":1,/);
    await third.kill('SIGTERM');
    await simulator.close();
  });

  it('learns from the newest last, undos too', async () => {
    const taskQueue = unpolledQueue();
    const took = { runningAtMs: 1_000, endedByMs: 2_000 };
    const undo = tookStep('J2', { action: { action: 'start' }, startedAtMs: 2_000 });
    const [third, fourth] = [tookStep('J3', { startedAtMs: 3_000 }), tookStep('J4', { startedAtMs: 4_000 })];
    await leave(taskQueue, reportWith([tookStep('J1')], [undo]));
    await learned(taskQueue, 1);
    await leave(taskQueue, reportOf(third, fourth));
    expect(await learned(taskQueue, 2)).toEqual([
      [stop, 'J1', took],
      [{ ...stop, action: 'start' }, 'J2', took],
      [stop, 'J3', took],
      [stop, 'J4', took],
    ]);
  });

  it('learns nothing from what is not a report, a step or a duration', async () => {
    const taskQueue = unpolledQueue();
    const wrong: unknown[] = [
      'a report',
      null,
      { targets: 'all' },
      { targets: [null] },
      { targets: [{ path: 1, steps: [], compensations: [] }] },
      { targets: [{ path: 'shop/checkout/prod-1' }] },
      reportOf(null, 1, [], aStepReport(), { ...tookStep('J1'), action: null }),
      reportOf({ ...tookStep('J2'), action: { action: 'explode' } }, { ...tookStep('J3'), cloudJobId: 3 }),
      reportOf(
        { ...tookStep('J4'), cloudJobTook: { runningAtMs: 2, endedByMs: 1 } },
        { ...tookStep('J5'), cloudJobTook: { runningAtMs: -1, endedByMs: 1 } },
        { ...tookStep('J6'), cloudJobTook: { runningAtMs: '1', endedByMs: 1 } },
        tookStep('J'.repeat(10_000)),
        tookStep('good'),
      ),
    ];
    await Promise.all(wrong.map((report) => leave(taskQueue, report)));
    expect((await learned(taskQueue, wrong.length)).map(([, cloudJobId]) => cloudJobId)).toEqual(['good']);
  });

  it('learns nothing from other task queues', async () => {
    const taskQueue = unpolledQueue();
    await leave(`${taskQueue}-of-another-project`, reportOf(tookStep('J1')));
    await leave(taskQueue, reportOf(tookStep('J2')));
    expect(await learned(taskQueue, 1)).toHaveLength(1);
  });

  it('reads encrypted memos, and keeps what it read before one that it cannot decrypt', async () => {
    const taskQueue = unpolledQueue();
    const { connection } = temporal.client;
    const encrypted = (key: number) => new Client({ connection, dataConverter: { payloadCodecs: [xorCodec(key)] } });
    await leave(taskQueue, reportOf(tookStep('J1')), encrypted(1));
    await learned(taskQueue, 1, encrypted(1));
    await leave(taskQueue, reportOf(tookStep('J2')), encrypted(2));
    const durations = new RecordedDurations();
    await until(async () => {
      durations.received.length = 0;
      await expect(learnFromReports(encrypted(2), taskQueue, durations)).rejects.toThrow();
      return durations.received.length > 0;
    });
    expect(durations.received.map(([, cloudJobId]) => cloudJobId)).toEqual(['J2']);
  });
});

/** Makes payloads unreadable without the same key. */
function xorCodec(key: number): PayloadCodec {
  const flip = (payload: Payload): Payload => ({
    ...payload,
    data: (payload.data ?? new Uint8Array()).map((byte) => byte ^ key),
  });
  return { encode: async (payloads) => payloads.map(flip), decode: async (payloads) => payloads.map(flip) };
}
