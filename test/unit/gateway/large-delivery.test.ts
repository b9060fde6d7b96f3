/** The largest possible delivery, to a rule that needs longer than the sender waits: repetitions end, and each alarm is decided once. */
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { DecideRequest } from '../../../src/domain/alarms/alarm.js';
import { createGatewayMetrics } from '../../../src/gateway/metrics.js';
import type { AlarmRule } from '../../../src/gateway/match-alarm.js';
import { makeSender } from '../../../src/gateway/senders/make-sender.js';
import { ThrottledLog } from '../../../src/logging/throttled-log.js';
import { DeliveryHandler } from '../../../src/gateway/delivery-handler.js';
import { NO_BRAKES } from '../../support/alarms.js';

const MS_FOR_EACH_UPDATE = 1_200;
const RULE: AlarmRule = {
  name: 'hung',
  when: { alertname: ['InstanceHangs'] },
  runbook: 'restart',
  target: 'shop/checkout/${{ labels.instance }}',
  within: ['shop/*/*'],
  inputs: {},
  brakes: NO_BRAKES,
};
const alarm = (index: number) => ({
  id: `${index}`,
  name: 'InstanceHangs',
  status: 'firing',
  labels: { instance: `prod-${index}` },
  at: '2026-01-02T03:04:05Z',
});

// A sender gets its answer within 4 s, so that much time passes for each delivery.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());
const ANSWERED_WITHIN_MS = 4_000;

it('is answered in the end', async () => {
  const updates: number[] = [];
  const decide = async ({ alarms }: DecideRequest) => {
    updates.push(alarms.length);
    await new Promise((resolve) => setTimeout(resolve, MS_FOR_EACH_UPDATE));
    return alarms.map(() => ({ kind: 'started', why: 'it is', runId: null, untilMs: null }) as const);
  };
  const log = pino({ level: 'silent' });
  const metrics = createGatewayMetrics({ senders: ['prod'], rules: ['hung'] });
  const throttledLog = new ThrottledLog(log);
  const handler = new DeliveryHandler({ owner: 'o', rules: [RULE], decide, metrics, log, throttledLog });
  const sender = makeSender('prod', { kind: 'bearer', tokens: ['token-0123456789'] });
  const body = Buffer.from(JSON.stringify({ alarms: Array.from({ length: 1_000 }, (_, index) => alarm(index)) }));
  const headers = { authorization: 'Bearer token-0123456789' };
  const deliver = async () => {
    const answer = handler.handle(sender, { headers, body, receivedAtMs: Date.now() });
    await vi.advanceTimersByTimeAsync(ANSWERED_WITHIN_MS);
    return answer;
  };

  expect((await deliver()).status).toBe(503);
  const repeat = await deliver();
  expect(repeat.status).toBe(200);
  expect((repeat.body as { decisions: object[] }).decisions).toHaveLength(1_000);
  expect(updates).toEqual([200, 200, 200, 200, 200]);
  expect((await metrics.page()).text).toContain('decisions_total{rule="hung",decision="started"} 1000');
});
