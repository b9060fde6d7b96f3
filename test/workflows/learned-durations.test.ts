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
import { OUTCOME_SEARCH_ATTRIBUTE } from '../../src/domain/contract.js';
import type { StepReport } from '../../src/domain/report/report.js';
import { aStepReport } from '../support/build.js';
import { learned } from '../support/learned.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const outcomeKey = defineSearchAttributeKey(OUTCOME_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD);
const stop = { action: 'stop', componentId: 'shop/checkout' };

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

describe('a worker that starts', () => {
  it('learns from the newest last, undos too', async () => {
    const taskQueue = unpolledQueue();
    const took = { runningAtMs: 1_000, endedByMs: 2_000 };
    const undo = tookStep('J2', { action: { action: 'start' }, startedAtMs: 2_000 });
    const [third, fourth] = [tookStep('J3', { startedAtMs: 3_000 }), tookStep('J4', { startedAtMs: 4_000 })];
    await leave(taskQueue, reportWith([tookStep('J1')], [undo]));
    await learned(temporal.client, taskQueue, 1);
    await leave(taskQueue, reportOf(third, fourth));
    expect(await learned(temporal.client, taskQueue, 2)).toEqual([
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
    expect((await learned(temporal.client, taskQueue, wrong.length)).map(([, cloudJobId]) => cloudJobId)).toEqual([
      'good',
    ]);
  });

  it('learns nothing from other task queues', async () => {
    const taskQueue = unpolledQueue();
    await leave(`${taskQueue}-of-another-project`, reportOf(tookStep('J1')));
    await leave(taskQueue, reportOf(tookStep('J2')));
    expect(await learned(temporal.client, taskQueue, 1)).toHaveLength(1);
  });

  it('reads encrypted memos, and leaves out one that it cannot decrypt', async () => {
    const taskQueue = unpolledQueue();
    const { connection } = temporal.client;
    const encrypted = (key: number) => new Client({ connection, dataConverter: { payloadCodecs: [xorCodec(key)] } });
    await leave(taskQueue, reportOf(tookStep('J1')), encrypted(1));
    await leave(taskQueue, reportOf(tookStep('J2')), encrypted(2));
    await leave(taskQueue, reportOf(tookStep('J3')), encrypted(1));
    const received = await learned(encrypted(1), taskQueue, 3);
    expect(received.map(([, cloudJobId]) => cloudJobId).sort()).toEqual(['J1', 'J3']);
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
