/** Senders that sign id, time and the bytes of the body, as Standard Webhooks describes. Source: its specification, 2024. */
import { createHmac } from 'node:crypto';
import { CLOCKS_DIFFER_BY_MS, ID } from './alarm-values.js';
import { isOneOf } from '../../network/same-secret.js';
import { refused, requireSecrets } from './authentication.js';
import { readGenericAlarms } from './generic-alarm.js';
import type { Delivery, Refusal, Sender, WebhookSettings } from './sender.js';

/** Seconds. Digits only; the reference libraries accept trailing text. */
const TIMESTAMP = /^\d{1,11}$/;
/** Characters. There are several signatures while secrets are rotated. */
const LONGEST_SIGNATURES = 4_096;
const MOST_SIGNATURES = 20;
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

interface SignedHeaders {
  readonly id: string;
  readonly timestamp: string;
  readonly signatures: string;
}

/** @throws Error without secrets, or with one that the specification does not allow */
export function webhookSender(name: string, { secrets }: WebhookSettings): Sender {
  requireSecrets(name, 'secret', secrets);
  const keys = secrets.map((secret) => keyOf(name, secret));
  return {
    name,
    admits(headers) {
      const found = signedHeaders(headers);
      return 'kind' in found ? found : null;
    },
    async read({ headers, body, receivedAtMs }) {
      const signed = signedHeaders(headers);
      if ('kind' in signed) return signed;
      if (!isSigned(signed, body, keys)) return refused(403, 'forged', 'no signature matches a secret');
      const aheadMs = Number(signed.timestamp) * 1_000 - receivedAtMs;
      if (Math.abs(aheadMs) > CLOCKS_DIFFER_BY_MS)
        return refused(
          403,
          'tooOld',
          `sent ${Math.round(-aheadMs / 1_000)} s before it arrived: at most 300 s, or the clocks differ`,
        );
      return readGenericAlarms(body, { sender: name, receivedAtMs, deliveryId: signed.id });
    },
    readUnchecked: (body, receivedAtMs) =>
      readGenericAlarms(body, { sender: name, receivedAtMs, deliveryId: 'unchecked' }),
  };
}

function keyOf(name: string, secret: string): Buffer {
  const [, encoded = ''] = SECRET.exec(secret) ?? [];
  const key = Buffer.from(encoded, 'base64');
  if (key.length < 24 || key.length > 64)
    throw new Error(`a secret of the sender ${name} is not whsec_ and the base64 of 24 to 64 bytes`);
  return key;
}

function signedHeaders(headers: Delivery['headers']): SignedHeaders | Refusal {
  const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': signatures = '' } = headers;
  const wrong = (header: string, is: string) => refused(401, 'unauthorized', `the header ${header} ${is}`);
  // A dot would move the border between id and time in the signed text. The specification forbids it too.
  if (!ID.test(id) || id.includes('.'))
    return wrong('webhook-id', id === '' ? 'is missing' : 'is not at most 256 visible characters without a dot');
  if (!TIMESTAMP.test(timestamp))
    return wrong('webhook-timestamp', timestamp === '' ? 'is missing' : 'is not whole seconds since 1970');
  if (signatures === '' || signatures.length > LONGEST_SIGNATURES)
    return wrong('webhook-signature', signatures === '' ? 'is missing' : 'is too long');
  return { id, timestamp, signatures };
}

/** One matching signature is enough. Versions other than v1 are ignored. */
function isSigned({ id, timestamp, signatures }: SignedHeaders, body: Buffer, keys: readonly Buffer[]): boolean {
  const expected = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`,
  );
  return signatures
    .split(' ', MOST_SIGNATURES)
    .map((signature) => isOneOf(signature, expected))
    .includes(true);
}
