/** What SMN signs, and whether it did: RSA with PKCS#1 v1.5 over SHA-256, whatever a certificate says of itself. Source: SMN user guide, smn_ug_a9003. */
import { verify, type KeyObject } from 'node:crypto';

/** Fields of the body that take part, by the names of the wire. */
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

/** Bytes as they were decoded from JSON; the text inside `message` is never written anew. */
export function isSignedBy(key: KeyObject, fields: SignedFields): boolean {
  const signature = Buffer.from(fields.signature, 'base64');
  return stringsToSign(fields).some((text) => verify('sha256', Buffer.from(text), key, signature));
}

/**
 * Each field as two lines, by the alphabet. An empty subject takes no part; old senders sign it as an empty line,
 * so that is tried second.
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
