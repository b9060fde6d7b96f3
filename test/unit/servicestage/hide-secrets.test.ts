import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hideSecrets } from '../../../src/servicestage/hide-secrets.js';

const SECRET = 'MIIsecret-"token"/<with>&all+of it=';

describe('a secret in text of others', () => {
  it.each([
    ['plain', SECRET],
    ['as JSON writes it', JSON.stringify(SECRET)],
    ['as a URL writes it', encodeURIComponent(SECRET)],
    ['as a URL writes it in small letters', encodeURIComponent(SECRET).replace(/%../g, (hex) => hex.toLowerCase())],
    [
      'as HTML writes it',
      SECRET.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    ],
    ['hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['hexadecimal in capitals', Buffer.from(SECRET).toString('hex').toUpperCase()],
    ['base64', Buffer.from(SECRET).toString('base64')],
    ['base64 for URLs', Buffer.from(SECRET).toString('base64url')],
  ])('is hidden, %s', (_form, written) => {
    expect(hideSecrets(`refused: ${written} (request 1)`, [SECRET])).toMatch(/^refused: "?\*\*\*"? \(request 1\)$/);
  });

  it('is hidden inside a longer text in base64, wherever it begins', () => {
    const secret = fc.string({ unit: 'grapheme-ascii', minLength: 12, maxLength: 60 });
    const around = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
    fc.assert(
      fc.property(
        around,
        secret,
        around,
        fc.constantFrom('base64' as const, 'base64url' as const),
        (before, hidden, after, form) => {
          const text = hideSecrets(`text ${Buffer.from(`${before}${hidden}${after}`).toString(form)}.`, [hidden]);
          expect(text).toBe('text ***.');
        },
      ),
    );
  });

  it('is hidden in one pass, however often it occurs', () => {
    const secret = 'A1b2'.repeat(16);
    // One pass takes a tenth of a second; a pass for each occurrence would exceed the time limit of a test by far.
    const times = 100_000;
    const echoed = `${Buffer.from(secret).toString('base64')} `.repeat(times);
    expect(hideSecrets(echoed, [secret]) === '*** '.repeat(times)).toBe(true);
  });

  it('leaves the rest as it is, and takes no time over long text', () => {
    const long = 'A'.repeat(4_000_000);
    expect(hideSecrets(long, [SECRET, ''])).toBe(long);
    expect(hideSecrets('nothing here', ['short'])).toBe('nothing here');
  });
});
