/** `RunbookClient.result` waits as long as the server answers anything at all; many waits cause no warning. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { AccessDenied, RunbookClient, ServerUnreachable } from '../../src/client/index.js';
import { keepEvidence } from '../support/evidence.js';
import { startGrpcProxy } from '../support/grpc-proxy.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

/** https://grpc.io/docs/guides/status-codes/ */
const GRPC = { cancelled: 1, deadlineExceeded: 4, permissionDenied: 7 };
const temporal = useTemporal();
let stack: Stack;
let runbooks: RunbookClient;
beforeAll(async () => {
  stack = await startStack(temporal);
  runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
});
afterAll(() => stack.close());

/** A run that lasts until it is cancelled. */
async function aRun(): Promise<string> {
  const window = { duration: '1h', opensAt: new Date(Date.now() + 3_600_000).toISOString() };
  const { path } = await stack.newInstance();
  return (await runbooks.start('restart', { targets: [path], window, waitAtMost: '2h' })).workflowId;
}

/** A client behind a proxy that refuses the methods in `refused` with these statuses, and counts the refusals. */
async function behindAProxy({ onTestFinished }: TestContext, refused: Map<string, number>) {
  const counts = new Map<string, number>();
  const proxy = await startGrpcProxy(temporal.address, (method) => {
    const status = refused.get(method) ?? null;
    if (status !== null) counts.set(method, (counts.get(method) ?? 0) + 1);
    return status;
  });
  const far = RunbookClient.lazy({ address: proxy.address, taskQueue: temporal.taskQueue });
  onTestFinished(async () => {
    await far.close();
    await proxy.close();
  });
  const untilRefused = async (method: string, times: number) => {
    while ((counts.get(method) ?? 0) < times) await delay(20);
  };
  return { far, untilRefused };
}

const POLL = 'GetWorkflowExecutionHistory';
const PROBE = 'DescribeWorkflowExecution';

describe.concurrent('a wait', () => {
  it.for([
    ['cancelled', GRPC.cancelled],
    ['out of time', GRPC.deadlineExceeded],
  ] as const)(
    'whose polls end %s continues even with no patience, while the server answers something else',
    async ([, code], context) => {
      const refused = new Map([[POLL, code]]);
      const { far, untilRefused } = await behindAProxy(context, refused);
      const workflowId = await aRun();
      const waiting = far.result(workflowId, { patienceMs: 0 });
      await Promise.race([waiting, untilRefused(POLL, 4)]);
      await runbooks.cancel(workflowId);
      refused.clear();
      expect((await waiting).outcome).toBe('cancelled');
    },
  );

  it('returns the report of a run that ended while nothing was answered', async (context) => {
    const refused = new Map([POLL, PROBE].map((method) => [method, GRPC.deadlineExceeded]));
    const { far, untilRefused } = await behindAProxy(context, refused);
    const workflowId = await aRun();
    const waiting = far.result(workflowId, { patienceMs: 3_600_000 });
    await Promise.race([waiting, untilRefused(PROBE, 3)]);
    await runbooks.cancel(workflowId);
    refused.clear();
    expect((await waiting).outcome).toBe('cancelled');
  });

  it('gives up when its patience is over and nothing is answered', async (context) => {
    const { far } = await behindAProxy(
      context,
      new Map([POLL, PROBE].map((method) => [method, GRPC.deadlineExceeded])),
    );
    await expect(far.result(await aRun(), { patienceMs: 0 })).rejects.toThrow(ServerUnreachable);
  });

  it('fails if its credentials are not accepted', async (context) => {
    const { far } = await behindAProxy(context, new Map([[POLL, GRPC.permissionDenied]]));
    await expect(far.result(await aRun())).rejects.toThrow(AccessDenied);
  });
});

it('many waits on one signal, and snapshots of many targets, cause no warning', async () => {
  const warnings: string[] = [];
  const note = ({ name, message }: Error) => void warnings.push(`${name}: ${message}`);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const paths = await Promise.all(Array.from({ length: 12 }, async () => (await stack.newInstance()).path));
  const { workflowId } = await runbooks.start('restart', { targets: paths });
  const enough = new AbortController();
  const { signal } = enough;
  const waits = Array.from({ length: 30 }, () => runbooks.result(workflowId, { signal }));
  for await (const { targets } of runbooks.watch(workflowId, { signal, intervalMs: 50 }))
    if (targets.length === paths.length) break;
  const reports = await Promise.all(waits);
  keepEvidence(JSON.stringify(reports[0]));
  const outcomes = reports.map(({ outcome }) => outcome);
  expect(outcomes).toEqual(outcomes.map(() => 'succeeded'));
  // Node emits warnings a tick later.
  await delay(0);
  expect(warnings).toEqual([]);
});
