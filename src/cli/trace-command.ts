/** Traces of a command, if the environment asks for them. OpenTelemetry is loaded only then. */
import type { ConnectOptions } from '../client/client-options.js';
import type { ClientConfig } from '../config/config.js';
import type { GatewayOptions } from '../gateway/gateway.js';

/** Longest time for the export of the last spans, so that no command hangs. Chosen. */
const STOP_WITHIN_MS = 2_000;

/** What a command adds to its client. */
interface CommandTracing extends Pick<ConnectOptions, 'clientInterceptors'> {
  readonly traceDelivery?: GatewayOptions['traceDelivery'];
  readonly followOutgoing?: GatewayOptions['followOutgoing'];
  /** Exports what is left. Never rejects. */
  stop(): Promise<void>;
}

/** Starts tracing. @param serviceName unless OTEL_SERVICE_NAME has another. @param onProblem default: problems are ignored */
export async function traceCommand(
  { tracing }: ClientConfig,
  serviceName: string,
  onProblem?: (what: string) => void,
): Promise<CommandTracing> {
  if (!tracing) return { stop: async () => {} };
  const [{ startTracing }, { tracingInterceptors }, { deliveryTracer }, { outgoingTracer }] = await Promise.all([
    import('../tracing/start-tracing.js'),
    import('../tracing/client-tracing.js'),
    import('../tracing/trace-delivery.js'),
    import('../tracing/trace-outgoing.js'),
  ]);
  const started = startTracing({ serviceName, ...(onProblem === undefined ? {} : { onProblem }) });
  return {
    clientInterceptors: await tracingInterceptors(),
    traceDelivery: deliveryTracer(started.tracer),
    followOutgoing: outgoingTracer(started.tracer),
    stop: () => started.stop(STOP_WITHIN_MS),
  };
}
