/** Starts OpenTelemetry in this process. Nothing imports this file, nor OpenTelemetry, unless a process traces. */
import { context, diag, DiagLogLevel, propagation, ROOT_CONTEXT, trace, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { clipText, printable } from '../domain/text/text.js';

/** How a process traces. */
export interface TracingOptions {
  /** `service.name`, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES has another. */
  readonly serviceName: string;
  /** Receives what OpenTelemetry complains about, such as a collector that does not answer. Default: it is ignored. */
  readonly onProblem?: (what: string) => void;
  /** Default: OTLP over HTTP, to the collector of OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly exporter?: SpanExporter;
}

/** OpenTelemetry, as the rest of the process uses it. */
export interface Tracing {
  readonly tracer: Tracer;
  readonly resource: Resource;
  /** Where spans go that did not begin in this process's memory. */
  readonly processor: SpanProcessor;
  /** Whether the sampler of OTEL_TRACES_SAMPLER wants a trace that began where there is no sampler. */
  isWanted(traceId: string): boolean;
  /** Exports what is left, for at most `withinMs` milliseconds. Never rejects. */
  stop(withinMs: number): Promise<void>;
}

/** Traces from now on. Once for each process: OpenTelemetry is global. */
export function startTracing({ serviceName, onProblem, exporter }: TracingOptions): Tracing {
  if (onProblem !== undefined) listen(onProblem);
  const resource = Resource.default()
    .merge(new Resource({ 'service.name': serviceName }))
    .merge(detectResourcesSync({ detectors: [envDetectorSync] }));
  const processor = new BatchSpanProcessor(exporter ?? new OTLPTraceExporter());
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  // Only what we pass on ourselves: no baggage, which strangers could fill.
  provider.register({
    contextManager: new AsyncLocalStorageContextManager().enable(),
    propagator: new W3CTraceContextPropagator(),
  });
  return {
    tracer: trace.getTracer('servicestage-runbooks'),
    resource,
    processor,
    isWanted: samplerByTraceId(),
    stop: async (withinMs) => {
      let timer: NodeJS.Timeout | undefined;
      const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
      await Promise.race([provider.shutdown().catch(() => {}), timeUp]);
      clearTimeout(timer);
      for (const api of [trace, context, propagation, diag]) api.disable();
    },
  };
}

const LONGEST_PROBLEM_BYTES = 300;

function listen(onProblem: (what: string) => void): void {
  const report = (what: string) => onProblem(clipText(printable(messageIn(what)), LONGEST_PROBLEM_BYTES));
  const ignore = () => {};
  diag.setLogger(
    { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

/** OpenTelemetry reports an error as JSON, with its stack. */
function messageIn(what: string): string {
  try {
    const { message } = JSON.parse(what) as { message?: unknown };
    return typeof message === 'string' ? message : what;
  } catch {
    return what;
  }
}

/** OpenTelemetry exports no sampler of its variables: a provider that makes no ids of its own asks it. */
function samplerByTraceId(): (traceId: string) => boolean {
  let asked = '';
  const idGenerator = { generateTraceId: () => asked, generateSpanId: () => '0000000000000001' };
  const tracer = new BasicTracerProvider({ idGenerator, spanProcessors: [] }).getTracer('sampler');
  return (traceId) => {
    asked = traceId;
    return tracer.startSpan('asks', { root: true }, ROOT_CONTEXT).isRecording();
  };
}
