/** The keys that SMN signs with: pinned, or downloaded from hosts of the configuration only, as an address in a message is anybody's. */
import { X509Certificate, type KeyObject } from 'node:crypto';
import type { ProxyAgents } from '../../network/proxy-agents.js';
import { getText } from './get-text.js';

/** `/smn/SMN_cn-north-4_<32 hex>.pem`; partner clouds leave the folder out. */
const CERTIFICATE_PATH = /^(?:\/smn)?\/SMN_([a-z0-9-]+)_[0-9a-f]{32}\.pem$/;
const LARGEST_CERTIFICATE_BYTES = 128 * 1024;
const SMALLEST_KEY_BITS = 2_048;

export interface SigningCertificate {
  readonly key: KeyObject;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** PEM of an address. @throws Error in words */
export type FetchCertificate = (url: URL) => Promise<string>;

export function downloadCertificate(url: URL, proxy: ProxyAgents | null = null): Promise<string> {
  return getText(url, LARGEST_CERTIFICATE_BYTES, proxy);
}

/** @returns the address when it may be asked: a certificate of this region, on one of the hosts; else `null` */
export function certificateUrl(text: string, region: string, hosts: readonly string[]): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const { protocol, host, hostname, pathname } = url;
  const [, regionOfFile] = CERTIFICATE_PATH.exec(pathname) ?? [];
  // Nothing but these three parts, in the one way they are written: no user, port, query, and no tricks of spelling.
  const isPlain = protocol === 'https:' && text === `https://${hostname}${pathname}`;
  return isPlain && hosts.includes(host) && host.split('.').includes(region) && regionOfFile === region ? url : null;
}

/** @throws Error in words when it is no certificate that may sign */
export function readCertificate(pem: string): SigningCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new Error('it is no certificate in PEM');
  }
  const { publicKey: key, validFrom, validTo } = certificate;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < SMALLEST_KEY_BITS)
    throw new Error(`its key is not RSA of at least ${SMALLEST_KEY_BITS} bits`);
  return { key, validFromMs: Date.parse(validFrom), validToMs: Date.parse(validTo) };
}
