/** Metrics of the gateway for Prometheus. Label values come from the alarms file and from closed sets, never from a sender, so the number of series is bounded. */
import { MetricsRegistry } from '../metrics/registry.js';
import { GATEWAY_METRICS } from '../metrics/table.js';

/** The metrics of one gateway and its process. */
export function createGatewayMetrics() {
  return new MetricsRegistry(GATEWAY_METRICS).addProcessMetrics();
}

/** The metrics of one gateway and its process. */
export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;
