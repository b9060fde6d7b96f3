/** Standard Webhooks: what is signed, with which secret, and when. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeSender } from '../../../src/gateway/senders/make-sender.js';
import { alarmsIn, delivery, NOW_MS, refusalIn, webhookHeaders } from './deliveries.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
const BODY = JSON.stringify({ id: 'disk-42', name: 'DiskFull', status: 'firing' });
const sender = makeSender('deploys', { kind: 'webhook', secrets: [SECRET, OTHER] });
const read = (headers: Record<string, string>, body: string | Buffer = BODY) =>
  sender.read(delivery(body, { headers }));

describe('a signature', () => {
  it('fits the example of the specification', async () => {
    const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'];
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    // Its body is not an alarm: it is read only when the signature fits.
    const spec = makeSender('spec', { kind: 'webhook', secrets });
    const given = delivery('{"test": 2432232314}', { headers, receivedAtMs: 1_614_265_330_000 });
    expect(refusalIn(await spec.read(given))).toEqual({ status: 400, reason: 'unreadable' });
    const other = delivery('{"test": 2432232315}', { headers, receivedAtMs: 1_614_265_330_000 });
    expect(refusalIn(await spec.read(other))).toEqual({ status: 403, reason: 'forged' });
  });

  it('of either secret is enough, among others and other versions', async () => {
    for (const secret of [SECRET, OTHER]) {
      const headers = webhookHeaders(secret, BODY);
      headers['webhook-signature'] = `v1a,xyz v1,AAAA ${headers['webhook-signature']} v2,x`;
      expect(alarmsIn(await read(headers))).toHaveLength(1);
    }
  });

  it('is over the bytes: other white space is another body', async () => {
    expect(refusalIn(await read(webhookHeaders(SECRET, BODY), `${BODY} `))).toEqual({ status: 403, reason: 'forged' });
  });

  it('is over id and time too', async () => {
    const headers = webhookHeaders(SECRET, BODY);
    for (const change of [{ 'webhook-id': 'msg_2' }, { 'webhook-timestamp': String(NOW_MS / 1_000 + 1) }])
      expect(refusalIn(await read({ ...headers, ...change }))).toEqual({ status: 403, reason: 'forged' });
  });

  it('of another version, or without one, proves nothing', async () => {
    const headers = webhookHeaders(SECRET, BODY);
    const [, signature = ''] = headers['webhook-signature']?.split(',') ?? [];
    for (const text of [signature, `v2,${signature}`, `v1a,${signature}`, 'v1,', ' '])
      expect(refusalIn(await read({ ...headers, 'webhook-signature': text }))).toEqual({
        status: 403,
        reason: 'forged',
      });
  });

  it('is made with the decoded secret', async () => {
    const headers = webhookHeaders(SECRET, BODY);
    const text = `msg_1.${NOW_MS / 1_000}.${BODY}`;
    const signature = createHmac('sha256', SECRET).update(text).digest('base64');
    expect(refusalIn(await read({ ...headers, 'webhook-signature': `v1,${signature}` }))).toEqual({
      status: 403,
      reason: 'forged',
    });
  });
});

describe('the time', () => {
  const at = (offsetSeconds: number) =>
    read(webhookHeaders(SECRET, BODY, { timestamp: String(NOW_MS / 1_000 + offsetSeconds) }));

  it.each([-300, 0, 300])('may differ by %i s', async (offset) => {
    expect(alarmsIn(await at(offset))).toHaveLength(1);
  });

  it.each([-301, 301])('may not differ by %i s', async (offset) => {
    expect(refusalIn(await at(offset))).toEqual({ status: 403, reason: 'tooOld' });
  });
});

describe('headers', () => {
  it.each<[string, Record<string, string>]>([
    ['no id', { 'webhook-id': '' }],
    ['an id with a dot', { 'webhook-id': 'msg.1' }],
    ['a time with junk behind it', { 'webhook-timestamp': '1767323050x' }],
    ['a time with a sign', { 'webhook-timestamp': '+1767323050' }],
    ['no signature', { 'webhook-signature': '' }],
    ['signatures without end', { 'webhook-signature': 'v1,a '.repeat(1_000) }],
  ])('are refused before the body is read: %s', async (_, change) => {
    const headers = { ...webhookHeaders(SECRET, BODY), ...change };
    expect(sender.admits(headers)).toMatchObject({ status: 401, reason: 'unauthorized' });
    expect(refusalIn(await read(headers))).toEqual({ status: 401, reason: 'unauthorized' });
  });

  it.each([
    ['a prefix and letters', 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W'],
    ['a UUID in braces', '{0f9f2b2e-8a3e-4f5e-9a55-5f8d5e2f6a10}'],
    ['a URN', 'urn:uuid:0f9f2b2e-8a3e-4f5e-9a55-5f8d5e2f6a10'],
    ['base64', 'bXNnXzE+/w=='],
    ['a long one', 'm'.repeat(256)],
  ])('may hold every id that the specification allows: %s', async (_what, id) => {
    expect(alarmsIn(await read(webhookHeaders(SECRET, BODY, { id })))).toHaveLength(1);
  });

  it.each(['a b', 'a\u0000', 'ä', 'm'.repeat(257)])('may not hold an id that no header carries well: %j', (id) => {
    expect(sender.admits(webhookHeaders(SECRET, BODY, { id }))).toMatchObject({
      what: 'the header webhook-id is not at most 256 visible characters without a dot',
    });
  });

  it('are accepted if they are well-formed', () => {
    expect(sender.admits(webhookHeaders(SECRET, BODY))).toBeNull();
  });
});

describe('secrets', () => {
  it.each([
    ['none', []],
    ['an empty one', [SECRET, '']],
    ['one without its prefix', [SECRET.slice(6)]],
    ['one that is too short', [`whsec_${Buffer.alloc(23).toString('base64')}`]],
    ['one that is too long', [`whsec_${Buffer.alloc(65).toString('base64')}`]],
    ['one that is not base64', [`${SECRET}\n`]],
  ])('make no sender: %s', (_, secrets) => {
    expect(() => makeSender('deploys', { kind: 'webhook', secrets })).toThrow(/deploys/);
  });

  it('are not shown by the error', () => {
    expect(() => makeSender('deploys', { kind: 'webhook', secrets: ['whsec_c2hvcnQ='] })).toThrow(/^(?!.*c2hvcnQ).*$/);
  });
});

it('an alarm without a time has the episode of the delivery, the same when it is repeated', async () => {
  const later = { id: 'msg_1', timestamp: String(NOW_MS / 1_000 + 60) };
  const [first] = alarmsIn(await read(webhookHeaders(SECRET, BODY)));
  const [repeated] = alarmsIn(await read(webhookHeaders(SECRET, BODY, later)));
  const [next] = alarmsIn(await read(webhookHeaders(SECRET, BODY, { id: 'msg_2' })));
  expect(repeated?.episode).toBe(first?.episode);
  expect(next?.episode).not.toBe(first?.episode);
  expect(next?.incident).toBe(first?.incident);
});
