/** What SMN signs, against strings and signatures written out by hand. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSignedBy, stringsToSign } from '../../../src/gateway/senders/smn-signature.js';
import { selfSignedRsa } from '../../servicestage/self-signed.js';

const FIELDS = {
  signature: '',
  subject: 'Alarm',
  topic_urn: 'urn:smn:cn-north-4:0123456789abcdef0123456789abcdef:ops-alarms',
  message_id: 'f0e1',
  type: 'Notification',
  message: '{"value":"\\u003e 5"}',
  timestamp: '2026-01-02T03:04:05Z',
};
const { key, cert } = selfSignedRsa();
const publicKey = createPublicKey(cert);
const signed = (text: string, hash = 'sha256') =>
  sign(hash, Buffer.from(text), createPrivateKey(key)).toString('base64');

describe('the string to sign', () => {
  it('of a notification has six fields by the alphabet, each with its line end', () => {
    expect(stringsToSign(FIELDS)).toEqual([
      'message\n{"value":"\\u003e 5"}\nmessage_id\nf0e1\nsubject\nAlarm\ntimestamp\n2026-01-02T03:04:05Z\n' +
        'topic_urn\nurn:smn:cn-north-4:0123456789abcdef0123456789abcdef:ops-alarms\ntype\nNotification\n',
    ]);
  });

  it.each(['SubscriptionConfirmation', 'UnsubscribeConfirmation'])('of a %s has the link and no subject', (type) => {
    expect(stringsToSign({ ...FIELDS, type, subscribe_url: 'https://x/?token=1' })).toEqual([
      'message\n{"value":"\\u003e 5"}\nmessage_id\nf0e1\nsubscribe_url\nhttps://x/?token=1\ntimestamp\n2026-01-02T03:04:05Z\n' +
        `topic_urn\nurn:smn:cn-north-4:0123456789abcdef0123456789abcdef:ops-alarms\ntype\n${type}\n`,
    ]);
  });

  it('of a notification takes no link', () => {
    expect(stringsToSign({ ...FIELDS, subscribe_url: 'https://x/' })).toEqual(stringsToSign(FIELDS));
  });

  it('leaves out a subject that is absent or null', () => {
    const [text = ''] = stringsToSign({ ...FIELDS, subject: undefined });
    expect(text).not.toContain('subject');
    expect(stringsToSign({ ...FIELDS, subject: null })).toEqual([text]);
  });

  it('leaves out an empty subject, and with it as an empty line is tried second', () => {
    const [text = ''] = stringsToSign({ ...FIELDS, subject: undefined });
    expect(stringsToSign({ ...FIELDS, subject: '' })).toEqual([
      text,
      text.replace('timestamp', 'subject\n\ntimestamp'),
    ]);
  });
});

describe('a signature', () => {
  const [text = ''] = stringsToSign(FIELDS);
  const fits = (signature: string, change: object = {}) => isSignedBy(publicKey, { ...FIELDS, ...change, signature });

  it('fits its own text only', () => {
    expect(fits(signed(text))).toBe(true);
    expect(fits(signed(text.trimEnd()))).toBe(false);
    expect(fits(signed(text.replaceAll('\n', '\r\n')))).toBe(false);
    expect(fits(signed(text), { message: '{"value":"> 5"}' })).toBe(false);
  });

  it('is over UTF-8', () => {
    const subject = '【紧急告警】 ✓ 𝒳';
    expect(fits(signed(text.replace('Alarm', subject)), { subject })).toBe(true);
  });

  it('with SHA-1 or SHA-512 does not count', () => {
    expect(fits(signed(text, 'sha1'))).toBe(false);
    expect(fits(signed(text, 'sha512'))).toBe(false);
  });

  it.each(['', '!', 'AAAA', 'A'.repeat(344)])('that is none does not fit: %s', (signature) => {
    expect(fits(signature)).toBe(false);
  });
});
