/** One trace from the client, or the alarm, to the requests at ServiceStage; and runs that are the same where only one side traces. */
import { readFile } from 'node:fs/promises';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { followSubject, subjectOf } from '../../src/activities/subject.js';
import { failuresWithinLimit } from '../../src/activities/to-failure.js';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { Calls } from '../../src/temporal/calls.js';
import { tracingInterceptors } from '../../src/tracing/client-tracing.js';
import { startTracing, type Tracing } from '../../src/tracing/start-tracing.js';
import { callTracer } from '../../src/tracing/trace-call.js';
import { deliveryTracer } from '../../src/tracing/trace-delivery.js';
import { activityTracing, workflowTracing } from '../../src/tracing/worker-tracing.js';
import { tracedBundle } from '../../src/worker/worker-options.js';
import { restartRule, TOKEN, useGateway } from '../support/gateway.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
const exporter = new InMemorySpanExporter();
let tracing: Tracing;
let stack: Stack;
let runbooks: RunbookClient;

beforeAll(async () => {
  tracing = startTracing({ serviceName: 'test', exporter });
  stack = await startStack(temporal, {
    followRequest: callTracer(tracing.tracer),
    worker: {
      workflowBundle: { code: tracedBundle(await readFile(inject('workflowBundlePath'), 'utf8')) },
      interceptors: { activity: [followSubject, ...activityTracing(tracing, subjectOf), failuresWithinLimit] },
      sinks: workflowTracing(tracing),
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
});

/** The spans so far, with their ancestors by name. */
async function spansOf(traceId: string) {
  await tracing.processor.forceFlush();
  const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const pathTo = (span: ReadableSpan): string[] => {
    const parent = byId.get(span.parentSpanId ?? '');
    return [...(parent === undefined ? [] : pathTo(parent)), span.name];
  };
  return spans.map((span) => ({ path: pathTo(span), span }));
}

async function spanNamed(name: string, workflowId: string): Promise<ReadableSpan> {
  await tracing.processor.forceFlush();
  const found = exporter
    .getFinishedSpans()
    .find((span) => span.name === name && span.attributes['temporalWorkflowId'] === workflowId);
  if (found === undefined) throw new Error(`no span ${name} of ${workflowId}`);
  return found;
}

it('shows', async () => {
  const { path } = await stack.newInstance();
  const { workflowId } = await runbooks.start('restart', { targets: [path] });
  const report = await runbooks.result(workflowId);
  const { traceId } = (await spanNamed('StartWorkflow:restart', workflowId)).spanContext();
  for (const { path: names, span } of await spansOf(traceId)) console.log(names.join(' → '), JSON.stringify(span.attributes));
  console.log(report.outcome);
});
