/** A real Alertmanager against the sender over HTTP: its token, its groups, its retries. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { makeSender } from '../../../src/gateway/senders/make-sender.js';
import type { Reading } from '../../../src/gateway/senders/sender.js';
import { startAlertmanager } from '../../support/alertmanager.js';
import { alarmsIn } from './deliveries.js';

const TOKEN = 'a-token-of-this-test';
const ALERT = { labels: { alertname: 'InstanceHangs', instance: 'prod-1' }, startsAt: '2026-01-02T03:04:05Z' };

/** A server that reads with a sender, and answers the given statuses one after the other, then 200. */
async function startReader(...statuses: number[]) {
  const sender = makeSender('prod', { kind: 'alertmanager', tokens: [TOKEN], ignoreLabels: [] });
  const readings: Reading[] = [];
  // All at one moment: what differs is what was sent.
  const receivedAtMs = Date.now();
  const server = createServer((request, response) => {
    void (async () => {
      const headers = request.headers as Record<string, string>;
      const body = await buffer(request);
      readings.push(await sender.read({ headers, body, receivedAtMs }));
      response.writeHead(statuses.shift() ?? 200).end();
    })();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alarms/prod`;
  const arrived = (count: number) => expect.poll(() => readings.length).toBe(count);
  return { webhookUrl, readings, arrived };
}

async function start(webhookUrl: string) {
  const alertmanager = await startAlertmanager({ webhookUrl, token: TOKEN });
  onTestFinished(() => alertmanager.close());
  return alertmanager;
}

it('is admitted and read: firing, sent again after a 503, resolved', async () => {
  const { webhookUrl, readings, arrived } = await startReader(503);
  const alertmanager = await start(webhookUrl);
  await alertmanager.post([ALERT]);
  await arrived(2);
  const [refused, again] = readings.map((reading) => alarmsIn(reading)[0]);
  expect(again).toEqual(refused);
  expect(again).toMatchObject({ status: 'firing', labels: { instance: 'prod-1' } });

  const endsAt = new Date().toISOString();
  await alertmanager.post([{ ...ALERT, endsAt }]);
  await arrived(3);
  const [resolved] = alarmsIn(readings[2] as Reading);
  expect(resolved).toMatchObject({ status: 'resolved', episode: again?.episode, atMs: Date.parse(endsAt) });
});

it('reports the same episode as a peer that cannot reach it', async () => {
  const { webhookUrl, readings, arrived } = await startReader();
  const pair = await Promise.all([start(webhookUrl), start(webhookUrl)]);
  await Promise.all(pair.map((alertmanager) => alertmanager.post([ALERT])));
  await arrived(2);
  const [left, right] = readings.map(alarmsIn);
  expect(left).toHaveLength(1);
  expect(right).toEqual(left);
});
