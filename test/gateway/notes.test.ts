/**
 * Notes, which deliveries contain besides alarms, are durable before they are answered, and `runbook alarm log` shows
 * them.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALARM_LOG_QUERY, alarmRuleId, UNMATCHED, type AlarmLogLine } from '../../src/domain/alarms/alarm.js';
import { runbook } from '../support/command-line.js';
import { alertmanagerBody, deliver, restartRule, useGateway } from '../support/gateway.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { confirmationBody, smnBody, TOPIC, type SmnFields } from './senders/deliveries.js';
import { ATTACKER, SMN } from './senders/smn-sender.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
  await writeFile(join(desk.folder, 'smn.pem'), SMN.cert);
});
afterAll(() => stack.close());

async function aGateway() {
  const owner = desk.newOwner();
  const senders = {
    prod: { kind: 'alertmanager', tokenFiles: ['token'] },
    eye: { kind: 'smn', topics: [TOPIC], certificateFiles: ['smn.pem'] },
  };
  const file = await desk.file(owner, { hung: restartRule() }, senders);
  const { url } = await desk.start(file);
  const log = () =>
    temporal.client.workflow.getHandle(alarmRuleId(owner, UNMATCHED)).query<AlarmLogLine[]>(ALARM_LOG_QUERY);
  return { url, file, log, workflowId: alarmRuleId(owner, UNMATCHED) };
}

const timestamp = () => `${new Date().toISOString().slice(0, 19)}Z`;
const prose = (change: SmnFields = {}, key = SMN.key) =>
  smnBody({ timestamp: timestamp(), message: 'CPU is high. Please check.', ...change }, { key });
const send = (url: string, body: SmnFields) =>
  fetch(`${url}/alarms/eye`, { method: 'POST', body: JSON.stringify(body) }).then(({ status }) => status);

describe('the log of alarms', () => {
  it('shows messages in prose, cut off or cancelled, without their links', async () => {
    const { url, file } = await aGateway();
    expect(await send(url, prose({ subject: 'see https://console.huaweicloud.com/?token=secret-token' }))).toBe(200);
    const cancelled = { type: 'UnsubscribeConfirmation', timestamp: timestamp() };
    expect(await send(url, confirmationBody(SMN.key, cancelled))).toBe(200);
    const alerts = [{ labels: { alertname: 'Other' } }, { labels: { alertname: 'Bad', more: 'x'.repeat(2_000) } }];
    const cut = alertmanagerBody(alerts).replace('"truncatedAlerts":0', '"truncatedAlerts":3');
    expect((await deliver(url, cut)).json.decisions).toMatchObject([{ decision: 'unmatched' }]);

    const shown = (await runbook(['alarm', 'log', '--file', file], desk.env)).stdout;
    expect(shown).toMatch(
      /^\S+Z {2}noted {2}eye {2}UNMATCHED\n {4}message \S+ of \S+ starts nothing: it is not a known form of alarm/m,
    );
    expect(shown).toMatch(/^\S+Z {2}noted {2}eye {2}UNMATCHED\n {4}UNSUBSCRIBED: urn:smn/m);
    expect(shown).toMatch(/^\S+Z {2}noted {2}prod {2}UNMATCHED\n {4}Alertmanager cut off 3 alerts/m);
    expect(shown).toContain('1 of 2 alerts left out: labels.more: a label longer than');
    expect(shown).toContain('unmatched  Other firing');
    expect(shown).toContain('(subject: see <url>');
    expect(shown).not.toContain('secret-token');
    const json = (await runbook(['alarm', 'log', '--file', file, '--rule', UNMATCHED, '--json'], desk.env)).stdout;
    const { alarms } = JSON.parse(json) as { alarms: AlarmLogLine[] };
    expect(alarms.filter(({ decision }) => decision.kind === 'noted')).toHaveLength(4);
    expect(alarms.at(-1)).toMatchObject({
      rule: UNMATCHED,
      alarm: null,
      target: null,
      note: { sender: 'eye', receivedAtMs: expect.any(Number) },
      decision: { kind: 'noted', runId: null },
    });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('runbook_gateway_decisions_total{rule="UNMATCHED",decision="noted"} 4');
  });

  it('shows nothing from an unauthenticated sender', async () => {
    const { url, log } = await aGateway();
    expect(await send(url, prose({}, ATTACKER.key))).toBe(403);
    expect(await send(url, prose({ topic_urn: `${TOPIC}-other` }))).toBe(403);
    expect(
      (await deliver(url, alertmanagerBody([]).replace('"truncatedAlerts":0', '"truncatedAlerts":3'), 'no')).status,
    ).toBe(401);
    await expect(log()).rejects.toThrow('not found');
    expect(await send(url, prose())).toBe(200);
    expect(await log()).toHaveLength(1);
  });

  it('accepts a flood of notes, and keeps the last 200', async () => {
    const { url, log, workflowId } = await aGateway();
    const ids = Array.from({ length: 300 }, (_, index) => index.toString(16).padStart(32, '0'));
    const statuses = await Promise.all(ids.map((message_id) => send(url, prose({ message_id }))));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await log()).toHaveLength(200);
    const { historyLength } = await temporal.client.workflow.getHandle(workflowId).describe();
    expect(historyLength).toBeLessThan(300);
  });
});

it('a note is not answered before it is durable', async () => {
  const { url, log } = await aGateway();
  await stack.close();
  expect(await send(url, prose())).toBe(503);
  stack = await startStack(temporal);
  expect(await send(url, prose())).toBe(200);
  expect((await log()).map(({ decision }) => decision.kind)).toContain('noted');
});
