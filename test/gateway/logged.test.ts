/** The log of the gateway never has a link from a message, and little that outsiders can trigger. */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { Calls } from '../../src/temporal/calls.js';
import { startGateway, type GatewayOptions, type RunningGateway } from '../../src/gateway/gateway.js';
import { restartRule, useGateway } from '../support/gateway.js';
import { useTemporal } from '../support/temporal.js';
import { confirmationBody, smnBody, type SmnFields } from './senders/deliveries.js';
import { ATTACKER, SETTINGS, SMN } from './senders/smn-sender.js';

const desk = useGateway(useTemporal());
const gateways: RunningGateway[] = [];
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()));
});

async function aTalkingGateway(temporal: GatewayOptions['temporal'] = null) {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const { rules } = await desk.read(await desk.file(desk.newOwner(), { cpu: restartRule() }));
  const gateway = await startGateway({
    alarms: { owner: 'o', rules, senders: [{ name: 'eye', settings: { ...SETTINGS, certificates: [SMN.cert] } }] },
    host: '127.0.0.1',
    port: 0,
    temporal,
    log: pino({ level: 'trace' }, sink),
    clock: () => 0,
  });
  gateways.push(gateway);
  return { url: gateway.url, lines };
}

const TOKEN = 'secret-token';
const LINK = `https://console.huaweicloud.com/smn/subscription/confirm?token=${TOKEN}`;

it('logs no link from a message, whatever happens to it', async () => {
  const { url, lines } = await aTalkingGateway();
  const timestamp = `${new Date().toISOString().slice(0, 19)}Z`;
  const message = JSON.stringify({ version: 'v1', data: { AlarmRuleName: `cpu ${LINK}`, IsAlarm: true } });
  const sent: [SmnFields, number][] = [
    [smnBody({ timestamp, message: 'prose', subject: `see ${LINK}` }, { key: SMN.key }), 200],
    [smnBody({ timestamp, message: 'prose', message_id: LINK }, { key: SMN.key }), 200],
    [smnBody({ timestamp, message_id: LINK }, { key: ATTACKER.key }), 403],
    [smnBody({ timestamp, message, subject: LINK }, { key: SMN.key }), 200],
    [confirmationBody(SMN.key, { timestamp }), 200],
    [confirmationBody(SMN.key, { timestamp, subscribe_url: `${LINK}#x` }), 403],
    [confirmationBody(SMN.key, { timestamp, type: 'UnsubscribeConfirmation' }), 200],
  ];
  for (const [body, status] of sent) {
    const answer = await fetch(`${url}/alarms/eye`, { method: 'POST', body: JSON.stringify(body) });
    expect(answer.status).toBe(status);
  }
  const logged = lines.join('');
  for (const text of ['starts nothing', 'delivery refused', 'dry run', 'confirmation', 'UNSUBSCRIBED'])
    expect(logged).toContain(text);
  expect(logged).not.toMatch(/secret-token|:\/\//);
});

it('logs only once per period that Temporal is unreachable, however many requests come', async () => {
  const runbooks = RunbookClient.lazy({ address: '127.0.0.1:9' });
  const calls = new Calls(runbooks.client);
  onTestFinished(async () => {
    await calls.close();
    await runbooks.close();
  });
  const { url, lines } = await aTalkingGateway({ calls, taskQueue: 'none' });
  for (let index = 0; index < 4; index++) expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect(lines.filter((line) => line.includes('not ready'))).toHaveLength(1);
});
