import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipped, clippedSummary, jsonBytes } from '../../../../src/domain/text/json-bytes.js';

const anyText = fc.string({ unit: 'binary', maxLength: 400, size: 'max' });

describe('a text', () => {
  it('is as long as its JSON in UTF-8', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(jsonBytes(text)).toBe(Buffer.byteLength(JSON.stringify(text)));
      }),
    );
  });

  it('is clipped to bytes, at the end of a character, and as late as possible', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 300 }), (text, longest) => {
        const kept = clipped(text, longest);
        expect(text.startsWith(kept)).toBe(true);
        expect(jsonBytes(kept)).toBeLessThanOrEqual(longest);
        const next = Array.from(text).slice(0, Array.from(kept).length + 1);
        if (kept !== text) expect(jsonBytes(next.join(''))).toBeGreaterThan(longest);
        expect(Array.from(text).slice(0, Array.from(kept).length).join('')).toBe(kept);
      }),
    );
  });

  it('of a summary has at most 200 bytes, whatever its characters', () => {
    expect(clippedSummary('警'.repeat(200))).toBe('警'.repeat(66));
    expect(clippedSummary('restart on shop/checkout/prod-1')).toBe('restart on shop/checkout/prod-1');
  });
});
