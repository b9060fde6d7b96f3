/** The interceptors of every workflow, which are part of the bundle. A worker that traces sets `TRACING_GLOBAL` before the bundle's own code. */
import type { WorkflowInterceptors } from '@temporalio/workflow';
import { TRACING_GLOBAL } from '../domain/tracing/trace-context.js';
import { OriginInterceptor } from './origin.js';
import { TraceInterceptor } from './trace.js';

/** Called once for each workflow in a worker's memory. */
export function interceptors(): WorkflowInterceptors {
  const origin = new OriginInterceptor();
  if (!Reflect.has(globalThis, TRACING_GLOBAL)) return { inbound: [origin], outbound: [origin] };
  const trace = new TraceInterceptor(() => origin.origin);
  return { inbound: [origin, trace], outbound: [origin, trace] };
}
