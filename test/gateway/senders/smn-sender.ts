/** A sender of SMN whose certificates come from the test, and messages for it. */
import type { SmnSettings } from '../../../src/gateway/senders/sender.js';
import type { FetchCertificate } from '../../../src/gateway/senders/smn-certificate.js';
import { smnSender } from '../../../src/gateway/senders/smn.js';
import { selfSignedRsa } from '../../servicestage/self-signed.js';
import { delivery, smnBody, TOPIC, type SmnFields } from './deliveries.js';

export const SMN = selfSignedRsa();
export const ATTACKER = selfSignedRsa();
export const SETTINGS: SmnSettings = {
  kind: 'smn',
  topics: [TOPIC],
  certificates: [],
  certificateHosts: [],
  confirmHosts: ['console.huaweicloud.com'],
  header: null,
};

/** A sender whose certificates come from here, and the addresses that it asked for. */
export function senderWith(change: Partial<SmnSettings> = {}, fetch: FetchCertificate = async () => SMN.cert) {
  const asked: string[] = [];
  const fetchCertificate: FetchCertificate = (url) => {
    asked.push(url.href);
    return fetch(url);
  };
  const sender = smnSender('cloud-eye', { ...SETTINGS, ...change }, { fetchCertificate });
  const read = (body: unknown, options = {}) => sender.read(delivery(body, options));
  return { sender, read, asked };
}

export const notification = (change: SmnFields = {}, key = SMN.key) => smnBody(change, { key });
export const FORGED = { status: 403, reason: 'forged' };
export const UNREADABLE = { status: 400, reason: 'unreadable' };
