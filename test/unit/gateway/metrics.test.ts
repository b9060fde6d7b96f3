/** The series of a gateway that begin with 0. */
import { expect, it } from 'vitest';
import { createGatewayMetrics } from '../../../src/gateway/metrics.js';

it('a gateway begins the series of its senders and rules with 0, so that the first delivery is seen as an increase', async () => {
  const { text } = await createGatewayMetrics({ senders: ['prod'], rules: ['hung'] }).page();
  for (const series of [
    'runbook_gateway_deliveries_total{sender="prod",result="unavailable"}',
    'runbook_gateway_refused_deliveries_total{sender="prod",reason="forged"}',
    'runbook_gateway_refused_deliveries_total{sender="unknown",reason="unauthorized"}',
    'runbook_gateway_alarms_total{sender="prod",status="firing"}',
    'runbook_gateway_decisions_total{rule="hung",decision="started"}',
    'runbook_gateway_decisions_total{rule="UNMATCHED",decision="noted"}',
    'runbook_gateway_rejected_requests_total{reason="notFound"}',
  ])
    expect(text).toContain(`${series} 0\n`);
});
