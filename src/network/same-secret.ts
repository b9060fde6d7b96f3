/** Secrets that somebody presents: read from a header, and compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** True if the text is one of the expected ones. Compares all of them, in constant time; an empty one never matches. */
export function isOneOf(given: string, expected: readonly string[]): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return expected.map((each) => each !== '' && timingSafeEqual(digest(given), digest(each))).includes(true);
}

/** RFC 6750; the scheme in any case. */
const BEARER = /^Bearer +(\S+)$/i;

/** The token of a header Authorization; empty if it has none. */
export function bearerToken(authorization: string): string {
  return BEARER.exec(authorization)?.[1] ?? '';
}
