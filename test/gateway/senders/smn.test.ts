/** Messages of SMN: what admits them, in which order, and that nothing is fetched for those that are not admitted. */
import { once } from 'node:events';
import { createServer, globalAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeSender, type Reading, type SmnSettings } from '../../../src/gateway/sender.js';
import { smnSender } from '../../../src/gateway/senders/smn.js';
import { selfSigned, selfSignedRsa } from '../../servicestage/self-signed.js';
import {
  alarmsIn,
  CERTIFICATE_URL,
  confirmationBody,
  delivery,
  notesIn,
  NOW_MS,
  PROJECT,
  refusalIn,
  smnBody,
  TOPIC,
  type SmnFields,
} from './deliveries.js';

const SMN = selfSignedRsa();
const ATTACKER = selfSignedRsa();
const SETTINGS: SmnSettings = {
  kind: 'smn',
  topics: [TOPIC],
  certificates: [],
  certificateHosts: [],
  confirmHosts: ['console.huaweicloud.com'],
  header: null,
};

/** A sender whose certificates come from here, and the addresses that it asked for. */
function senderWith(change: Partial<SmnSettings> = {}, fetch = async (_: URL) => SMN.cert) {
  const asked: string[] = [];
  const sender = smnSender('cloud-eye', { ...SETTINGS, ...change }, (url) => {
    asked.push(url.href);
    return fetch(url);
  });
  const read = (body: unknown, options = {}) => sender.read(delivery(body, options));
  return { sender, read, asked };
}

const notification = (change: SmnFields = {}, key = SMN.key) => smnBody(change, { key });
const FORGED = { status: 403, reason: 'forged' };
const UNREADABLE = { status: 400, reason: 'unreadable' };

describe('a notification', () => {
  it('signed by SMN for a topic of ours is read; its certificate is asked for once', async () => {
    const { read, asked } = senderWith();
    const [alarm] = alarmsIn(await read(notification()));
    expect(alarm).toMatchObject({ sender: 'cloud-eye', name: 'cpu', status: 'firing', summary: 'Alarm: CPU high' });
    await read(notification());
    expect(asked).toEqual([CERTIFICATE_URL]);
  });

  it.each<[string, SmnFields]>([
    ['without a subject', { subject: undefined }],
    ['with an empty subject', { subject: '' }],
    ['with a subject that is not ASCII', { subject: '【紧急告警】云监控 ✓' }],
    [
      'with \\u003e inside',
      { message: '{"version":"v1","data":{"AlarmRuleName":"cpu","IsAlarm":true,"x":"\\u003e= 5"}}' },
    ],
    ['with its version in capitals', { signature_version: 'V1' }],
    ['with a fraction in its time', { timestamp: '2026-01-02T03:04:05.678Z' }],
  ])('is read: %s', async (_, change) => {
    expect(alarmsIn(await senderWith().read(notification(change)))).toHaveLength(1);
  });

  it('with an empty subject is read also where that is signed as an empty line', async () => {
    const text = (fields: SmnFields) =>
      ['message', 'message_id', 'subject', 'timestamp', 'topic_urn', 'type']
        .map((name) => `${name}\n${fields[name]}\n`)
        .join('');
    expect(alarmsIn(await senderWith().read(smnBody({ subject: '' }, { key: SMN.key, text })))).toHaveLength(1);
  });

  it('is read whatever the order of its fields', async () => {
    const fields = Object.fromEntries(Object.entries(notification()).toReversed());
    expect(alarmsIn(await senderWith().read(fields))).toHaveLength(1);
  });

  it.each(['subject', 'message', 'message_id', 'timestamp', 'topic_urn', 'type'])(
    'changed in %s is refused',
    async (name) => {
      const other = {
        subject: 'other',
        message: '{}',
        message_id: 'ffff',
        timestamp: '2026-01-02T03:04:06Z',
        topic_urn: `${TOPIC}-2`,
        type: 'UnsubscribeConfirmation',
      }[name];
      const { read } = senderWith({ topics: [TOPIC, `${TOPIC}-2`] });
      const body = { ...notification(), subscribe_url: 'https://console.huaweicloud.com/x', [name]: other };
      expect(refusalIn(await read(body))).toEqual(FORGED);
    },
  );

  it('signed by somebody else is refused', async () => {
    expect(refusalIn(await senderWith().read(notification({}, ATTACKER.key)))).toEqual(FORGED);
  });

  it('signed with SHA-1 is refused', async () => {
    expect(refusalIn(await senderWith().read(smnBody({}, { key: SMN.key, hash: 'sha1' })))).toEqual(FORGED);
  });

  it('of a foreign topic that imitates ours inside its text is refused', async () => {
    const foreign = `urn:smn:cn-north-4:${PROJECT}:attacker`;
    // Truly signed for the foreign topic; the attacker moves the borders between its fields.
    const text = () =>
      `message\nx\nmessage_id\nm\nsubject\ns\ntimestamp\n2026-01-02T03:04:05Z\ntopic_urn\n${TOPIC}\ntype\nNotification\n` +
      `message_id\nm\ntimestamp\n2026-01-02T03:04:05Z\ntopic_urn\n${foreign}\ntype\nNotification\n`;
    const rest = `Notification\nmessage_id\nm\ntimestamp\n2026-01-02T03:04:05Z\ntopic_urn\n${foreign}\ntype\nNotification`;
    const { read, asked } = senderWith();
    const borders = { message: 'x', message_id: 'm', subject: 's', topic_urn: TOPIC, type: rest };
    expect(refusalIn(await read(smnBody(borders, { key: SMN.key, text })))).toEqual(UNREADABLE);
    expect(
      refusalIn(await read(smnBody({ ...borders, type: 'Notification', topic_urn: foreign }, { key: SMN.key, text }))),
    ).toEqual({
      status: 403,
      reason: 'foreignTopic',
    });
    expect(asked).toEqual([]);
  });
});

describe('before anything is fetched, a message is refused', () => {
  it.each<[string, SmnFields, object]>([
    [
      'of a foreign topic',
      { topic_urn: `urn:smn:cn-north-4:${PROJECT}:other` },
      { status: 403, reason: 'foreignTopic' },
    ],
    ['of a topic that begins as ours', { topic_urn: `${TOPIC}x` }, { status: 403, reason: 'foreignTopic' }],
    ['of an unknown type', { type: 'HttpSubscriptionUserConfirm' }, { status: 403, reason: 'unreadable' }],
    ['with another version of signature', { signature_version: 'v2' }, UNREADABLE],
    [
      'with a certificate of a foreign host',
      { signing_cert_url: CERTIFICATE_URL.replace('myhuawei', 'attacker') },
      FORGED,
    ],
    [
      'with a certificate of another region',
      { signing_cert_url: CERTIFICATE_URL.replaceAll('north-4', 'north-9') },
      FORGED,
    ],
    ['with a control character in its id', { message_id: 'a\nb' }, UNREADABLE],
    ['with a control character in its topic', { topic_urn: `${TOPIC}\n` }, UNREADABLE],
    ['with a control character in its time', { timestamp: '2026-01-02T03:04:05Z\n' }, UNREADABLE],
    ['with a control character in its type', { type: 'Notification\u0000' }, UNREADABLE],
    ['whose time is none', { timestamp: 'now' }, UNREADABLE],
    ['whose text is no text', { message: { data: {} } }, UNREADABLE],
    ['whose id is a list', { message_id: ['a'] }, UNREADABLE],
    ['without a signature', { signature: undefined }, UNREADABLE],
    ['that unsubscribes without a link', { type: 'UnsubscribeConfirmation' }, UNREADABLE],
  ])('%s', async (_, change, refusal) => {
    const { read, asked } = senderWith();
    expect(refusalIn(await read(notification(change)))).toEqual(refusal);
    expect(asked).toEqual([]);
  });

  it.each(['x-smn-message-type', 'x-smn-message-id', 'x-smn-topic-urn'])(
    'when its header %s is not what was signed',
    async (name) => {
      const { read, asked } = senderWith();
      expect(refusalIn(await read(notification(), { headers: { [name]: 'other' } }))).toEqual(FORGED);
      expect(asked).toEqual([]);
    },
  );

  it.each(['', 'hello', '[]', 'null', '{}'])('that is no message: %s', async (body) => {
    expect(refusalIn(await senderWith().read(body))).toEqual(UNREADABLE);
  });
});

it('headers that agree with the body are let through', async () => {
  const headers = {
    'x-smn-message-type': 'Notification',
    'x-smn-message-id': 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
    'x-smn-topic-urn': TOPIC,
  };
  expect(alarmsIn(await senderWith().read(notification(), { headers }))).toHaveLength(1);
});

describe('the age of a message', () => {
  const at = (offsetMs: number) => ({ timestamp: new Date(NOW_MS + offsetMs).toISOString() });
  const MINUTE_MS = 60_000;

  it.each([-60, -1, 0, 5])('may be %i min from now', async (minutes) => {
    expect(alarmsIn(await senderWith().read(notification(at(minutes * MINUTE_MS))))).toHaveLength(1);
  });

  it.each([-60 * MINUTE_MS - 1, 5 * MINUTE_MS + 1])('may not be %i ms from now', async (offsetMs) => {
    expect(refusalIn(await senderWith().read(notification(at(offsetMs))))).toEqual({ status: 403, reason: 'tooOld' });
  });

  it('is looked at after the signature: a forgery is called one', async () => {
    expect(refusalIn(await senderWith().read(notification(at(-61 * MINUTE_MS), ATTACKER.key)))).toEqual(FORGED);
  });

  it.each([
    [-48 * 60, 'confirmation'],
    [-48 * 60 - 1, 'refused'],
  ])('of a confirmation of %i min: %s', async (minutes, kind) => {
    expect((await senderWith().read(confirmationBody(SMN.key, at(minutes * MINUTE_MS)))).kind).toBe(kind);
  });
});

describe('a certificate', () => {
  it('that cannot be had is our own trouble, and a message is read once it can', async () => {
    let isDown = true;
    const { read } = senderWith({}, async () => {
      if (isDown) throw new Error('smn.cn-north-4.myhuaweicloud.com: answered 500');
      return SMN.cert;
    });
    const reading = await read(notification());
    expect(reading).toEqual({ kind: 'unavailable', what: expect.stringContaining('answered 500') });
    isDown = false;
    expect(alarmsIn(await read(notification(), { receivedAtMs: NOW_MS + 30_000 }))).toHaveLength(1);
  });

  it.each([
    ['has ended', { to: '260101000000Z' }],
    ['has not begun', { from: '260103000000Z' }],
  ])('that %s proves nothing, unless it is pinned', async (_, dates) => {
    const dated = selfSignedRsa(dates);
    const body = notification({}, dated.key);
    expect(await senderWith({}, async () => dated.cert).read(body)).toMatchObject({
      kind: 'unavailable',
      what: expect.stringContaining('not valid at this time'),
    });
    expect(alarmsIn(await senderWith({ certificates: [dated.cert] }).read(body))).toHaveLength(1);
  });

  it('that is pinned is the only one: nothing is downloaded, whatever address a message names', async () => {
    const { read, asked } = senderWith({ certificates: [ATTACKER.cert, SMN.cert] });
    expect(alarmsIn(await read(notification({ signing_cert_url: 'http://attacker.example/' })))).toHaveLength(1);
    const other = selfSignedRsa();
    expect(refusalIn(await read(notification({}, other.key)))).toEqual(FORGED);
    expect(asked).toEqual([]);
  });

  it('may come from a host of the configuration in place of the usual one', async () => {
    const host = 'smn.cn-north-4.partner.example';
    const { read, asked } = senderWith({ certificateHosts: [host] });
    const url = CERTIFICATE_URL.replace('smn.cn-north-4.myhuaweicloud.com', host);
    expect(alarmsIn(await read(notification({ signing_cert_url: url })))).toHaveLength(1);
    expect(refusalIn(await read(notification()))).toEqual(FORGED);
    expect(asked).toEqual([url]);
  });
});

describe('the header of the subscription', () => {
  const header = { name: 'X-Runbook-Secret', values: ['old-value', 'new-value'] };
  const { sender, read } = senderWith({ header });

  it('admits while one value takes over from the other', async () => {
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

  it('is not asked of a confirmation, and nothing else can pass for one', async () => {
    const headers = { 'x-smn-message-type': 'SubscriptionConfirmation' };
    expect((await read(confirmationBody(SMN.key), { headers })).kind).toBe('confirmation');
    expect(refusalIn(await read(notification(), { headers }))).toEqual(FORGED);
  });
});

/** A console that confirms: it counts the links that were asked for. */
async function startConsole(status: () => number) {
  const tls = selfSignedRsa({ commonName: 'localhost' });
  const links: string[] = [];
  const server = createServer(tls, (request, response) => {
    links.push(request.url ?? '');
    response.writeHead(status(), { location: '/elsewhere' }).end('{"subscription_urn":"urn:smn:…"}');
  }).listen(0, 'localhost');
  await once(server, 'listening');
  globalAgent.options.ca = tls.cert;
  onTestFinished(() => {
    delete globalAgent.options.ca;
    server.close();
  });
  return { host: `localhost:${(server.address() as AddressInfo).port}`, links };
}

function confirmationIn(reading: Reading) {
  if (reading.kind !== 'confirmation') throw new Error(`no confirmation: ${JSON.stringify(reading)}`);
  return reading;
}

describe('a confirmation', () => {
  it('asks for exactly its link, once', async () => {
    const { host, links } = await startConsole(() => 200);
    const { read } = senderWith({ confirmHosts: [host] });
    const path = `/smn/subscription/confirm?token=a%2Fb%20c&topic_urn=${TOPIC}`;
    const body = confirmationBody(SMN.key, { subscribe_url: `https://${host}${path}` });
    const confirmation = confirmationIn(await read(body));
    expect(confirmation.topicUrn).toBe(TOPIC);
    expect(links).toEqual([]);
    await confirmation.confirm();
    expect(notesIn(await read(body))).toEqual([expect.stringContaining('was confirmed before')]);
    expect(links).toEqual([path]);
  });

  it.each([302, 400, 500])(
    'that is answered %i fails without telling the link, and can be tried again',
    async (status) => {
      const answers = [status, 200];
      const { host, links } = await startConsole(() => answers.shift() ?? 500);
      const { read } = senderWith({ confirmHosts: [host] });
      const body = confirmationBody(SMN.key, { subscribe_url: `https://${host}/confirm?token=secret-token` });
      const failed = confirmationIn(await read(body)).confirm();
      await expect(failed).rejects.toThrow(new Error(`localhost: answered ${status}`));
      await confirmationIn(await read(body)).confirm();
      expect(links).toHaveLength(2);
    },
  );

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

  it('of a foreign topic, or forged, is none', async () => {
    const foreign = confirmationBody(SMN.key, { topic_urn: `urn:smn:cn-north-4:${PROJECT}:other` });
    expect(refusalIn(await senderWith().read(foreign))).toEqual({ status: 403, reason: 'foreignTopic' });
    expect(refusalIn(await senderWith().read(confirmationBody(ATTACKER.key)))).toEqual(FORGED);
  });
});

it('a cancelled subscription is told, and not subscribed again', async () => {
  const { host, links } = await startConsole(() => 200);
  const body = confirmationBody(SMN.key, { type: 'UnsubscribeConfirmation', subscribe_url: `https://${host}/confirm` });
  const reading = await senderWith({ confirmHosts: [host] }).read(body);
  expect(alarmsIn(reading)).toEqual([]);
  expect(notesIn(reading)).toEqual([expect.stringContaining(`UNSUBSCRIBED: ${TOPIC}`)]);
  expect(links).toEqual([]);
});

it('an unchecked reading needs no signature, but a topic of ours', () => {
  const { sender } = senderWith();
  const bytes = (body: SmnFields) => Buffer.from(JSON.stringify(body));
  expect(alarmsIn(sender.readUnchecked(bytes(notification({ signature: 'none' })), NOW_MS))).toHaveLength(1);
  const foreign = bytes(notification({ topic_urn: `${TOPIC}x` }));
  expect(refusalIn(sender.readUnchecked(foreign, NOW_MS))).toEqual({ status: 403, reason: 'foreignTopic' });
});

describe('settings', () => {
  it.each<[string, Partial<SmnSettings>, RegExp]>([
    ['no topic', { topics: [] }, /no topic/],
    ['a topic that is none', { topics: ['ops-alarms'] }, /no topic URN: ops-alarms/],
    ['a header without values', { header: { name: 'x-secret', values: [] } }, /no value for the header x-secret/],
    [
      'a header with an empty value',
      { header: { name: 'x-secret', values: [''] } },
      /no value for the header x-secret/,
    ],
    ['a certificate that is none', { certificates: ['none'] }, /certificate 1 .* no certificate in PEM/],
    ['a certificate that may not sign', { certificates: [SMN.cert, selfSigned().cert] }, /certificate 2 .* not RSA/],
  ])('make no sender: %s', (_, change, why) => {
    expect(() => makeSender('cloud-eye', { ...SETTINGS, ...change })).toThrow(why);
  });
});
