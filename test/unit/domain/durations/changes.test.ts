import { describe, expect, it } from 'vitest';
import { Changes, type Change } from '../../../../src/domain/durations/changes.js';
import { bimodal, drawn, fineLaw, lawsAround, lognormal, seeded, type TrueLaw } from './simulation.js';

const laws = lawsAround(20_000);
const KNOWN = 40;

/** Each end is known to a tenth of its age. @returns the changes, each with the number of the end that completed it */
function changesOf(law: TrueLaw, durationsMs: readonly number[]): { readonly at: number; readonly change: Change }[] {
  const changes = new Changes();
  const known = fineLaw(law, 96);
  return durationsMs.flatMap((ms, at) => {
    const change = changes.after(known, 0.95 * ms, 1.05 * ms, KNOWN);
    return change === null ? [] : [{ at, change }];
  });
}

describe('a change of durations', () => {
  it('is noticed within ten ends if all are half or twice as long', () => {
    for (const name of ['uniform ±10 %', 'lognormal 0.1', 'lognormal 0.3', '10 % fail fast'])
      for (const times of [0.5, 2]) {
        const law = laws[name] ?? (() => 0);
        const ends = drawn((share) => times * law(share), 10, seeded(3));
        expect(changesOf(law, ends), `${name} × ${times}`).not.toEqual([]);
      }
  });

  it('is noticed from ends that are known only to come before the first poll', () => {
    const changes = new Changes();
    const known = fineLaw(laws['uniform ±10 %'] ?? (() => 0), 96);
    const after = Array.from({ length: 12 }, () => changes.after(known, 0, 19_500, KNOWN));
    expect(after.find((change) => change !== null)?.times).toBeLessThan(1);
  });

  it('is noticed after three ends where hardly any job ends, whatever became of the durations', () => {
    const law = lognormal(20_000, 0.1);
    expect(changesOf(law, [1_000, 90_000, 1_000])).toEqual([{ at: 2, change: { newest: 3, times: 1 } }]);
  });

  it('is hardly ever seen where there is none', () => {
    for (const [name, law] of Object.entries(laws)) {
      const found = changesOf(law, drawn(law, 1_000, seeded(11)));
      expect(found.length, name).toBeLessThanOrEqual(10);
    }
  });

  it('is not seen in one tenth that fails fast, nor once the evidence was cleared', () => {
    const law = bimodal(0.1, lognormal(1_000, 0.2), lognormal(20_000, 0.1));
    const ends = Array.from({ length: 40 }, (_, job) => (job % 10 === 0 ? 1_000 : 20_000));
    expect(changesOf(law, ends)).toEqual([]);
    const changes = new Changes();
    const known = fineLaw(law, 96);
    for (let job = 0; job < 20; job++) {
      expect(changes.after(known, 4_000, 4_100, KNOWN)).toBeNull();
      changes.clear();
    }
  });
});
