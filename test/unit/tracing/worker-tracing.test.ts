/** A trace that began in a workflow is recorded only if the sampler wants it: in the sink and in activities. */
import { context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { MockActivityEnvironment } from '@temporalio/testing';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginTrace, carrierOf, spanIdOf, TRACE_HEADER } from '../../../src/domain/tracing/trace-context.js';
import { startTracing, type Tracing } from '../../../src/tracing/start-tracing.js';
import { activityTracing, workflowTracing } from '../../../src/tracing/worker-tracing.js';

const RUN_ID = '019aa3f2-7c51-7e0b-9d3a-2f6f5f1c9e07';
const BEGUN = beginTrace(RUN_ID, spanIdOf(RUN_ID, 0));
let exporter: InMemorySpanExporter;
let tracing: Tracing;
beforeEach(() => {
  exporter = new InMemorySpanExporter();
  tracing = startTracing({ serviceName: 'test', exporter });
});
afterEach(() => tracing.stop(1_000));

async function spans(): Promise<readonly ReadableSpan[]> {
  await tracing.processor.forceFlush();
  return exporter.getFinishedSpans();
}

describe.each([
  [true, 1],
  [false, 0],
])('where the sampler answers %s', (isWanted, count) => {
  it('spans of workflows', async () => {
    const sinks = workflowTracing({ ...tracing, isWanted: () => isWanted });
    const span = { name: 'RunWorkflow:restart', context: BEGUN, startedAtMs: 1_500, endedAtMs: 3_750, attributes: {} };
    await sinks.spans.ended.fn({ workflowId: 'restart-1', runId: RUN_ID } as never, { ...span, failure: 'no' });
    const [exported] = await spans();
    expect(await spans()).toHaveLength(count);
    if (exported === undefined) return;
    expect(exported.spanContext().traceId).toBe(BEGUN.traceId);
    expect(exported).toMatchObject({ startTime: [1, 500_000_000], duration: [2, 250_000_000], status: { code: 2 } });
    expect(exported.attributes).toEqual({ temporalWorkflowId: 'restart-1', run_id: RUN_ID });
  });

  it('spans of activities', async () => {
    await perform({ [TRACE_HEADER]: defaultPayloadConverter.toPayload(carrierOf(BEGUN)) }, () => isWanted);
    expect(await spans()).toHaveLength(count);
  });
});

it('an activity without a trace has no span, and neither has one with a header that cannot be read', async () => {
  await perform({}, () => true);
  await perform({ [TRACE_HEADER]: defaultPayloadConverter.toPayload('what?') }, () => true);
  await perform({ [TRACE_HEADER]: { metadata: {} } }, () => true);
  expect(await spans()).toEqual([]);
  expect(trace.getSpan(context.active())).toBeUndefined();
  expect(propagation.fields()).toContain('traceparent');
});

/** Executes an activity inside the interceptors of a worker. */
async function perform(headers: Record<string, object>, isWanted: () => boolean): Promise<void> {
  const environment = new MockActivityEnvironment();
  const inbound = activityTracing({ isWanted }, () => ({})).flatMap(
    (create) => create(environment.context).inbound ?? [],
  );
  const execute = inbound.reduceRight<(input: never) => Promise<unknown>>(
    (next, interceptor) => (input) => interceptor.execute?.(input, next as never) ?? next(input),
    async () => 'done',
  );
  expect(await environment.run(() => execute({ headers, args: [] } as never))).toBe('done');
}
