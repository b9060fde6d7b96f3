/**
 * Whatever arrives, a sender returns a reading of bounded size; it never throws, and never makes an alarm from an
 * unauthenticated delivery.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeSender } from '../../../src/gateway/senders/make-sender.js';
import type { Reading, Sender } from '../../../src/gateway/senders/sender.js';
import { smnSender } from '../../../src/gateway/senders/smn.js';
import { selfSignedRsa } from '../../servicestage/self-signed.js';
import { confirmationBody, delivery, NOW_MS, smnBody, TOPIC, webhookHeaders } from './deliveries.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const { key, cert } = selfSignedRsa();
const SMN = {
  kind: 'smn',
  topics: [TOPIC],
  certificates: [cert],
  certificateHosts: [],
  confirmHosts: ['console.huaweicloud.com'],
  header: null,
} as const;
const smn = smnSender('smn', SMN);
const downloading = smnSender('smn-download', { ...SMN, certificates: [] }, { fetchCertificate: async () => cert });
const ALERT = {
  status: 'firing',
  labels: { alertname: 'a', b: 'c' },
  annotations: { summary: 's' },
  startsAt: '2026-01-02T03:04:05Z',
  endsAt: '0001-01-01T00:00:00Z',
  fingerprint: 'f',
};
const TOKEN = { authorization: 'Bearer token' };

/** Each sender with a delivery that it accepts: its body, and its authentication. */
const SENDERS: readonly {
  sender: Sender;
  body: object;
  headersFor: (body: Buffer) => Record<string, string>;
  takenAs?: string;
}[] = [
  {
    sender: makeSender('am', { kind: 'alertmanager', tokens: ['token'], ignoreLabels: ['b'] }),
    body: { version: '4', truncatedAlerts: 0, alerts: [ALERT, { ...ALERT, status: 'resolved' }] },
    headersFor: () => TOKEN,
  },
  {
    sender: makeSender('bearer', { kind: 'bearer', tokens: ['token'] }),
    body: {
      alarms: [{ id: 'a', name: 'b', status: 'firing', labels: { c: 'd' }, summary: 's', at: '2026-01-02T03:04:05Z' }],
    },
    headersFor: () => TOKEN,
  },
  {
    sender: makeSender('webhook', { kind: 'webhook', secrets: [SECRET] }),
    body: { id: 'a', name: 'b', status: 'resolved', labels: {} },
    headersFor: (body) => webhookHeaders(SECRET, body),
  },
  { sender: smn, body: smnBody({}, { key }), headersFor: () => ({}) },
  { sender: downloading, body: confirmationBody(key), headersFor: () => ({}), takenAs: 'confirmation' },
];

const KINDS = ['alarms', 'confirmation', 'refused', 'unavailable'];

function expectReading(reading: Reading): void {
  expect(KINDS).toContain(reading.kind);
  if (reading.kind !== 'alarms') return;
  for (const { labels, name, summary, episode, incident, atMs, status } of reading.alarms) {
    expect(['firing', 'resolved']).toContain(status);
    expect(Number.isFinite(atMs)).toBe(true);
    expect(`${name}${summary}${episode}${incident}`).not.toMatch(/\p{Cc}/u);
    expect([name, episode, incident].every((text) => text.length > 0 && text.length <= 1_024)).toBe(true);
    expect(Array.from(summary).length).toBeLessThanOrEqual(300);
    expect(Object.keys(labels).length).toBeLessThanOrEqual(65);
  }
}

type Json = Record<string, unknown>;

/** Every place inside a body. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => placesIn(inner, [...path, name]))];
}

function withValue(body: object, path: readonly string[], value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const copy = (Array.isArray(body) ? [...body] : { ...body }) as Json;
  copy[name] = withValue(copy[name] as object, rest, value);
  return copy;
}

describe.each(SENDERS.map((each) => ({ ...each, name: each.sender.name })))(
  '$name',
  ({ sender, body, headersFor, takenAs = 'alarms' }) => {
    const readBoth = async (bytes: Buffer, headers: Record<string, string> = headersFor(bytes)) => {
      expectReading(await sender.read(delivery(bytes, { headers })));
      expectReading(sender.readUnchecked(bytes, NOW_MS));
    };

    it('accepts its own body', async () => {
      const bytes = Buffer.from(JSON.stringify(body));
      expect((await sender.read(delivery(bytes, { headers: headersFor(bytes) }))).kind).toBe(takenAs);
    });

    it('reads any bytes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => readBoth(Buffer.from(bytes))),
      );
    });

    it('reads any JSON', async () => {
      await fc.assert(fc.asyncProperty(fc.json(), async (text) => readBoth(Buffer.from(text))));
    });

    it('reads its own body with any value at any place', async () => {
      const place = fc.constantFrom(...placesIn(body));
      const value = fc.oneof(
        fc.jsonValue(),
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.constantFrom('x'.repeat(5_000), -1, 1e300),
      );
      await fc.assert(
        fc.asyncProperty(place, value, async (path, changed) =>
          readBoth(Buffer.from(JSON.stringify(withValue(body, path, changed) ?? null))),
        ),
        { numRuns: 300 },
      );
    });

    it('reads any headers', async () => {
      const names = [
        'authorization',
        'webhook-id',
        'webhook-timestamp',
        'webhook-signature',
        'x-smn-topic-urn',
        'x-smn-message-type',
      ];
      const headers = fc.dictionary(fc.constantFrom(...names), fc.string());
      await fc.assert(fc.asyncProperty(headers, async (any) => readBoth(Buffer.from(JSON.stringify(body)), any)));
    });

    it('refuses nesting without end, before it is parsed', async () => {
      const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
      for (const text of [deep, `{"alerts":${deep}}`, `{"text":"\\"]]]","alerts":${deep}}`]) {
        const reading = sender.readUnchecked(Buffer.from(text), NOW_MS);
        expect(reading).toMatchObject({ kind: 'refused', what: 'the body is nested more than 32 deep' });
      }
    });
  },
);

describe('the text of a signed message', () => {
  it('may be any JSON, and any of its values', async () => {
    const message = {
      version: 'v1',
      data: { AlarmRuleName: 'r', IsAlarm: true, RegionId: 'x', AlarmRecordID: 'ah1' },
      alarm_id: 'al',
      alarm_status: 'ok',
    };
    const place = fc.constantFrom(...placesIn(message));
    await fc.assert(
      fc.asyncProperty(place, fc.jsonValue(), fc.string({ unit: 'binary' }), async (path, value, subject) => {
        const text = JSON.stringify(withValue(message, path, value) ?? null);
        const reading = await smn.read(delivery(smnBody({ message: text, subject }, { key })));
        expect(reading.kind).toBe('alarms');
        expectReading(reading);
      }),
    );
  });
});
