/** OpenTelemetry in a process: it is global only while it is on, and its sampler decides by trace id as well. */
import { context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, it, vi } from 'vitest';
import { startTracing } from '../../../src/tracing/start-tracing.js';

afterEach(() => vi.unstubAllEnvs());

const started = () => startTracing({ serviceName: 'runbook-worker', exporter: new InMemorySpanExporter() });
const idsOf = (count: number) =>
  Array.from(
    { length: count },
    (_, number) => `019aa3f27c517e0b${((number * 0x9e3779b9) >>> 0).toString(16).padStart(16, '7')}`,
  );

it('samples every trace by default', async () => {
  const tracing = started();
  expect(idsOf(10).every((id) => tracing.isWanted(id))).toBe(true);
  await tracing.stop(1_000);
});

it('asks the sampler of OTEL_TRACES_SAMPLER about a trace that began in a workflow, always with the same answer', async () => {
  vi.stubEnv('OTEL_TRACES_SAMPLER', 'parentbased_traceidratio');
  vi.stubEnv('OTEL_TRACES_SAMPLER_ARG', '0.5');
  const tracing = started();
  const wanted = idsOf(400).map((id) => tracing.isWanted(id));
  expect(wanted.filter(Boolean).length).toBeGreaterThan(100);
  expect(wanted.filter(Boolean).length).toBeLessThan(300);
  expect(idsOf(400).map((id) => tracing.isWanted(id))).toEqual(wanted);
  await tracing.stop(1_000);
});

it('takes the name of the service from OTEL_SERVICE_NAME', async () => {
  const tracing = started();
  expect(tracing.resource.attributes['service.name']).toBe('runbook-worker');
  await tracing.stop(1_000);
  vi.stubEnv('OTEL_SERVICE_NAME', 'mine');
  const named = started();
  expect(named.resource.attributes['service.name']).toBe('mine');
  await named.stop(1_000);
});

it('reads no baggage, and leaves nothing behind when it is stopped', async () => {
  const tracing = started();
  const carrier = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', baggage: 'a=b' };
  const extracted = propagation.extract(context.active(), carrier);
  expect(trace.getSpanContext(extracted)?.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  expect(propagation.getBaggage(extracted)).toBeUndefined();
  await tracing.stop(1_000);
  expect(trace.getSpanContext(propagation.extract(context.active(), carrier))).toBeUndefined();
});
