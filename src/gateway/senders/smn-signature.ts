/** Checks the signature of SMN: always RSA with PKCS#1 v1.5 and SHA-256, whatever the certificate names. Source: SMN user guide, smn_ug_a9003. */
import { verify, type KeyObject } from 'node:crypto';

/** The fields of the body that SMN signs, with the names they have there. */
export interface SignedFields {
  readonly type: string;
  readonly message_id: string;
  readonly topic_urn: string;
  readonly message: string;
  readonly subject?: string | null | undefined;
  readonly timestamp: string;
  readonly subscribe_url?: string | undefined;
  /** Base64. */
  readonly signature: string;
}

/** True if the key signed these values exactly as decoded from JSON; `message` is never re-serialised. */
export function isSignedBy(key: KeyObject, fields: SignedFields): boolean {
  const signature = Buffer.from(fields.signature, 'base64');
  return stringsToSign(fields).some((text) => verify('sha256', Buffer.from(text), key, signature));
}

/**
 * The texts that SMN may have signed: each field as two lines, in alphabetical order. An empty subject is left out; old senders
 * sign it as an empty line, so that is the second text.
 */
export function stringsToSign(fields: SignedFields): string[] {
  if (fields.type !== 'Notification') return [lines({ ...fields, subject: undefined })];
  const notification = { ...fields, subscribe_url: undefined };
  const withoutEmpty = lines({ ...notification, subject: fields.subject || undefined });
  return fields.subject === '' ? [withoutEmpty, lines(notification)] : [withoutEmpty];
}

function lines({
  message,
  message_id,
  subject,
  subscribe_url,
  timestamp,
  topic_urn,
  type,
}: Omit<SignedFields, 'signature'>) {
  return Object.entries({ message, message_id, subject, subscribe_url, timestamp, topic_urn, type })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}\n${value}\n`)
    .join('');
}
