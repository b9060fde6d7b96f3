/** Subscriptions of SMN: their header, how they are confirmed and cancelled, and the settings that they need. */
import { describe, expect, it } from 'vitest';
import { makeSender } from '../../../src/gateway/senders/make-sender.js';
import type { Reading, SmnSettings } from '../../../src/gateway/senders/sender.js';
import { selfSigned } from '../../servicestage/self-signed.js';
import { startConsole } from './console.js';
import { alarmsIn, confirmationBody, notesIn, PROJECT, refusalIn, TOPIC } from './deliveries.js';
import { ATTACKER, FORGED, notification, senderWith, SETTINGS, SMN } from './smn-sender.js';

describe('the header of the subscription', () => {
  const header = { name: 'X-Runbook-Secret', values: ['old-value', 'new-value'] };
  const { sender, read } = senderWith({ header });

  it('admits both values while one replaces the other', async () => {
    for (const value of header.values) {
      const headers = { 'x-runbook-secret': value };
      expect(sender.admits(headers)).toBeNull();
      expect(alarmsIn(await read(notification(), { headers }))).toHaveLength(1);
    }
  });

  it.each([{}, { 'x-runbook-secret': '' }, { 'x-runbook-secret': 'other' }])('refuses %j', async (headers) => {
    expect(sender.admits(headers)).toMatchObject({ status: 401, reason: 'unauthorized' });
    expect(refusalIn(await read(notification(), { headers }))).toEqual({ status: 401, reason: 'unauthorized' });
  });

  it('is not required of a confirmation, and nothing else can pass for one', async () => {
    const headers = { 'x-smn-message-type': 'SubscriptionConfirmation' };
    expect((await read(confirmationBody(SMN.key), { headers })).kind).toBe('confirmation');
    expect(refusalIn(await read(notification(), { headers }))).toEqual(FORGED);
  });
});

function confirmationIn(reading: Reading) {
  if (reading.kind !== 'confirmation') throw new Error(`no confirmation: ${JSON.stringify(reading)}`);
  return reading;
}

describe('a confirmation', () => {
  it('requests exactly its link, once', async () => {
    const { host, links } = await startConsole(() => 200);
    const { read } = senderWith({ confirmHosts: [host] });
    const path = `/smn/subscription/confirm?token=a%2Fb%20c&topic_urn=${TOPIC}`;
    const body = confirmationBody(SMN.key, { subscribe_url: `https://${host}${path}` });
    const confirmation = confirmationIn(await read(body));
    expect(confirmation.topicUrn).toBe(TOPIC);
    expect(links).toEqual([]);
    await confirmation.confirm();
    expect(notesIn(await read(body))).toEqual([expect.stringContaining('is already confirmed')]);
    expect(links).toEqual([path]);
  });

  it.each([302, 400, 500])(
    'that is answered %i fails without revealing the link, and can be retried',
    async (status) => {
      const answers = [status, 200];
      const { host, links } = await startConsole(() => answers.shift() ?? 500);
      const { read } = senderWith({ confirmHosts: [host] });
      const body = confirmationBody(SMN.key, { subscribe_url: `https://${host}/confirm?token=secret-token` });
      const failed = confirmationIn(await read(body)).confirm();
      await expect(failed).rejects.toThrow(`localhost: answered ${status}: `);
      await confirmationIn(await read(body)).confirm();
      expect(links).toHaveLength(2);
    },
  );

  it.each<[string, (link: string) => string, string]>([
    ['a page', () => '<html>Please\r\nlog in</html>', '<html>Please log in</html>'],
    ['nothing', () => '', 'nothing'],
    ['an error', () => '{"error_code":"SMN.00011010"}', '{"error_code":"SMN.00011010"}'],
    ['an empty name', () => '{"subscription_urn":""}', '{"subscription_urn":""}'],
    ['its own link', (link) => `expired: ${link}`, 'expired: /confirm?token=<cut>'],
    ['its token', (link) => `${'x'.repeat(280)}${decodeURIComponent(link)}`, `${'x'.repeat(280)}/confirm?token=<cut>`],
  ])('that is answered 200 with %s does not count, and can be tried again', async (_, text, shown) => {
    const texts = [text, () => '{"subscription_urn":"urn:smn:a"}'];
    const { host, links } = await startConsole(
      () => 200,
      (link) => texts.shift()?.(link) ?? '',
    );
    const { read } = senderWith({ confirmHosts: [host] });
    const body = confirmationBody(SMN.key, { subscribe_url: `https://${host}/confirm?token=secret%2Ftoken` });
    const failed = confirmationIn(await read(body)).confirm();
    await expect(failed).rejects.toThrow(new Error(`localhost: answered 200 without a subscription_urn: ${shown}`));
    await confirmationIn(await read(body)).confirm();
    expect(notesIn(await read(body))).toEqual([expect.stringContaining('is already confirmed')]);
    expect(links).toHaveLength(2);
  });

  it('that comes several times at once is requested once', async () => {
    const { host, links } = await startConsole(() => 200);
    const { read } = senderWith({ confirmHosts: [host] });
    const body = confirmationBody(SMN.key, { subscribe_url: `https://${host}/confirm?token=x` });
    const confirmations = await Promise.all([read(body), read(body), read(body)]);
    await Promise.all(confirmations.map((each) => confirmationIn(each).confirm()));
    expect(links).toHaveLength(1);
  });

  it.each([
    'http://console.huaweicloud.com/smn/subscription/confirm?token=x',
    'https://console.huaweicloud.com:8443/smn/subscription/confirm?token=x',
    'https://user@console.huaweicloud.com/smn/subscription/confirm?token=x',
    'https://console.huaweicloud.com.attacker.example/?token=x',
    'https://169.254.169.254/?token=x',
    'nothing',
  ])('with another address is refused before anything is fetched: %s', async (subscribe_url) => {
    const { read, asked } = senderWith();
    const reading = await read(confirmationBody(SMN.key, { subscribe_url }));
    expect(refusalIn(reading)).toEqual(FORGED);
    expect(JSON.stringify(reading)).not.toContain('token');
    expect(asked).toEqual([]);
  });

  it('of a foreign topic, or forged, is ignored', async () => {
    const foreign = confirmationBody(SMN.key, { topic_urn: `urn:smn:cn-north-4:${PROJECT}:other` });
    expect(refusalIn(await senderWith().read(foreign))).toEqual({ status: 403, reason: 'foreignTopic' });
    expect(refusalIn(await senderWith().read(confirmationBody(ATTACKER.key)))).toEqual(FORGED);
  });
});

it('a cancelled subscription is reported, and not subscribed again', async () => {
  const { host, links } = await startConsole(() => 200);
  const body = confirmationBody(SMN.key, { type: 'UnsubscribeConfirmation', subscribe_url: `https://${host}/confirm` });
  const reading = await senderWith({ confirmHosts: [host] }).read(body);
  expect(alarmsIn(reading)).toEqual([]);
  expect(notesIn(reading)).toEqual([expect.stringContaining(`UNSUBSCRIBED: ${TOPIC}`)]);
  expect(links).toEqual([]);
});

describe('settings', () => {
  it.each<[string, Partial<SmnSettings>, RegExp]>([
    ['no topic', { topics: [] }, /no topic/],
    ['a topic that is none', { topics: ['ops-alarms'] }, /not a topic URN: ops-alarms/],
    ['a header without values', { header: { name: 'x-secret', values: [] } }, /no value for the header x-secret/],
    [
      'a header with an empty value',
      { header: { name: 'x-secret', values: [''] } },
      /no value for the header x-secret/,
    ],
    ['a certificate that is none', { certificates: ['none'] }, /certificate 1 .* not a PEM certificate/],
    ['a certificate that may not sign', { certificates: [SMN.cert, selfSigned().cert] }, /certificate 2 .* not RSA/],
  ])('make no sender: %s', (_, change, why) => {
    expect(() => makeSender('cloud-eye', { ...SETTINGS, ...change })).toThrow(why);
  });
});
