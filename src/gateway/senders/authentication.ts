/** How senders prove who they are: secrets compared in constant time, and bearer tokens. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Delivery, Refusal, RefusalReason } from './sender.js';

/** A refusal of a delivery. */
export function refused(status: Refusal['status'], reason: RefusalReason, what: string): Refusal {
  return { kind: 'refused', status, reason, what };
}

/** True if the text is one of the expected ones. Compares all of them, in constant time; an empty one never matches. */
export function isOneOf(given: string, expected: readonly string[]): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return expected.map((each) => each !== '' && timingSafeEqual(digest(given), digest(each))).includes(true);
}

/** @throws Error when a sender has no secret, or an empty one: a missing secret never means "no check" */
export function requireSecrets(name: string, what: string, secrets: readonly string[]): void {
  if (secrets.length === 0 || secrets.includes(''))
    throw new Error(`the sender ${name} has no ${what}, or an empty one`);
}

/** RFC 6750; the scheme in any case. */
const BEARER = /^Bearer +(\S+)$/i;

/** @returns a check of the header Authorization. @throws Error without tokens */
export function bearerCheck(name: string, tokens: readonly string[]): (headers: Delivery['headers']) => Refusal | null {
  requireSecrets(name, 'token', tokens);
  return ({ authorization = '' }) => {
    const [, token = ''] = BEARER.exec(authorization) ?? [];
    return isOneOf(token, tokens) ? null : refused(401, 'unauthorized', 'the token is missing or wrong');
  };
}
