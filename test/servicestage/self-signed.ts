/** An untrusted certificate, made at run time so that the repository contains no private key. */
import { generateKeyPairSync, sign, type KeyPairKeyObjectResult } from 'node:crypto';

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 128 ? Buffer.from([body.length]) : Buffer.from([0x82, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
}

/** X.509 version 1, without names, signed with its own P-256 key (RFC 5280). */
export function selfSigned(): SelfSigned {
  const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  return certificate(generateKeyPairSync('ec', { namedCurve: 'P-256' }), ecdsaWithSha256, {});
}

/** The same with an RSA key, a name that Node's TLS accepts as the host's, and dates as ASN.1 writes them; with `host` of version 3, as every other TLS wants it. */
export function selfSignedRsa({ bits = 2_048, ...rest }: { bits?: number } & Content = {}): SelfSigned {
  const rsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a864886f70d01010b', 'hex')), der(0x05));
  return certificate(generateKeyPairSync('rsa', { modulusLength: bits }), rsaWithSha256, rest);
}

interface Content {
  readonly commonName?: string;
  /** Subject alternative name. */
  readonly host?: string;
  readonly from?: string;
  readonly to?: string;
}

function certificate(
  { privateKey, publicKey }: KeyPairKeyObjectResult,
  algorithm: Buffer,
  { commonName, host, from = '200101000000Z', to = '491231235959Z' }: Content,
): SelfSigned {
  const time = (text: string) => der(0x17, Buffer.from(text));
  const ofCommonName = (text: string) =>
    der(0x31, der(0x30, der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from(text))));
  const name = der(0x30, ...(commonName === undefined ? [] : [ofCommonName(commonName)]));
  const subjectAltName = (dnsName: string) =>
    der(0x30, der(0x06, Buffer.from('551d11', 'hex')), der(0x04, der(0x30, der(0x82, Buffer.from(dnsName)))));
  const signed = der(
    0x30,
    ...(host === undefined ? [] : [der(0xa0, der(0x02, Buffer.from([2])))]),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    der(0x30, time(from), time(to)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(host === undefined ? [] : [der(0xa3, der(0x30, subjectAltName(host)))]),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', signed, privateKey));
  const whole = der(0x30, signed, algorithm, signature);
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}
