/**
 * Spans of workflows, with the names and the header of the SDK's tracing interceptors. Those wait for promises of
 * their own and use the workflow's random numbers, so a workflow could act in another order with them than without;
 * these add nothing but headers and calls of a sink (docs/decisions/0043).
 */
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import {
  proxySinks,
  workflowInfo,
  type Sinks,
  type WorkflowInboundCallsInterceptor,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { ALARM_RULE_WORKFLOW } from '../domain/alarms/alarm.js';
import type { Origin } from '../domain/run/origin.js';
import {
  beginTrace,
  carrierOf,
  childOf,
  contextIn,
  isSampled,
  SPAN_ATTRIBUTES,
  spanIdOf,
  TRACE_HEADER,
  type TraceContext,
  type WorkflowSpan,
} from '../domain/tracing/trace-context.js';
import { currentRequest } from './cause.js';

/** Where spans go: a worker that traces injects it. */
interface SpanSinks extends Sinks {
  readonly spans: { ended(span: WorkflowSpan): void };
}

const { spans } = proxySinks<SpanSinks>();

/** What the SDK's inputs for local and other activities have in common. */
interface AnyActivity {
  readonly activityType: string;
  readonly args: readonly unknown[];
  readonly headers: Headers;
}

/** A span that has begun. */
interface OpenSpan {
  readonly context: TraceContext;
  end(failure?: unknown): void;
}

/** Traces one workflow. */
export class TraceInterceptor implements WorkflowInboundCallsInterceptor, WorkflowOutboundCallsInterceptor {
  /** `null`: the workflow has no trace of its own. */
  #own: TraceContext | null = null;
  #begun = 0;
  readonly #ofRequests = new WeakMap<object, TraceContext>();

  constructor(private readonly origin: () => Origin) {}

  execute: NonNullable<WorkflowInboundCallsInterceptor['execute']> = (input, next) => {
    const { workflowType, runId } = workflowInfo();
    if (workflowType === ALARM_RULE_WORKFLOW) return next(input);
    const span = this.#begin(`RunWorkflow:${workflowType}`, contextOf(input.headers), runId);
    this.#own = span.context;
    return followed(next(input), span);
  };

  handleUpdate: NonNullable<WorkflowInboundCallsInterceptor['handleUpdate']> = (input, next) => {
    const [request] = input.args;
    const context = contextOf(input.headers);
    if (context !== null && typeof request === 'object' && request !== null) this.#ofRequests.set(request, context);
    return next(input);
  };

  scheduleActivity: NonNullable<WorkflowOutboundCallsInterceptor['scheduleActivity']> = (input, next) =>
    this.#startActivity(input, next);

  scheduleLocalActivity: NonNullable<WorkflowOutboundCallsInterceptor['scheduleLocalActivity']> = (input, next) =>
    this.#startActivity(input, next);

  startChildWorkflowExecution: NonNullable<WorkflowOutboundCallsInterceptor['startChildWorkflowExecution']> = (
    input,
    next,
  ) => {
    const span = this.#beginChild(`StartChildWorkflow:${input.workflowType}`, []);
    if (span === null) return next(input);
    const started = next({ ...input, headers: withContext(input.headers, span.context) });
    started.then(
      ([begun]) => followed(begun, span),
      (failure: unknown) => span.end(failure ?? 'unknown'),
    );
    return started;
  };

  getLogAttributes: NonNullable<WorkflowOutboundCallsInterceptor['getLogAttributes']> = (input, next) =>
    next(this.#own === null ? input : { ...input, trace_id: this.#own.traceId, span_id: this.#own.spanId });

  #startActivity<Input extends AnyActivity>(input: Input, next: (input: Input) => Promise<unknown>): Promise<unknown> {
    const span = this.#beginChild(`StartActivity:${input.activityType}`, input.args);
    if (span === null) return next(input);
    return followed(next({ ...input, headers: withContext(input.headers, span.context) }), span);
  }

  #beginChild(name: string, args: readonly unknown[]): OpenSpan | null {
    const parent = this.#own ?? this.#ofRequest();
    return parent === null ? null : this.#begin(name, parent, workflowInfo().runId, args);
  }

  #ofRequest(): TraceContext | null {
    const request = currentRequest();
    return (request && this.#ofRequests.get(request)) ?? null;
  }

  #begin(name: string, parent: TraceContext | null, runId: string, args: readonly unknown[] = []): OpenSpan {
    const spanId = spanIdOf(runId, this.#begun++);
    const context = parent === null ? beginTrace(runId, spanId) : childOf(parent, spanId);
    const startedAtMs = Date.now();
    const end = (failure?: unknown) => {
      if (!isSampled(context)) return;
      spans.ended({
        name,
        context,
        ...(parent === null ? {} : { parentSpanId: parent.spanId }),
        startedAtMs,
        endedAtMs: Date.now(),
        ...(failure === undefined ? {} : { failure: failure instanceof Error ? failure.message : 'unknown' }),
        attributes: attributesOf(this.origin(), args),
      });
    };
    return { context, end };
  }
}

/** Adds no turn: who awaits the promise continues when it would have. */
function followed<Value>(promise: Promise<Value>, span: OpenSpan): Promise<Value> {
  promise.then(
    () => span.end(),
    (failure: unknown) => span.end(failure ?? 'unknown'),
  );
  return promise;
}

function attributesOf({ runId, target }: Origin, [request]: readonly unknown[]): Record<string, string> {
  const step = typeof request === 'object' && request !== null && 'stepId' in request ? request.stepId : undefined;
  return {
    ...(runId === undefined ? {} : { [SPAN_ATTRIBUTES.runId]: runId }),
    ...(target === undefined ? {} : { [SPAN_ATTRIBUTES.target]: target }),
    ...(typeof step === 'string' ? { [SPAN_ATTRIBUTES.step]: step } : {}),
  };
}

function contextOf(headers: Headers): TraceContext | null {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return null;
  try {
    return contextIn(defaultPayloadConverter.fromPayload(payload));
  } catch {
    return null; // Another client may write anything; a run must not fail for it.
  }
}

function withContext(headers: Headers, context: TraceContext): Headers {
  return { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(carrierOf(context)) };
}
