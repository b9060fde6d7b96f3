/** Deliveries as senders make them, signed with keys that the tests make. */
import { createHmac, createPrivateKey, sign } from 'node:crypto';
import type { Alarm } from '../../../src/domain/alarms/alarm.js';
import type { Delivery, Reading, Refusal } from '../../../src/gateway/senders/sender.js';

export const NOW_MS = Date.parse('2026-01-02T03:04:10Z');
export const PROJECT = '0123456789abcdef0123456789abcdef';
export const TOPIC = `urn:smn:cn-north-4:${PROJECT}:ops-alarms`;
export const CERTIFICATE_URL = `https://smn.cn-north-4.myhuaweicloud.com/smn/SMN_cn-north-4_${PROJECT}.pem`;

export function delivery(
  body: unknown,
  { headers = {}, receivedAtMs = NOW_MS }: { headers?: Record<string, string>; receivedAtMs?: number } = {},
): Delivery {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return { headers, body: bytes, receivedAtMs };
}

export type SmnFields = Record<string, unknown>;

/** What SMN signs, written here a second time: field by field as its user guide lists them. */
function signedText(fields: SmnFields): string {
  const line = (name: string) => `${name}\n${String(fields[name])}\n`;
  const subject = fields['subject'] === undefined || fields['subject'] === '' ? '' : line('subject');
  return fields['type'] === 'Notification'
    ? `${line('message')}${line('message_id')}${subject}${line('timestamp')}${line('topic_urn')}${line('type')}`
    : `${line('message')}${line('message_id')}${line('subscribe_url')}${line('timestamp')}${line('topic_urn')}${line('type')}`;
}

/** A body in the order of fields that real ones have. */
export function smnBody(
  change: SmnFields,
  { key, text, hash = 'sha256' }: { key: string; text?: (fields: SmnFields) => string; hash?: string },
): SmnFields {
  const fields: SmnFields = {
    signature: '',
    subject: 'Alarm: CPU high',
    topic_urn: TOPIC,
    message_id: 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
    signature_version: 'v1',
    type: 'Notification',
    message: '{"version":"v1","data":{"AlarmRuleName":"cpu","IsAlarm":true}}',
    unsubscribe_url: 'https://console.huaweicloud.com/smn/subscription/unsubscribe?subscription_urn=none',
    signing_cert_url: CERTIFICATE_URL,
    timestamp: '2026-01-02T03:04:05Z',
    ...change,
  };
  const signature = sign(hash, Buffer.from((text ?? signedText)(fields)), createPrivateKey(key)).toString('base64');
  return { ...fields, signature, ...('signature' in change ? { signature: change['signature'] } : {}) };
}

export function confirmationBody(key: string, change: SmnFields = {}): SmnFields {
  return smnBody(
    {
      type: 'SubscriptionConfirmation',
      subject: undefined,
      message: 'You are invited to subscribe to the topic.',
      unsubscribe_url: undefined,
      subscribe_url: `https://console.huaweicloud.com/smn/subscription/confirm?token=secret-token&topic_urn=${TOPIC}&region=cn-north-4`,
      ...change,
    },
    { key },
  );
}

export function webhookHeaders(
  secret: string,
  body: string | Buffer,
  { id = 'msg_1', timestamp = String(NOW_MS / 1_000) }: { id?: string; timestamp?: string } = {},
): Record<string, string> {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

export function alarmsIn(reading: Reading): readonly Alarm[] {
  if (reading.kind !== 'alarms') throw new Error(`no alarms: ${JSON.stringify(reading)}`);
  return reading.alarms;
}

export function notesIn(reading: Reading): readonly string[] {
  if (reading.kind !== 'alarms') throw new Error(`no alarms: ${JSON.stringify(reading)}`);
  return reading.notes;
}

export function refusalIn(reading: Reading): Pick<Refusal, 'status' | 'reason'> {
  if (reading.kind !== 'refused') throw new Error(`not refused: ${JSON.stringify(reading)}`);
  return { status: reading.status, reason: reading.reason };
}
