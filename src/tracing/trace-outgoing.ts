/** Traces requests to others than ServiceStage and IAM: checks, webhooks, and what the gateway downloads. */
import { context, propagation, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import type { FollowOutgoing, OutgoingRequest } from '../network/follow-request.js';

/**
 * Makes a span of each request that belongs to a trace, and gives the request the headers by which its receiver can continue the trace.
 * Names and attributes have the host at most: the path of a webhook is a secret.
 */
export function outgoingTracer(tracer: Tracer): FollowOutgoing {
  return async (request, send, endingOf) => {
    if (trace.getActiveSpan() === undefined) return send({});
    const { method, purpose } = request;
    const span = tracer.startSpan(`${method} {${purpose}}`, {
      kind: SpanKind.CLIENT,
      attributes: attributesOf(request),
    });
    const active = trace.setSpan(context.active(), span);
    const headers: Record<string, string> = {};
    propagation.inject(active, headers);
    const fail = (errorType: string) => {
      span.setAttribute('error.type', errorType);
      span.setStatus({ code: SpanStatusCode.ERROR });
    };
    try {
      const result = await context.with(active, () => send(headers));
      const { status, failure } = endingOf(result);
      if (status !== undefined) span.setAttribute('http.response.status_code', status);
      if (failure !== undefined) fail(failure);
      return result;
    } catch (error) {
      // Not the message: it may contain the address.
      fail(error instanceof Error ? error.name : 'unknown');
      throw error;
    } finally {
      span.end();
    }
  };
}

function attributesOf({ method, host, port, webhook }: OutgoingRequest) {
  return {
    'http.request.method': method,
    'server.address': host,
    ...(port === undefined ? {} : { 'server.port': port }),
    ...(webhook === undefined ? {} : { 'runbook.webhook': webhook }),
  };
}
