/** Compares secrets in a time that tells nothing about them. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether the given text is one of the expected ones; all are compared, of whatever length. An empty one is never right. */
export function isOneOf(given: string, expected: readonly string[]): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return expected.map((each) => each !== '' && timingSafeEqual(digest(given), digest(each))).includes(true);
}

/** @throws Error when a missing secret would have to mean something */
export function demandSecrets(name: string, what: string, secrets: readonly string[]): void {
  if (secrets.length === 0 || secrets.includes(''))
    throw new Error(`the sender ${name} has no ${what}, or an empty one`);
}
