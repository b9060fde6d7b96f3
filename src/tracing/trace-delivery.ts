/** Traces deliveries to the gateway. */
import { context, propagation, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';

/** Makes a span of each delivery of a known sender, in the trace that its headers name. */
export function deliveryTracer(tracer: Tracer) {
  return async <Answer extends { readonly status: number }>(
    { sender, headers }: { readonly sender: string; readonly headers: Readonly<Record<string, string>> },
    handle: () => Promise<Answer>,
  ): Promise<Answer> => {
    const parent = propagation.extract(context.active(), headers);
    const attributes = { 'http.request.method': 'POST', 'runbook.alarm.sender': sender };
    const span = tracer.startSpan('POST /alarms/{sender}', { kind: SpanKind.SERVER, attributes }, parent);
    try {
      const answer = await context.with(trace.setSpan(parent, span), handle);
      span.setAttribute('http.response.status_code', answer.status);
      if (answer.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      return answer;
    } finally {
      span.end();
    }
  };
}
