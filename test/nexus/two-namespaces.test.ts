/** Runbooks as Nexus operations: workflows of one namespace call runs of another, through an endpoint. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Worker, type NexusInterceptorsFactory } from '@temporalio/worker';
import { HandlerError } from 'nexus-rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { runbooksHandler } from '../../src/nexus/operations.js';
import type { RunStatus } from '../../src/nexus/service.js';
import { startStack, stopWorker, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { unobserved } from '../support/unobserved.js';
import { until } from '../support/until.js';
import type { Seen } from './caller-workflows.js';

const temporal = useTemporal();
const name = randomUUID().slice(0, 8);
const endpoint = `runbooks-${name}`;
/** The callers' own. */
const namespace = `callers-${name}`;
const taskQueue = `callers-${name}`;
const DAY = { seconds: { low: 86_400, high: 0, unsigned: false } as never };

/** Keys of starts whose next answer is lost on its way to the server, after the run was started. */
const unanswered = new Set<string>();
const loseAnswers: NexusInterceptorsFactory = () => ({
  inbound: {
    startOperation: async (input, next) => {
      const answer = await next(input);
      const { targets = [] } = input.input as { targets?: readonly string[] };
      if (targets.some((target) => unanswered.delete(target)))
        throw new HandlerError('UNAVAILABLE', 'the answer is lost');
      return answer;
    },
  },
});

let stack: Stack;
let callers: Client;
let connection: NativeConnection;
let worker: Worker;
let running: Promise<void>;
beforeAll(async () => {
  const { workflowService, operatorService } = temporal.client.connection as never as {
    workflowService: { registerNamespace(request: object): Promise<unknown> };
    operatorService: { createNexusEndpoint(request: object): Promise<unknown> };
  };
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: DAY });
  const target = { worker: { namespace: 'default', taskQueue: temporal.taskQueue } };
  await operatorService.createNexusEndpoint({ spec: { name: endpoint, target } });
  stack = await startStack(temporal, {
    worker: {
      nexusServices: [runbooksHandler({ client: temporal.client, taskQueue: temporal.taskQueue })],
      interceptors: { nexus: [loseAnswers] },
    },
  });
  callers = new Client({ connection: temporal.client.connection, namespace });
  connection = await NativeConnection.connect({ address: temporal.address });
  worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('caller-workflows.ts', import.meta.url)),
    bundlerOptions: { logger: new DefaultLogger('WARN') } as never,
  });
  running = worker.run();
});
afterAll(async () => {
  await stopWorker(worker, running);
  await connection.close();
  await stack.close();
});

const startCall = (workflow: string, input: unknown) =>
  callers.workflow.start(workflow, { taskQueue, workflowId: randomUUID(), args: [endpoint, input] });
const startRun = async (input: unknown) => (await (await startCall('callStartRun', input)).result()) as Seen;
const runStatus = async (key: string) => (await (await startCall('callRunStatus', key)).result()) as RunStatus & Seen;
const newKey = () => `incident-${randomUUID()}`;

/** A caller whose run has sent `stop`. Its cloud job runs until the test ends it, however slow the machine is. */
async function startStop({ path, instanceId, key }: { path: string; instanceId: string; key: string }) {
  await stack.control.outcome({ instanceId, action: 'stop', neverEnds: true });
  const caller = await startCall('callStartRun', { runbook: 'stop', key, targets: [path] });
  await until(async () => (await stack.accepted(instanceId)).length === 1);
  return caller;
}

describe('startRun', () => {
  it('completes with the report of the run, which is started as by RunbookClient', async () => {
    const { path, instanceId } = await stack.newInstance();
    const key = newKey();
    const request = { targets: [path], requestedBy: 'billing', reason: 'disk full' };
    const { report, errors } = await startRun({ runbook: 'restart', key, ...request });
    expect(errors).toEqual([]);
    expect(report).toMatchObject({ outcome: 'succeeded', workflowId: key, runbook: 'restart', requestedBy: 'billing' });
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
    const client = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
    expect(await client.start('restart', { id: key, ...request })).toMatchObject({ started: 'attached' });
    expect((await temporal.client.workflow.getHandle(key).describe()).memo).toMatchObject({ requestedBy: 'billing' });
  });

  it('fails with the report of a run that did not succeed', async () => {
    const { report, errors } = await startRun({ runbook: 'restart', targets: ['shop/checkout/nowhere'] });
    expect(errors).toMatchObject([
      { name: 'NexusOperationFailure' },
      { name: 'ApplicationFailure', type: 'refused', message: expect.stringContaining('nowhere') as unknown },
    ]);
    expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidPlan' } });
  });

  it('cancels and undoes the run when the operation is cancelled; runStatus has the report', async () => {
    const { path, instanceId } = await stack.newInstance();
    const key = newKey();
    const caller = await startStop({ path, instanceId, key });
    await caller.signal('cancelOperation');
    const { workflow } = temporal.client;
    await until(
      async () => (await workflow.getHandle(key).describe()).raw.workflowExtendedInfo?.cancelRequested === true,
    );
    await stack.control.finish(instanceId);
    expect(((await caller.result()) as Seen).errors.map((error) => error.name)).toEqual([
      'NexusOperationFailure',
      'CancelledFailure',
    ]);
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'start']);
    expect(await runStatus(key)).toMatchObject({
      open: false,
      outcome: 'cancelled',
      report: { outcome: 'cancelled', targets: [{ compensations: [{ result: 'succeeded' }] }] },
    });
  });

  it('refuses a bad input at once, with every problem', async () => {
    const { errors } = await startRun({ runbook: 'targetRun', key: 'runbook-target/p/i', reason: '', tagets: [] });
    const [, refusal] = errors;
    expect(refusal).toMatchObject({ name: 'HandlerError', type: 'BAD_REQUEST' });
    for (const part of ['runbook: "targetRun"', 'key: The id', 'tagets: unknown key', '"targets" is missing', 'reason'])
      expect(refusal?.message).toContain(part);
  });

  it('starts one run for a key, however often it is called, and refuses other arguments', async () => {
    const { path, instanceId } = await stack.newInstance();
    const input = { runbook: 'restart', key: newKey(), targets: [path] };
    const [first, second] = await Promise.all([startRun(input), startRun({ ...input, requestedBy: 'someone else' })]);
    expect(first.report).toMatchObject({ outcome: 'succeeded', runId: second.report?.runId });
    const other = await startRun({ ...input, runbook: 'stop' });
    expect(other.errors.map((error) => error.type)).toContain('RunIdTaken');
    expect(other.errors[1]).toMatchObject({
      type: 'BAD_REQUEST',
      message: expect.stringContaining('belongs to a run of') as unknown,
    });
    // The run has ended: the operation ends as it did.
    expect((await startRun(input)).report).toMatchObject({ runId: first.report?.runId });
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
    // Its history has the operation that attached to it.
    const history = await temporal.client.workflow.getHandle(input.key).fetchHistory();
    expect(JSON.stringify(history)).toContain('attachedCompletionCallbacks');
    const workflowBundle = { codePath: temporal.bundlePath };
    await Worker.runReplayHistory({ workflowBundle, sinks: unobserved }, history, input.key);
  });

  it('starts one run for an operation without a key, also if the answer to its start is lost', async () => {
    const { path, instanceId } = await stack.newInstance();
    unanswered.add(path);
    const { report } = await startRun({ runbook: 'restart', targets: [path] });
    expect(report?.outcome).toBe('succeeded');
    expect(unanswered.size).toBe(0);
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('ends an operation at once as a run of this key has ended, with its report', async () => {
    const input = { runbook: 'restart', key: newKey(), targets: ['shop/checkout/nowhere'] };
    const first = await startRun(input);
    const { report, errors } = await startRun(input);
    expect(report).toEqual(first.report);
    expect(errors.map((error) => error.type)).toEqual([undefined, 'OperationError', 'refused']);
  });

  it('never attaches to a run of another task queue, which belongs to another project', async () => {
    const workflowId = `another-project-${randomUUID()}`;
    const request = { targets: ['shop/checkout/prod-1'] };
    await temporal.client.workflow.start('restart', { workflowId, taskQueue: 'no-worker', args: [request] });
    const { errors } = await startRun({ runbook: 'restart', key: workflowId, ...request });
    await temporal.client.workflow.getHandle(workflowId).terminate();
    expect(errors[1]).toMatchObject({ type: 'BAD_REQUEST' });
    expect(errors.map((error) => error.type)).toContain('RunIdTaken');
    // Nothing of it is shown.
    expect(errors[1]?.message).toContain('on another task queue');
    expect(errors[1]?.message).not.toContain('restart');
  });
});

describe('runStatus', () => {
  it('shows what an open run waits for, and whether a person is needed', async () => {
    const { path, instanceId } = await stack.newInstance();
    const key = newKey();
    const caller = await startStop({ path, instanceId, key });
    const client = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
    await client.pause(key, { actor: 'ann', reason: 'the database is slow' });
    expect(await runStatus(key)).toMatchObject({
      open: true,
      outcome: null,
      runbook: 'stop',
      waitsFor: [expect.stringMatching(/paus(ing|ed) by ann: the database is slow/)],
      report: null,
    });
    await client.resume(key, { actor: 'ann', reason: 'over' });
    await stack.control.finish(instanceId);
    await caller.result();
    expect(await runStatus(key)).toMatchObject({ open: false, outcome: 'succeeded', attention: null, waitsFor: [] });
  });

  it('finds no run of another id, and only runs of the task queue', async () => {
    const missing = await runStatus('nothing-like-it');
    expect(missing.errors[1]).toMatchObject({
      type: 'NOT_FOUND',
      message: expect.stringContaining('There is no run') as unknown,
    });
    const workflowId = `another-queue-${randomUUID()}`;
    await temporal.client.workflow.start('restart', { workflowId, taskQueue: 'no-worker', args: [] });
    expect((await runStatus(workflowId)).errors[1]).toMatchObject({ type: 'NOT_FOUND' });
    await temporal.client.workflow.getHandle(workflowId).terminate();
    const lease = await runStatus('runbook-target/p/i');
    expect(lease.errors[1]).toMatchObject({ type: 'BAD_REQUEST' });
  });
});
