/** Values of options: they take what their help describes, and nothing else by chance. */
import { expect, it } from 'vitest';
import { integerBetween, moment } from '../../../src/cli/options.js';
import { requestFrom } from '../../../src/cli/run-request.js';

const NO_MOMENT = 'Write a date, a time or a duration.';

it.each([
  ['2026-12-24', '2026-12-24T00:00:00.000Z'],
  ['2026-12-24T18:00+01:00', '2026-12-24T17:00:00.000Z'],
  ['2026-12-24T18:00:00.500Z', '2026-12-24T18:00:00.500Z'],
])('takes %s for a moment', (text, expected) => {
  expect(new Date(moment('ahead', NO_MOMENT)(text)).toISOString()).toBe(expected);
});

it('counts a duration from now, back or forward', () => {
  const nowMs = Date.now();
  expect(moment('ago', NO_MOMENT)('1h')).toBeLessThanOrEqual(nowMs - 3_599_000);
  expect(moment('ahead', NO_MOMENT)('1h')).toBeGreaterThanOrEqual(nowMs + 3_600_000);
});

it.each(['5', 'May 2026', '2026-12-24T18:00', '2026-13-01', ''])('does not take %s for a moment', (text) => {
  expect(() => moment('ahead', NO_MOMENT)(text)).toThrow(NO_MOMENT);
});

it.each(['80.5', '0x50.', '-1', '65536', ''])('does not take %s for a port', (text) => {
  expect(() => integerBetween(0, 65_535)(text)).toThrow(/Write a/);
});

it('refuses an input that is given twice, and keeps one with any name', async () => {
  const target = ['shop/checkout/prod-1'];
  await expect(requestFrom({ target, input: ['version=1', 'version=2'] })).rejects.toMatchObject({
    problems: [{ place: '--input version=2', found: 'version is given twice' }],
  });
  const { inputs } = await requestFrom({ target, input: ['__proto__=1', 'a=b=c'] });
  expect(Object.entries(inputs)).toEqual([
    ['__proto__', '1'],
    ['a', 'b=c'],
  ]);
});
