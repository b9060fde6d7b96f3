/** Spans of requests: only inside a trace, without ids that are secret, with status and error. */
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ServiceStageError } from '../../../src/servicestage/errors.js';
import { callTracer } from '../../../src/tracing/trace-call.js';

const exporter = new InMemorySpanExporter();
const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('test');
const follow = callTracer(tracer);
const JOB = new URL('https://api.example.com:8443/v2/0a1b2c/cas/jobs/7f0e5c4a?limit=100');
const KEY = new URL('https://iam.example.com/v3.0/OS-CREDENTIAL/credentials/THE-ACCESS-KEY');

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());
beforeEach(() => exporter.reset());

/** Runs inside a span, as an activity does. */
async function within(act: () => Promise<unknown>): Promise<void> {
  const parent = tracer.startSpan('activity');
  await context.with(trace.setSpan(context.active(), parent), () => act().catch(() => {}));
}

it('a request outside of a trace leaves none', async () => {
  expect(await follow({ method: 'GET', url: JOB }, async () => ({ status: 200 }))).toEqual({ status: 200 });
  expect(exporter.getFinishedSpans()).toEqual([]);
});

it('a request has method, host, path without ids, status, and its cloud job', async () => {
  await within(() => follow({ method: 'GET', url: JOB }, async () => ({ status: 200 })));
  const [span] = exporter.getFinishedSpans();
  expect(span?.name).toBe('GET /v2/{id}/cas/jobs/{id}');
  expect(span?.attributes).toEqual({
    'http.request.method': 'GET',
    'server.address': 'api.example.com',
    'server.port': 8443,
    'url.template': '/v2/{id}/cas/jobs/{id}',
    'runbook.cloud_job.id': '7f0e5c4a',
    'http.response.status_code': 200,
  });
});

it('a failed one has its code and status; the access key in its path is in no span', async () => {
  const facts = { code: 'NotAllowed', sent: 'no', method: 'GET', path: KEY.pathname, reason: 'no permission' } as const;
  const refused = new ServiceStageError({ ...facts, httpStatus: 403 });
  await within(() => follow({ method: 'GET', url: KEY }, async () => Promise.reject(refused)));
  const [span] = exporter.getFinishedSpans();
  expect(span?.attributes).toMatchObject({ 'error.type': 'NotAllowed', 'http.response.status_code': 403 });
  expect(span?.status).toEqual({ code: 2, message: 'no permission' });
  expect(JSON.stringify([span?.name, span?.attributes, span?.status, span?.events])).not.toContain('THE-ACCESS-KEY');
});
