/** Messages of SMN: the checks that admit them, in order; nothing is fetched for those that fail. */
import { describe, expect, it } from 'vitest';
import { selfSignedRsa } from '../../servicestage/self-signed.js';
import {
  alarmsIn,
  CERTIFICATE_URL,
  confirmationBody,
  NOW_MS,
  PROJECT,
  refusalIn,
  smnBody,
  TOPIC,
  type SmnFields,
} from './deliveries.js';
import { ATTACKER, FORGED, notification, senderWith, SMN, UNREADABLE } from './smn-sender.js';

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
        .map((name) => `${name}\n${String(fields[name])}\n`)
        .join('');
    expect(alarmsIn(await senderWith().read(smnBody({ subject: '' }, { key: SMN.key, text })))).toHaveLength(1);
  });

  it('is read in any order of its fields', async () => {
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
    ['whose text is not a string', { message: { data: {} } }, UNREADABLE],
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

  it.each(['', 'hello', '[]', 'null', '{}'])('that is not a message: %s', async (body) => {
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

  it('is checked after the signature: a forgery is reported as one', async () => {
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
  it('that cannot be fetched is our fault, and a message is read once it can', async () => {
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
      what: expect.stringContaining('not valid now'),
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

it('an unchecked reading needs no signature, but a topic of ours', () => {
  const { sender } = senderWith();
  const bytes = (body: SmnFields) => Buffer.from(JSON.stringify(body));
  expect(alarmsIn(sender.readUnchecked(bytes(notification({ signature: 'none' })), NOW_MS))).toHaveLength(1);
  const foreign = bytes(notification({ topic_urn: `${TOPIC}x` }));
  expect(refusalIn(sender.readUnchecked(foreign, NOW_MS))).toEqual({ status: 403, reason: 'foreignTopic' });
});
