/** The certificates that SMN signs with. Downloads go to configured hosts only, because anyone can put an address into a message. */
import { X509Certificate, type KeyObject } from 'node:crypto';
import { getText, type GetOptions } from './http-get.js';

/** `/smn/SMN_cn-north-4_<32 hex>.pem`; partner clouds leave the folder out. */
const CERTIFICATE_PATH = /^(?:\/smn)?\/SMN_([a-z0-9-]+)_[0-9a-f]{32}\.pem$/;
const LARGEST_CERTIFICATE_BYTES = 128 * 1024;
const SMALLEST_KEY_BITS = 2_048;

/** A certificate that may sign, with the dates between which it is valid in epoch milliseconds. */
export interface SigningCertificate {
  readonly key: KeyObject;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** Downloads the PEM text at an address. @throws Error with a readable reason */
export type FetchCertificate = (url: URL) => Promise<string>;

/** Downloads at most 128 KiB. @throws Error with a readable reason */
export function downloadCertificate(url: URL, way: Pick<GetOptions, 'proxy' | 'follow'> = {}): Promise<string> {
  return getText(url, { purpose: 'certificate', mostBytes: LARGEST_CERTIFICATE_BYTES, ...way });
}

/** @returns the address if it is a certificate of this region on one of the hosts; otherwise `null` */
export function certificateUrl(text: string, region: string, hosts: readonly string[]): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const { protocol, host, hostname, pathname } = url;
  const [, regionOfFile] = CERTIFICATE_PATH.exec(pathname) ?? [];
  // Exactly these parts in their normal spelling: no user, port, query or fragment, and no encoding tricks.
  const isPlain = protocol === 'https:' && text === `https://${hostname}${pathname}`;
  return isPlain && hosts.includes(host) && host.split('.').includes(region) && regionOfFile === region ? url : null;
}

/** Parses a certificate. @throws Error with a readable reason when it may not sign */
export function readCertificate(pem: string): SigningCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new Error('it is not a PEM certificate');
  }
  const { publicKey: key, validFrom, validTo } = certificate;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < SMALLEST_KEY_BITS)
    throw new Error(`its key is not RSA of at least ${SMALLEST_KEY_BITS} bits`);
  return { key, validFromMs: Date.parse(validFrom), validToMs: Date.parse(validTo) };
}
