import { expect, it } from 'vitest';
import { describeTime } from '../../../../src/domain/time/utc-time.js';

it.each([
  [Date.UTC(2026, 11, 1, 2, 30), '2026-12-01T02:30:00Z'],
  [Date.UTC(2028, 1, 29, 23, 59, 59) + 999.9, '2028-02-29T23:59:59Z'],
  [-1, '1969-12-31T23:59:59Z'],
  [0, '1970-01-01T00:00:00Z'],
])('%d is %s', (ms, text) => {
  expect(describeTime(ms)).toBe(text);
});

it.each([Infinity, -Infinity, NaN, 8.64e15 + 1])('%d is not a valid time, but does not throw', (ms) => {
  expect(describeTime(ms)).toBe('an unknown time');
});
