/** Metrics of the gateway for Prometheus. Label values come from the alarms file and from closed sets, never from a sender, so the number of series is bounded. */
import { DECISIONS, UNMATCHED, type Alarm } from '../domain/alarms/alarm.js';
import { MetricsRegistry } from '../metrics/registry.js';
import { GATEWAY_METRICS } from '../metrics/table.js';
import type { EarlyRejection } from '../network/early-rejections.js';
import type { RefusalReason } from './senders/sender.js';

/** The sender of deliveries to names that the alarms file does not have. */
export const UNKNOWN_SENDER = 'unknown';

/** How a delivery can end. */
type DeliveryResult = 'decided' | 'dryRun' | 'confirmation' | 'refused' | 'unavailable' | 'tooMuchAtOnce';
/** Why a request reaches no sender. */
export type Rejection = EarlyRejection | 'notFound' | 'cutOff';

const RESULTS: Readonly<Record<DeliveryResult, true>> = {
  decided: true,
  dryRun: true,
  confirmation: true,
  refused: true,
  unavailable: true,
  tooMuchAtOnce: true,
};
const REASONS: Readonly<Record<RefusalReason, true>> = {
  unauthorized: true,
  forged: true,
  foreignTopic: true,
  tooOld: true,
  unreadable: true,
  tooLarge: true,
};
const STATUSES: Readonly<Record<Alarm['status'], true>> = { firing: true, resolved: true };
const REJECTIONS: Readonly<Record<Rejection, true>> = {
  malformed: true,
  timedOut: true,
  wrongMethod: true,
  tooManyConnections: true,
  notFound: true,
  cutOff: true,
};

/** The metrics of one gateway and its process. Series of the alarms file begin with 0, so that the first delivery is seen as an increase. */
export function createGatewayMetrics({ senders, rules }: { senders: readonly string[]; rules: readonly string[] }) {
  const metrics = new MetricsRegistry(GATEWAY_METRICS).addProcessMetrics();
  for (const sender of senders) {
    for (const result of Object.keys(RESULTS)) metrics.begin('runbook_gateway_deliveries_total', { sender, result });
    for (const reason of Object.keys(REASONS))
      metrics.begin('runbook_gateway_refused_deliveries_total', { sender, reason });
    for (const status of Object.keys(STATUSES)) metrics.begin('runbook_gateway_alarms_total', { sender, status });
  }
  metrics.begin('runbook_gateway_deliveries_total', { sender: UNKNOWN_SENDER, result: 'refused' });
  metrics.begin('runbook_gateway_refused_deliveries_total', { sender: UNKNOWN_SENDER, reason: 'unauthorized' });
  for (const rule of [...rules, UNMATCHED])
    for (const decision of Object.keys(DECISIONS)) metrics.begin('runbook_gateway_decisions_total', { rule, decision });
  for (const reason of Object.keys(REJECTIONS)) metrics.begin('runbook_gateway_rejected_requests_total', { reason });
  return metrics;
}

/** The metrics of one gateway and its process. */
export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

/** Counts a delivery that has ended. */
export function countDelivery(metrics: GatewayMetrics, sender: string, result: DeliveryResult): void {
  metrics.count('runbook_gateway_deliveries_total', { sender, result });
}
