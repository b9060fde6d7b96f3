import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipText, hasControlCharacters, printable, utf8Bytes } from '../../../../src/domain/text/text.js';

/** Any UTF-16 text, including halves of surrogate pairs. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xff_ff }), { maxLength: 300, size: 'max' })
  .map((units) => String.fromCharCode(...units));
const anyCharacters = fc.string({ unit: 'binary', maxLength: 300, size: 'max' });

const FORBIDDEN = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x20_0e, 0x20_0f],
  [0x20_28, 0x20_2e],
  [0x20_66, 0x20_69],
  [0xfe_ff, 0xfe_ff],
] as const;
const isForbidden = (character: string) =>
  FORBIDDEN.some(([first, last]) => {
    const code = character.codePointAt(0) ?? 0;
    return code >= first && code <= last;
  });

describe('printable', () => {
  it.each([
    ['ESC', '\u001b[2J', '\\u001b[2J'],
    ['a newline and a carriage return', 'drill\r\n SUCCEEDED', 'drill\\u000d\\u000a SUCCEEDED'],
    ['BEL, TAB, NUL, DEL', '\u0007\t\0\u007f', '\\u0007\\u0009\\u0000\\u007f'],
    ['the eight-bit CSI', '\u009b31m', '\\u009b31m'],
    ['a direction override', 'shop\u202Egnp.exe', 'shop\\u202egnp.exe'],
    ['direction isolates and marks', '\u2066a\u2069\u200e', '\\u2066a\\u2069\\u200e'],
    ['zero-width characters', 'a\u200bb\u200dc\ufeff', 'a\\u200bb\\u200dc\\ufeff'],
    ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['tag characters', 'a\u{e0041}', 'a\\u{e0041}'],
    ['an invisible filler', 'a\u3164b', 'a\\u3164b'],
    ['half a surrogate pair', 'a\ud83d', 'a\\ud83d'],
  ])('shows %s as an escape', (_what, text, shown) => {
    expect(printable(text)).toBe(shown);
    expect(hasControlCharacters(text)).toBe(true);
  });

  it.each([
    'Ausfall in Köln, 50 % · 3 € – “ok”',
    '警告：实例异常',
    'перезапуск',
    'नमस्ते',
    '🔥 ❤️ 👩🏽‍💻 👨‍👩‍👧',
    'a\\u001bb',
    '',
  ])('does not change %j', (text) => {
    expect(printable(text)).toBe(text);
    expect(hasControlCharacters(text)).toBe(false);
  });

  it('leaves no active, line-breaking or invisible character, and does not change its own output', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyCharacters), (text) => {
        const shown = printable(text);
        expect(hasControlCharacters(shown)).toBe(false);
        expect(Array.from(shown).filter(isForbidden)).toEqual([]);
        expect(printable(shown)).toBe(shown);
        expect(hasControlCharacters(text)).toBe(shown !== text);
      }),
    );
  });
});

describe('clipText', () => {
  it('shows the original length of a text that it cut', () => {
    expect(clipText('x'.repeat(250_000), 40)).toBe(`${'x'.repeat(21)} … (250000 bytes)`);
    expect(clipText('警'.repeat(100), 30)).toBe('警警警警 … (300 bytes)');
    expect(clipText('short', 5)).toBe('short');
  });

  it('keeps a limit that is shorter than its own mark', () => {
    expect(clipText('警警', 5)).toBe('警');
    expect(clipText('x', 0)).toBe('');
  });

  it('never returns more bytes than allowed, splits no character, and does not change text that fits', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyCharacters), fc.integer({ min: 0, max: 400 }), (text, maxBytes) => {
        const clipped = clipText(text, maxBytes);
        expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
        expect(Buffer.byteLength(clipped)).toBeLessThanOrEqual(maxBytes);
        if (Buffer.byteLength(text) <= maxBytes) expect(clipped).toBe(text);
        const kept = clipped === text ? text : clipped.replace(/ … \(\d+ bytes\)$/, '');
        expect(Array.from(text).slice(0, Array.from(kept).length).join('')).toBe(kept);
        expect(clipText(clipped, maxBytes)).toBe(clipped);
      }),
    );
  });
});
