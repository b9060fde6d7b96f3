import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeTime } from '../../../../src/domain/time/utc-time.js';

it('writes what Date writes, to the second, in every year of four digits', () => {
  const times = fc.integer({ min: Date.UTC(1, 0, 1) - 62_135_596_800_000, max: Date.UTC(9999, 11, 31, 23, 59, 59) });
  fc.assert(
    fc.property(times, (ms) => {
      fc.pre(ms >= -62_135_596_800_000);
      expect(describeTime(ms)).toBe(`${new Date(ms).toISOString().slice(0, 19)}Z`);
    }),
  );
});
