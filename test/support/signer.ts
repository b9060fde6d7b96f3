/** An identity provider for tests: a key pair, the configuration that trusts it, and tokens with any claims. */
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { readApprovers, type Approvers } from '../../src/approvers/approvers.js';

export const ISSUER = 'https://login.example.test/';
export const AUDIENCE = 'runbooks';

export interface Signer {
  /** As `RUNBOOK_APPROVERS` has it. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** @param header changes of the header, such as another key */
  sign(claims: JWTPayload, header?: Readonly<Record<string, string>>): Promise<string>;
}

export async function newSigner(): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
  return {
    settings: {
      issuer: ISSUER,
      audience: AUDIENCE,
      jwks: { keys: [key] },
      actorClaim: 'email',
      rolesClaim: 'realm_access.roles',
    },
    sign: (claims, header = {}) =>
      new SignJWT({ iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1_000) + 300, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
        .sign(privateKey),
  };
}

export function approversOf(settings: object): Approvers {
  const read = readApprovers(JSON.stringify(settings), '/');
  if (typeof read === 'string') throw new Error(read);
  return read;
}
