/** A certificate that nobody trusts, made on the spot so that no private key lies in the repository. */
import { generateKeyPairSync, sign } from 'node:crypto';

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 128 ? Buffer.from([body.length]) : Buffer.from([0x82, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

/** X.509 version 1, without names, signed with its own P-256 key (RFC 5280). */
export function selfSigned(): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  const time = (text: string) => der(0x17, Buffer.from(text));
  const noName = der(0x30);
  const signed = der(
    0x30,
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    noName,
    der(0x30, time('200101000000Z'), time('491231235959Z')),
    noName,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', signed, privateKey));
  const certificate = der(0x30, signed, ecdsaWithSha256, signature);
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}
