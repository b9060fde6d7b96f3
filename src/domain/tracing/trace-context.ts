/** W3C trace contexts (https://www.w3.org/TR/trace-context/), as the SDK's tracing interceptors put them into headers of Temporal; without OpenTelemetry, for workflows. */

/** The header of Temporal with a `TraceCarrier`; the name that the SDK's interceptors use in every language. */
export const TRACE_HEADER = '_tracer-data';

/** The global variable of the workflow sandbox that is there in a worker that traces. */
export const TRACING_GLOBAL = 'runbookTracing';

/** What a header contains. */
export interface TraceCarrier {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** A span as others may refer to it. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Two hexadecimal digits; the last bit: sampled. */
  readonly flags: string;
  /** Passed on unchanged. */
  readonly state?: string;
}

/** A span that has ended in a workflow. Times are epoch milliseconds. */
export interface WorkflowSpan {
  readonly name: string;
  readonly context: TraceContext;
  /** Absent for the first span of a trace. */
  readonly parentSpanId?: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Absent if nothing failed. */
  readonly failure?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The names of our attributes, by what they are about. */
export const SPAN_ATTRIBUTES = {
  runId: 'runbook.run.id',
  target: 'runbook.target',
  step: 'runbook.step',
  cloudJobId: 'runbook.cloud_job.id',
} as const;

/** The trace state of a trace that begins in a workflow. Its id is made of the workflow's run id, so that every worker finds the same one. */
const BEGUN_IN_WORKFLOW = 'runbook=begun-in-workflow';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Reads a carrier. @returns `null` if it contains no trace context of version 00 */
export function contextIn(carrier: unknown): TraceContext | null {
  if (typeof carrier !== 'object' || carrier === null) return null;
  const { traceparent, tracestate } = carrier as Record<string, unknown>;
  const [, traceId, spanId, flags] = typeof traceparent === 'string' ? (TRACEPARENT.exec(traceparent) ?? []) : [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  return { traceId, spanId, flags, ...(typeof tracestate === 'string' ? { state: tracestate } : {}) };
}

/** Writes a carrier. */
export function carrierOf({ traceId, spanId, flags, state }: TraceContext): TraceCarrier {
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(state === undefined ? {} : { tracestate: state }) };
}

/** Whether spans of the trace are recorded. */
export function isSampled({ flags }: TraceContext): boolean {
  return (Number.parseInt(flags, 16) & 1) === 1;
}

/** A context of the same trace. */
export function childOf(parent: TraceContext, spanId: string): TraceContext {
  return { ...parent, spanId };
}

/** The first context of a trace that begins in a workflow. @param runId Temporal's run id, a UUID */
export function beginTrace(runId: string, spanId: string): TraceContext {
  return { traceId: runId.replaceAll('-', ''), spanId, flags: '01', state: BEGUN_IN_WORKFLOW };
}

/** Whether the trace began in a workflow, so that no sampler has decided about it yet. */
export function isBegunInWorkflow(state: string | undefined): boolean {
  return state === BEGUN_IN_WORKFLOW;
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** The id of a span of a workflow: the same in each replay, without the workflow's random numbers. FNV-1a, 64 bits. @param number counts the spans of the workflow */
export function spanIdOf(runId: string, number: number): string {
  let hash = FNV_OFFSET;
  for (const character of `${runId}/${number}`)
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.charCodeAt(0))) * FNV_PRIME);
  return hash.toString(16).padStart(16, '0');
}
