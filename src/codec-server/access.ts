/** Which callers a codec server accepts. */
import type { Approvers } from '../approvers/approvers.js';
import { verifyToken } from '../approvers/verify-token.js';
import { bearerToken, isOneOf } from '../network/same-secret.js';

/** How callers prove who they are. With neither, everybody may. */
export interface AccessRules {
  /** Returns the bearer token that is accepted, when a request needs it: it may change. */
  readonly token?: (() => string) | undefined;
  /** Whose JSON Web Tokens are accepted. */
  readonly issuer?: Approvers | undefined;
  /** Roles of such a token that may; empty: every token of the issuer. */
  readonly roles?: readonly string[] | undefined;
}

/** Who a caller is, for the log, or why it is refused. */
export type Admission = { readonly actor: string } | { readonly status: 401 | 403; readonly why: string };

/** Judges the header Authorization of a request. */
export async function admit(
  { token, issuer, roles = [] }: AccessRules,
  authorization: string,
  nowMs: number,
): Promise<Admission> {
  if (token === undefined && issuer === undefined) return { actor: 'anybody' };
  const given = bearerToken(authorization);
  if (given === '') return { status: 401, why: 'the header Authorization has no bearer token' };
  if (token !== undefined && isOneOf(given, [token()])) return { actor: 'the bearer of the token' };
  if (issuer === undefined) return { status: 401, why: 'the token is wrong' };
  const proof = await verifyToken(issuer, given, nowMs);
  if (proof.kind === 'refused') return { status: 401, why: proof.why };
  if (roles.length > 0 && !proof.roles.some((role) => roles.includes(role)))
    return { status: 403, why: `${proof.actor} has none of the roles ${roles.join(', ')}` };
  return { actor: proof.actor };
}
