/** One trace from the client, or the alarm, to the requests at ServiceStage, of checks and to webhooks; and runs that are the same where only one side traces. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { WorkerOptions } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { followSubject, subjectOf } from '../../src/activities/subject.js';
import { failuresWithinLimit } from '../../src/activities/to-failure.js';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { createCheckClient } from '../../src/network/check-client.js';
import { noProxies } from '../../src/network/proxies.js';
import { createNotifier } from '../../src/notifications/notifier.js';
import { Calls } from '../../src/temporal/calls.js';
import { tracingInterceptors } from '../../src/tracing/client-tracing.js';
import { startTracing, type Tracing } from '../../src/tracing/start-tracing.js';
import { callTracer } from '../../src/tracing/trace-call.js';
import { deliveryTracer } from '../../src/tracing/trace-delivery.js';
import { outgoingTracer } from '../../src/tracing/trace-outgoing.js';
import { activityTracing, workflowTracing } from '../../src/tracing/worker-tracing.js';
import { tracedBundle } from '../../src/worker/workflow-code.js';
import { webhook } from '../notifications/webhooks.js';
import { alertmanagerBody, deliver, restartRule, useGateway } from '../support/gateway.js';
import { startStack, stopWorker, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { unobserved } from '../support/unobserved.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
const exporter = new InMemorySpanExporter();
let tracing: Tracing;
let stack: Stack;
let runbooks: RunbookClient;

const SESAME = 'sesame-of-the-path';
/** The traces that requests of others carried, by their path. */
const carried = new Map<string, string | undefined>();
/** A checked service, which is not healthy, and a receiver of webhooks. */
const others = createServer(({ url = '', headers: { traceparent } }, response) => {
  carried.set(url, traceparent?.toString());
  response.writeHead(url.startsWith('/health') ? 503 : 204).end();
});

beforeAll(async () => {
  tracing = startTracing({ serviceName: 'test', exporter });
  const follow = outgoingTracer(tracing.tracer);
  await new Promise<void>((listening) => others.listen(0, '127.0.0.1', listening));
  const secrets = [`whsec_${Buffer.alloc(32, 1).toString('base64')}`];
  const ops = webhook('webhook', `${othersUrl()}/hook/${SESAME}`, { name: 'ops', secrets });
  stack = await startStack(temporal, {
    followRequest: callTracer(tracing.tracer),
    worker: await traced(),
    runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))],
    dependencies: {
      checks: createCheckClient({ allowed: [], internal: [new URL(othersUrl()).host] }, noProxies, { follow }),
      notifier: createNotifier([ops], { follow }),
    },
  });
  runbooks = await RunbookClient.connect({
    address: temporal.address,
    taskQueue: temporal.taskQueue,
    clientInterceptors: await tracingInterceptors(),
  });
});
afterAll(async () => {
  await runbooks.close();
  await stack.close();
  await tracing.stop(1_000);
  others.closeAllConnections();
  others.close();
});

function othersUrl(): string {
  return `http://127.0.0.1:${(others.address() as AddressInfo).port}`;
}

/** The options of a worker that traces, as worker-options.ts makes them. */
async function traced(): Promise<Partial<WorkerOptions>> {
  return {
    workflowBundle: { code: tracedBundle(await readFile(inject('workflowBundlePath'), 'utf8')) },
    interceptors: { activity: [followSubject, ...activityTracing(tracing, subjectOf), failuresWithinLimit] },
    sinks: { ...unobserved, ...workflowTracing(tracing) },
  };
}

/** The spans of a trace, each with the names of its ancestors before its own. */
async function spansOf(traceId: string) {
  await tracing.processor.forceFlush();
  const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  expect(byId.size).toBe(spans.length);
  const pathTo = ({ name, parentSpanId = '' }: ReadableSpan): string[] => {
    const parent = byId.get(parentSpanId);
    return [...(parent === undefined ? [] : pathTo(parent)), name];
  };
  return spans.map((span) => ({ path: pathTo(span).join(' → '), span }));
}

async function traceIdOf(name: string, workflowId: string): Promise<string> {
  await tracing.processor.forceFlush();
  const found = exporter
    .getFinishedSpans()
    .find((span) => span.name === name && span.attributes['temporalWorkflowId'] === workflowId);
  if (found === undefined) throw new Error(`There is no span ${name} of ${workflowId}`);
  return found.spanContext().traceId;
}

const INSTANCE = '/v2/{id}/cas/applications/{id}/components/{id}/instances/{id}';
/** From the run to a request, below whatever began the trace. */
const TO_ATTEMPT = [
  'RunWorkflow:restart',
  'StartChildWorkflow:targetRun',
  'RunWorkflow:targetRun',
  'StartActivity:performAction',
  'RunActivity:performAction',
];
const TO_POST = [...TO_ATTEMPT, `POST ${INSTANCE}/action`].join(' → ');

it('is one trace from the client to the requests at ServiceStage, with run, target, step and cloud job', async () => {
  const { path, instanceId } = await stack.newInstance();
  const { workflowId } = await runbooks.start('restart', { targets: [path] });
  const report = await runbooks.result(workflowId);
  const spans = await spansOf(await traceIdOf('StartWorkflow:restart', workflowId));
  const paths = spans.map((each) => each.path);
  expect(paths).toContain(`StartWorkflow:restart → ${TO_POST}`);
  expect(paths).toContain(`StartWorkflow:restart → ${TO_ATTEMPT.join(' → ')} → GET /v2/{id}/cas/jobs/{id}`);
  expect(paths.filter((each) => !each.startsWith('StartWorkflow:restart'))).toEqual([]);
  const attempt = spans.find(({ span }) => span.name === 'RunActivity:performAction')?.span;
  const [step] = report.targets[0]?.steps ?? [];
  expect(attempt?.attributes).toMatchObject({
    'runbook.run.id': workflowId,
    'runbook.target': path,
    'runbook.step': step?.id,
    'runbook.cloud_job.id': step?.cloudJobId,
  });
  expect(step?.cloudJobId).toMatch(/^JOB/);
  expect(await stack.accepted(instanceId)).toEqual(['restart']);
});

it('is one trace from the delivery of an alarm to the requests at ServiceStage', async () => {
  const { path } = await stack.newInstance();
  const gateway = await desk.start(await desk.file(desk.newOwner(), { hung: restartRule() }), undefined, {
    temporal: { calls: new Calls(runbooks.client), taskQueue: temporal.taskQueue },
    traceDelivery: deliveryTracer(tracing.tracer),
  });
  const labels = { alertname: 'InstanceHangs', instance: path.split('/')[2] ?? '' };
  const { json } = await deliver(gateway.url, alertmanagerBody([{ labels }]));
  const run = json.decisions?.[0]?.run ?? '';
  expect((await stack.report(run)).outcome).toBe('succeeded');
  const spans = await spansOf(await traceIdOf('RunWorkflow:restart', run));
  expect(spans.map((each) => each.path)).toContain(
    `POST /alarms/{sender} → UpdateWithStartWorkflow:decide → StartChildWorkflow:restart → ${TO_POST}`,
  );
});

it('has the requests of checks and to webhooks, which carry it on, and no secret of their addresses', async () => {
  const { path } = await stack.newInstance();
  const url = `${othersUrl()}/health?token=${SESAME}`;
  const { workflowId } = await runbooks.start('checked-continue', { targets: [path], inputs: { url } });
  const report = await runbooks.result(workflowId);
  expect(report.notifications).toMatchObject([{ webhook: 'ops', result: 'delivered' }]);
  const spans = await spansOf(await traceIdOf('StartWorkflow:checked-continue', workflowId));
  const one = (end: string) => {
    const found = spans.filter((each) => each.path.endsWith(end)).at(-1);
    if (found === undefined) throw new Error(`There is no span ${end}`);
    expect(found.path).toMatch(/^StartWorkflow:checked-continue → RunWorkflow:checked-continue → /);
    const { traceId, spanId } = found.span.spanContext();
    return { attributes: found.span.attributes, traceparent: `00-${traceId}-${spanId}-01` };
  };
  const check = one('RunActivity:performCheck → GET {check}');
  expect(check.attributes).toMatchObject({ 'http.response.status_code': 503, 'error.type': 'unmet' });
  expect(carried.get(new URL(url).pathname + new URL(url).search)).toBe(check.traceparent);
  const notified = one('RunActivity:notify → POST {webhook}');
  expect(notified.attributes).toMatchObject({ 'http.response.status_code': 204, 'runbook.webhook': 'ops' });
  expect(carried.get(`/hook/${SESAME}`)).toBe(notified.traceparent);
  for (const { span } of spans)
    expect(JSON.stringify([span.name, span.attributes, span.status, span.events])).not.toContain(SESAME);
});

it('begins with the run where the client does not trace, and has the id of the run', async () => {
  const { path } = await stack.newInstance();
  const workflowId = await stack.start('restart', { targets: [path] });
  const { runId, outcome } = await stack.report(workflowId);
  expect(outcome).toBe('succeeded');
  const spans = await spansOf(runId.replaceAll('-', ''));
  expect(spans.map((each) => each.path)).toContain(TO_POST);
});

it('passes a worker that does not trace', async () => {
  const taskQueue = `${temporal.taskQueue}-untraced`;
  await stack.beginWorker(taskQueue, onTestFinished);
  const { path } = await stack.newInstance();
  const client = new RunbookClient({ client: runbooks.client, taskQueue });
  const { workflowId } = await client.start('restart', { targets: [path] });
  expect((await client.result(workflowId)).outcome).toBe('succeeded');
  const spans = await spansOf(await traceIdOf('StartWorkflow:restart', workflowId));
  expect(spans.map((each) => each.path)).toEqual(['StartWorkflow:restart']);
});

it.each(['a worker that does not trace', 'a worker that traces'])('is continued by %s', async (next) => {
  const taskQueue = `${temporal.taskQueue}-${next}`;
  const begin = async (options: Partial<WorkerOptions>) => {
    const worker = await temporal.worker({ ...options, taskQueue, activities: { ...stack.activities } });
    const running = worker.run();
    onTestFinished(() => stopWorker(worker, running));
    return () => stopWorker(worker, running);
  };
  const [first, second] = next === 'a worker that traces' ? [{}, await traced()] : [await traced(), {}];
  const { path, instanceId } = await stack.newInstance();
  await stack.control.outcome({ instanceId, action: 'restart', neverEnds: true });
  const stop = await begin(first);
  const client = new RunbookClient({ client: runbooks.client, taskQueue });
  const { workflowId } = await client.start('restart', { targets: [path] });
  await until(async () => (await stack.accepted(instanceId)).length === 1);
  await stop();
  await begin(second);
  await stack.control.finish(instanceId);
  expect((await client.result(workflowId)).outcome).toBe('succeeded');
  expect(await stack.accepted(instanceId)).toEqual(['restart']);
});
