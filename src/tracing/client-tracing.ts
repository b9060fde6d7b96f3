/** Traces what a client asks of Temporal, through the SDK's own interceptor. */
import type { ClientInterceptors, WorkflowClientInterceptor } from '@temporalio/client';

/**
 * Interceptors for a Temporal client that trace starts, updates, signals, cancels and terminations, and pass the trace
 * on to the run. Queries and descriptions are left out: watching a run makes two a second. They use the OpenTelemetry
 * that the process has registered, and do nothing if there is none.
 */
export async function tracingInterceptors(): Promise<ClientInterceptors> {
  const { OpenTelemetryWorkflowClientInterceptor } =
    await import('@temporalio/interceptors-opentelemetry/lib/client/index.js');
  const traced = new OpenTelemetryWorkflowClientInterceptor();
  const chosen: WorkflowClientInterceptor = {
    start: (input, next) => traced.start(input, next),
    startWithDetails: (input, next) => traced.startWithDetails(input, next),
    startUpdate: (input, next) => traced.startUpdate(input, next),
    startUpdateWithStart: (input, next) => traced.startUpdateWithStart(input, next),
    signal: (input, next) => traced.signal(input, next),
    signalWithStart: (input, next) => traced.signalWithStart(input, next),
    cancel: (input, next) => traced.cancel(input, next),
    terminate: (input, next) => traced.terminate(input, next),
  };
  return { workflow: [chosen] };
}
