/** A real Alertmanager against the sender over HTTP: its token, its groups, its retries. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { makeSender, type Reading } from '../../../src/gateway/sender.js';
import { startAlertmanager } from '../../support/alertmanager.js';
import { alarmsIn } from './deliveries.js';

const TOKEN = 'a-token-of-this-test';

it('is admitted and read: firing, sent again after a 503, resolved', async () => {
  const sender = makeSender('prod', { kind: 'alertmanager', tokens: [TOKEN], ignoreLabels: [] });
  const readings: Reading[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const headers = request.headers as Record<string, string>;
      const body = await buffer(request);
      readings.push(await sender.read({ headers, body, receivedAtMs: Date.now() }));
      response.writeHead(readings.length === 1 ? 503 : 200).end();
    })();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const alertmanager = await startAlertmanager({
    webhookUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alarms/prod`,
    token: TOKEN,
  });
  onTestFinished(() => alertmanager.close());
  const alert = { labels: { alertname: 'InstanceHangs', instance: 'prod-1' }, startsAt: '2026-01-02T03:04:05Z' };

  await alertmanager.post([alert]);
  await expect.poll(() => readings.length, { timeout: 30_000 }).toBe(2);
  const [refused, again] = readings.map((reading) => alarmsIn(reading)[0]);
  expect(again).toEqual(refused);
  expect(again).toMatchObject({ status: 'firing', labels: { instance: 'prod-1' } });

  const endsAt = new Date().toISOString();
  await alertmanager.post([{ ...alert, endsAt }]);
  await expect.poll(() => readings.length, { timeout: 30_000 }).toBe(3);
  const [resolved] = alarmsIn(readings[2] as Reading);
  expect(resolved).toMatchObject({ status: 'resolved', episode: again?.episode, atMs: Date.parse(endsAt) });
});
