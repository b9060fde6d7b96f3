/** How senders prove who they are. */
import { bearerToken, isOneOf } from '../../network/same-secret.js';
import type { Delivery, Refusal, RefusalReason } from './sender.js';

/** A refusal of a delivery. */
export function refused(status: Refusal['status'], reason: RefusalReason, what: string): Refusal {
  return { kind: 'refused', status, reason, what };
}

/** @throws Error when a sender has no secret, or an empty one: a missing secret never means "no check" */
export function requireSecrets(name: string, what: string, secrets: readonly string[]): void {
  if (secrets.length === 0 || secrets.includes(''))
    throw new Error(`the sender ${name} has no ${what}, or an empty one`);
}

/** @returns a check of the header Authorization. @throws Error without tokens */
export function bearerCheck(name: string, tokens: readonly string[]): (headers: Delivery['headers']) => Refusal | null {
  requireSecrets(name, 'token', tokens);
  return ({ authorization = '' }) =>
    isOneOf(bearerToken(authorization), tokens) ? null : refused(401, 'unauthorized', 'the token is missing or wrong');
}
