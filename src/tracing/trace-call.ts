/** Traces requests to ServiceStage and IAM. */
import { context, SpanKind, SpanStatusCode, trace, type Attributes, type Tracer } from '@opentelemetry/api';
import { SPAN_ATTRIBUTES } from '../domain/tracing/trace-context.js';

/** A request, as `servicestage/http.ts` describes it. */
interface Asked {
  readonly method: string;
  readonly url: URL;
}

/** An answer with a status, or an error with one, in the words of `servicestage`. */
interface Answered {
  readonly status: number;
}

/** What a path consists of besides ids and names. */
const WORDS = new Set(
  'v2 v3 v3.0 cas applications components instances action snapshots jobs OS-CREDENTIAL credentials auth tokens'.split(
    ' ',
  ),
);

/**
 * Makes a span of each request that belongs to a trace. Ids are left out of the path, since that of IAM has the access
 * key; so is the query.
 */
export function callTracer(tracer: Tracer) {
  return async <Answer extends Answered>(asked: Asked, send: () => Promise<Answer>): Promise<Answer> => {
    if (trace.getActiveSpan() === undefined) return send();
    const { method, url } = asked;
    const template = templateOf(url);
    const span = tracer.startSpan(`${method} ${template}`, {
      kind: SpanKind.CLIENT,
      attributes: {
        'http.request.method': method,
        'server.address': url.hostname,
        ...(url.port === '' ? {} : { 'server.port': Number(url.port) }),
        'url.template': template,
        ...cloudJobIn(url),
      },
    });
    try {
      const answer = await context.with(trace.setSpan(context.active(), span), send);
      span.setAttribute('http.response.status_code', answer.status);
      return answer;
    } catch (error) {
      span.setAttributes(attributesOf(error));
      span.setStatus({ code: SpanStatusCode.ERROR, ...reasonOf(error) });
      throw error;
    } finally {
      span.end();
    }
  };
}

function templateOf({ pathname }: URL): string {
  return pathname
    .split('/')
    .map((part) => (part === '' || WORDS.has(part) ? part : '{id}'))
    .join('/');
}

function cloudJobIn({ pathname }: URL): Attributes {
  const [, cloudJobId] = /\/jobs\/([^/]+)$/.exec(pathname) ?? [];
  return cloudJobId === undefined ? {} : { [SPAN_ATTRIBUTES.cloudJobId]: cloudJobId };
}

/** Not the message: it contains the path. */
function reasonOf(error: unknown): { message?: string } {
  const reason = (error as { facts?: { reason?: unknown } } | null)?.facts?.reason;
  return typeof reason === 'string' ? { message: reason } : {};
}

function attributesOf(error: unknown): Attributes {
  if (!(error instanceof Error)) return {};
  const { code, facts } = error as { code?: unknown; facts?: { httpStatus?: unknown } };
  return {
    'error.type': typeof code === 'string' ? code : error.name,
    ...(typeof facts?.httpStatus === 'number' ? { 'http.response.status_code': facts.httpStatus } : {}),
  };
}
