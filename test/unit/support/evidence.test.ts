import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { keepEvidence, withEvidence } from '../../support/evidence.js';

describe('evidence of a test', () => {
  it('belongs to that test, though others run meanwhile', async () => {
    const test = (name: string) =>
      withEvidence(async () => {
        await nextTurn();
        keepEvidence(`began ${name}`);
        await nextTurn();
        keepEvidence(`ended ${name}`);
      });
    const [a, b] = await Promise.all([test('a'), test('b')]);
    expect(a).toEqual(['began a', 'ended a']);
    expect(b).toEqual(['began b', 'ended b']);
  });

  it('is bounded: the last texts, each cut', async () => {
    const texts = await withEvidence(async () => {
      for (let index = 0; index < 20; index++) keepEvidence(`${index} ${'x'.repeat(10_000)}`);
    });
    expect(texts).toHaveLength(8);
    expect(texts.map((text) => text.split(' ')[0])).toEqual(['12', '13', '14', '15', '16', '17', '18', '19']);
    expect(texts.every((text) => text.length === 6_000)).toBe(true);
  });
});
