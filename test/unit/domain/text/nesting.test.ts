import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDepth, MOST_LEVELS, nestingProblem } from '../../../../src/domain/text/nesting.js';

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

describe('the depth of JSON', () => {
  it('is the depth of the value, as text and as UTF-8', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const json = JSON.stringify(value);
        expect(jsonDepth(json)).toBe(depthOf(value));
        expect(jsonDepth(Buffer.from(json))).toBe(depthOf(value));
      }),
    );
  });

  it('does not count brackets in texts', () => {
    expect(jsonDepth('{"a[[[": "]}\\"[[", "b\\\\": []}')).toBe(2);
  });

  it('is refused above 64, with the figure, even if the brackets are not closed', () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(nestingProblem(nested(MOST_LEVELS))).toBeNull();
    expect(nestingProblem(nested(50_000))).toBe('nested 50000 levels deep, and 64 are read');
    expect(nestingProblem('{"a":'.repeat(3_000_000))).toBe('nested 3000000 levels deep, and 64 are read');
  });
});
