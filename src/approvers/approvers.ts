/** Whose signatures count for approvals: the value of `RUNBOOK_APPROVERS`. Nothing is fetched: the keys are in the value or in a file. */
import { resolve } from 'node:path';
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';

/** Only signatures with a public key. With a shared secret every worker could sign, and with `none` anybody. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const claim = z.string().min(1).max(200);
const publicKey = z
  .looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']) })
  .refine((key) => !('d' in key), 'it is a private key: give the public one');
const keySet = z.object({ keys: z.array(publicKey).min(1).max(50) });

const Shape = z.strictObject({
  issuer: z.string().min(1).max(200),
  audience: z.string().min(1).max(200),
  jwks: z.union([keySet, z.string().min(1)]),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'ES256']),
  actorClaim: claim.default('sub'),
  rolesClaim: claim.default('roles'),
  roles: z.record(z.string().min(1), z.string().min(1)).optional(),
  planClaim: claim.optional(),
});

/** The public keys, or the file that has them. */
type KeySource = { readonly keys: JSONWebKeySet } | { readonly file: string };

/** An issuer of tokens that is trusted, and how to read its tokens. */
export interface Approvers extends Omit<z.infer<typeof Shape>, 'jwks'> {
  /** Public keys, or the file that has them, which is read for each token: a new key needs no restart. */
  readonly jwks: KeySource;
}

/** @param folder to which the path of the key file is relative @returns what is wrong, as text */
export function readApprovers(text: string, folder: string): Approvers | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  const { success, data, error } = Shape.safeParse(value);
  if (!success)
    return error.issues.map(({ path, message }) => `${path.join('.') || 'the value'}: ${message}`).join('; ');
  const { jwks, ...rest } = data;
  if (typeof jwks !== 'string') return { ...rest, jwks: { keys: jwks } };
  if (/^\w+:\/\//.test(jwks)) return 'jwks: keys are not fetched: save them to a file and name that';
  return { ...rest, jwks: { file: resolve(folder, jwks) } };
}

/** @returns what is wrong with a file of keys, as text, or the keys */
export function readKeys(text: string): JSONWebKeySet | string {
  try {
    const { success, data } = keySet.safeParse(JSON.parse(text));
    return success ? data : 'it is not a set of public keys ({"keys": […]})';
  } catch {
    return 'it is not JSON';
  }
}
