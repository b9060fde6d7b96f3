/** The list of targets in the search attribute always fits, and finds every target. */
import { SearchAttributeType, TypedSearchAttributes, defineSearchAttributeKey } from '@temporalio/common';
import { encodeUnifiedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isListed, listedTargets, namesOfTarget } from '../../../../src/domain/run/listed-targets.js';

const KEY = defineSearchAttributeKey('RunbookTarget', SearchAttributeType.KEYWORD_LIST);

/** The size as the SDK sends it, which the server counts against its limit of 2,048. */
function bytesSent(value: string[]): number {
  const { RunbookTarget } = encodeUnifiedSearchAttributes(undefined, new TypedSearchAttributes([{ key: KEY, value }]));
  return RunbookTarget?.data?.length ?? Infinity;
}

const long = (index: number) =>
  `customer-relationship-management-prod-eu/payment-authorisation-and-settlement-api/payment-authorisation-green-zone-a-${index}`;
const part = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 90 }),
  fc.string({ unit: fc.constantFrom('𝒜', '警', '"', '\u0001', 'a'), minLength: 1, maxLength: 200 }),
);
const paths = fc.uniqueArray(
  fc.tuple(part, part, part).map((parts) => parts.join('/')),
  { minLength: 1, maxLength: 100, size: 'max' },
);

describe('the list of targets in the search attribute', () => {
  it('contains the unchanged paths if they fit', () => {
    expect(listedTargets(['shop/checkout/prod-1', 'a/b/c'])).toEqual(['shop/checkout/prod-1', 'a/b/c']);
  });

  it('contains as many paths as fit, then short keys, and a mark', () => {
    const given = Array.from({ length: 20 }, (_item, index) => long(index + 10));
    const list = listedTargets(given);
    const whole = list.filter((item) => given.includes(item));
    expect(whole).toEqual(given.slice(0, whole.length));
    expect(whole.length).toBeGreaterThan(10);
    expect(list.slice(whole.length, 20).every((key) => /^#[0-9a-z]{11}$/.test(key))).toBe(true);
    expect(list[20]).toBe(`+${20 - whole.length} more`);
    expect(list).toHaveLength(21);
  });

  it('contains a key for a path that is too long for an index', () => {
    const path = `a/b/${'c'.repeat(300)}`;
    expect(listedTargets([path, 'a/b/d'])).toEqual(['a/b/d', expect.stringMatching(/^#/), '+1 more']);
    expect(isListed(listedTargets([path, 'a/b/d']), path)).toBe(true);
  });

  it('fits, and names exactly the targets, whatever the paths are', () => {
    fc.assert(
      fc.property(paths, (given) => {
        const list = listedTargets(given);
        expect(bytesSent(list)).toBeLessThanOrEqual(2_048);
        for (const path of given) {
          expect(isListed(list, path)).toBe(true);
          expect(namesOfTarget(path).some((name) => list.includes(name))).toBe(true);
        }
        for (const item of list) expect(item.length).toBeLessThanOrEqual(255);
        expect(isListed(list, `${given[0]}x`)).toBe(given.includes(`${given[0]}x`));
      }),
    );
  });

  it('contains different keys for paths that differ in one character', () => {
    const keys = Array.from({ length: 20_000 }, (_item, index) => namesOfTarget(`shop/checkout/prod-${index}`)[1]);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
