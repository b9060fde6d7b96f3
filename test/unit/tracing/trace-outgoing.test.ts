/** Spans of checks, webhooks and downloads: only inside a trace, with host, status and outcome, without path, query or message. */
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { outgoing, type RequestEnding } from '../../../src/network/follow-request.js';
import { outgoingTracer } from '../../../src/tracing/trace-outgoing.js';

const exporter = new InMemorySpanExporter();
const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('test');
const follow = outgoingTracer(tracer);
const URL_WITH_SECRETS = new URL('https://shop.example.com:8443/services/SESAME?token=SESAME');
const CHECK = outgoing('GET', 'check', URL_WITH_SECRETS);

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});
afterAll(() => {
  context.disable();
  propagation.disable();
});
beforeEach(() => exporter.reset());

/** Follows a request that ends so, inside a span, as an activity does. */
async function within(ending: RequestEnding | Error, request = CHECK) {
  const parent = tracer.startSpan('activity');
  let sent: Readonly<Record<string, string>> = {};
  const send = async (headers: Readonly<Record<string, string>>) => {
    sent = headers;
    if (ending instanceof Error) throw ending;
    return ending;
  };
  const result = await context
    .with(trace.setSpan(context.active(), parent), () => follow(request, send, (given) => given))
    .catch((error: unknown) => error);
  const [span] = exporter.getFinishedSpans();
  if (span === undefined) throw new Error('there is no span');
  return { span, sent, result, parent };
}

it('a request outside of a trace leaves none, and is sent as it is', async () => {
  expect(
    await follow(
      CHECK,
      async (headers) => headers,
      () => ({}),
    ),
  ).toEqual({});
  expect(exporter.getFinishedSpans()).toEqual([]);
});

it('a request has method, host and status, and its receiver can continue the trace', async () => {
  const { span, sent, result, parent } = await within({ status: 200 });
  expect(result).toEqual({ status: 200 });
  expect(span.name).toBe('GET {check}');
  expect(span.attributes).toEqual({
    'http.request.method': 'GET',
    'server.address': 'shop.example.com',
    'server.port': 8443,
    'http.response.status_code': 200,
  });
  expect(span.status).toEqual({ code: 0 });
  const { traceId, spanId } = span.spanContext();
  expect([traceId, span.parentSpanId]).toEqual([parent.spanContext().traceId, parent.spanContext().spanId]);
  expect(sent).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
});

it('one that did not end as wanted has the outcome, and its webhook by name', async () => {
  const request = { ...outgoing('POST', 'webhook', new URL('https://hooks.example.com/x')), webhook: 'ops' };
  const { span } = await within({ status: 404, failure: 'refused' }, request);
  expect(span.name).toBe('POST {webhook}');
  expect(span.attributes).toEqual({
    'http.request.method': 'POST',
    'server.address': 'hooks.example.com',
    'runbook.webhook': 'ops',
    'http.response.status_code': 404,
    'error.type': 'refused',
  });
  expect(span.status).toEqual({ code: 2 });
});

it.each<[string, RequestEnding | Error]>([
  ['answered', { status: 200 }],
  ['thrown', new TypeError(`cannot reach ${URL_WITH_SECRETS.href}`)],
])('no span of a request that was %s has a part of its address besides the host', async (_what, ending) => {
  const { span, result } = await within(ending);
  if (ending instanceof Error) expect([result, span.attributes['error.type']]).toEqual([ending, 'TypeError']);
  const { name, attributes, status, events } = span;
  expect(JSON.stringify([name, attributes, status, events])).not.toContain('SESAME');
});
