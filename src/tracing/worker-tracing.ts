/** Traces what a worker does: its activities through the SDK's own interceptors, its workflows through a sink. */
import {
  createTraceState,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type HrTime,
  type SpanContext,
} from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { Context } from '@temporalio/activity';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import {
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import type { Subject } from '../domain/run/origin.js';
import {
  carrierOf,
  contextIn,
  isBegunInWorkflow,
  SPAN_ATTRIBUTES,
  TRACE_HEADER,
  type WorkflowSpan,
} from '../domain/tracing/trace-context.js';
import type { Tracing } from './start-tracing.js';

/** Interceptors for a worker's activities, from the outermost. @param subjectOf what an activity is about, as far as it is known */
export function activityTracing(
  tracing: Pick<Tracing, 'isWanted'>,
  subjectOf: (context: Context) => Subject,
): ActivityInterceptorsFactory[] {
  return [
    (context) => {
      const traced = new OpenTelemetryActivityInboundInterceptor(context);
      return {
        inbound: {
          execute: async (input, next) => {
            const headers = decided(input.headers, tracing);
            return headers === null ? next(input) : traced.execute({ ...input, headers }, next);
          },
        },
        outbound: new OpenTelemetryActivityOutboundInterceptor(context),
      };
    },
    (context) => ({
      inbound: {
        execute: async (input, next) => {
          try {
            return await next(input);
          } finally {
            // At the end: the cloud job was not known before.
            trace.getActiveSpan()?.setAttributes(spanAttributes(subjectOf(context)));
          }
        },
      },
    }),
  ];
}

function spanAttributes(subject: Subject): Record<string, string> {
  const named = Object.entries(SPAN_ATTRIBUTES).map(([key, name]) => [name, subject[key as keyof Subject]]);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** The headers with the sampler's decision about a trace that no sampler has seen. @returns `null`: the activity belongs to no trace */
function decided(headers: Headers, { isWanted }: Pick<Tracing, 'isWanted'>): Headers | null {
  const payload = headers[TRACE_HEADER];
  const context = payload === undefined ? null : readable(payload);
  if (context === null) return null;
  if (!isBegunInWorkflow(context.state) || isWanted(context.traceId)) return headers;
  return { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(carrierOf({ ...context, flags: '00' })) };
}

function readable(payload: NonNullable<Headers[string]>) {
  try {
    return contextIn(defaultPayloadConverter.fromPayload(payload));
  } catch {
    return null;
  }
}

/** As `src/workflows/trace.ts` calls them. */
interface SpanSinks extends Sinks {
  readonly spans: { ended(span: WorkflowSpan): void };
}

/** The sink that the workflows' spans go to. */
export function workflowTracing(
  tracing: Pick<Tracing, 'isWanted' | 'processor' | 'resource'>,
): InjectedSinks<SpanSinks> {
  const { isWanted, processor } = tracing;
  return {
    spans: {
      ended: {
        fn: ({ workflowId, runId }, span) => {
          const { state, traceId } = span.context;
          if (isBegunInWorkflow(state) && !isWanted(traceId)) return;
          processor.onEnd(readableSpan(span, { temporalWorkflowId: workflowId, run_id: runId }, tracing));
        },
      },
    },
  };
}

/** @param ids with the names that the SDK's interceptors give them */
function readableSpan(
  { name, context, parentSpanId, startedAtMs, endedAtMs, failure, attributes }: WorkflowSpan,
  ids: Record<string, string>,
  { resource }: Pick<Tracing, 'resource'>,
): ReadableSpan {
  const spanContext: SpanContext = {
    traceId: context.traceId,
    spanId: context.spanId,
    traceFlags: TraceFlags.SAMPLED,
    ...(context.state === undefined ? {} : { traceState: createTraceState(context.state) }),
  };
  return {
    name,
    kind: SpanKind.INTERNAL,
    spanContext: () => spanContext,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    startTime: hrTime(startedAtMs),
    endTime: hrTime(endedAtMs),
    duration: hrTime(endedAtMs - startedAtMs),
    status: failure === undefined ? { code: SpanStatusCode.OK } : { code: SpanStatusCode.ERROR, message: failure },
    attributes: { ...ids, ...attributes },
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationLibrary: { name: 'servicestage-runbooks/workflows' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function hrTime(ms: number): HrTime {
  return [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1_000_000)];
}
