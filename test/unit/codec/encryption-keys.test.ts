/** What a file of keys may hold. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readEncryptionKeys } from '../../../src/codec/encryption-keys.js';

const key = () => randomBytes(32).toString('base64');

describe('a file of keys', () => {
  it('has a key in each line, comments and empty lines', () => {
    const keys = readEncryptionKeys(`# newest first\r\n\r\n2026-11  ${key()}\r\n\t2026-05 ${key()} \n`);
    if (typeof keys === 'string') throw new Error(keys);
    expect(keys.active.id).toBe('2026-11');
    expect([...keys.byId.keys()]).toEqual(['2026-11', '2026-05']);
  });

  it.each([
    ['', 'it has no key'],
    ['# only a comment', 'it has no key'],
    ['2026-11', 'line 1 is not a key id and a key, with a space between them'],
    [`\n2026-11 ${key()} more`, 'line 2 is not a key id and a key, with a space between them'],
    [`-a ${key()}`, 'line 1 begins with no key id: up to 64 letters, digits, dots, hyphens and underscores'],
    [
      `${'a'.repeat(65)} ${key()}`,
      'line 1 begins with no key id: up to 64 letters, digits, dots, hyphens and underscores',
    ],
    ['a *secret*', 'line 1 has a key "a" that is not base64'],
    [`a ${randomBytes(16).toString('base64')}`, 'line 1 has a key "a" of 16 bytes instead of 32'],
    [`a ${randomBytes(32).toString('hex')}`, 'line 1 has a key "a" of 48 bytes instead of 32'],
    [`a ${Buffer.alloc(32).toString('base64')}`, 'line 1 has a key "a" that is one byte repeated'],
    [`a ${key()}\nb ${key()}\na ${key()}`, 'line 3 has the key id "a" again'],
    [Array.from({ length: 1_001 }, (_, index) => `k${index} ${key()}`).join('\n'), 'it has more than 1000 keys'],
  ])('is refused, without showing a key: %#', (text, why) => {
    expect(readEncryptionKeys(text)).toBe(why);
  });
});
