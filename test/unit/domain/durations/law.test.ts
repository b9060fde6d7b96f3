import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateLaw, type EndWithin } from '../../../../src/domain/durations/estimate.js';
import { endedByAge, lawOf, quantileMs, type Law } from '../../../../src/domain/durations/law.js';
import { expected, nextPollMs, planPolls, planWithin } from '../../../../src/domain/durations/polls.js';
import {
  drawn,
  evenly,
  fineLaw,
  floorMs,
  followPlanned,
  lawsAround,
  lognormal,
  seeded,
  summary,
} from './simulation.js';

const between = (fromMs: number, toMs: number, weight = 1): EndWithin => ({ fromMs, toMs, weight });
const running = (fromMs: number, weight = 1): EndWithin => between(fromMs, Number.POSITIVE_INFINITY, weight);

describe('the estimate of a law', () => {
  it('places jobs seen only by wide polls where narrow polls saw others', () => {
    const law = estimateLaw([
      ...Array.from({ length: 10 }, () => between(0, 22_000)),
      ...Array.from({ length: 10 }, () => between(19_900, 20_100)),
    ]);
    expect(quantileMs(law, 0.4)).toBeGreaterThan(19_000);
    expect(quantileMs(law, 0.6)).toBeLessThan(20_500);
  });

  it('moves beyond the ends if many running jobs are older than these', () => {
    const ends = Array.from({ length: 8 }, () => between(900, 1_000));
    expect(endedByAge(estimateLaw(ends), 1_200)).toBeGreaterThan(0.9);
    expect(endedByAge(estimateLaw([...ends, running(2_000, 72)]), 1_200)).toBeLessThan(0.15);
  });

  it('is near the truth for polls every tenth of the duration', () => {
    const truth = lognormal(20_000, 0.3);
    const ends = drawn(truth, 64, seeded(3)).map((ms) =>
      between(Math.floor(ms / 2_000) * 2_000, Math.ceil(ms / 2_000) * 2_000),
    );
    const law = estimateLaw(ends);
    for (const share of [0.25, 0.5, 0.75])
      expect(Math.abs(quantileMs(law, share) / truth(share) - 1)).toBeLessThan(0.12);
  });

  it('is a distribution that excludes nothing, whatever was seen', () => {
    const end = fc
      .tuple(fc.integer({ min: 0, max: 3_600_000 }), fc.integer({ min: 0, max: 3_600_000 }), fc.boolean())
      .map(([fromMs, widthMs, ended]) => (ended ? between(fromMs, fromMs + widthMs) : running(fromMs)));
    fc.assert(
      fc.property(fc.array(end, { minLength: 1, maxLength: 64 }), (ends) => {
        const { agesMs, endedBy } = estimateLaw([...ends, between(1_000, 2_000)]);
        const last = endedBy.length - 1;
        for (let index = 1; index <= last; index++) {
          expect(agesMs[index]).toBeGreaterThanOrEqual(agesMs[index - 1] ?? 0);
          expect(endedBy[index]).toBeGreaterThanOrEqual(endedBy[index - 1] ?? 0);
        }
        expect(endedBy[last]).toBeGreaterThan(0.001);
        expect(endedBy[last]).toBeLessThan(1);
      }),
    );
  });
});

describe('planned polls', () => {
  /** Cost of polls at exactly these cells; the last poll is at the end of the law. */
  function cost({ agesMs, endedBy }: Law, polls: readonly number[], priceMs: number): number {
    let sum = 0;
    let from = 0;
    for (const to of polls) {
      for (let cell = from; cell < to; cell++) {
        const mass = (endedBy[cell + 1] ?? 0) - (endedBy[cell] ?? 0);
        sum += mass * ((agesMs[to] ?? 0) - ((agesMs[cell] ?? 0) + (agesMs[cell + 1] ?? 0)) / 2);
      }
      sum += priceMs * (1 - (endedBy[from] ?? 0));
      from = to;
    }
    return sum;
  }

  it('cost no more than any other polls: all choices of few cells are tried', () => {
    const cells = fc.array(
      fc.record({ widthMs: fc.integer({ min: 1, max: 50 }), mass: fc.integer({ min: 0, max: 20 }) }),
      {
        minLength: 2,
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(cells, fc.integer({ min: 1, max: 60 }), (parts, priceMs) => {
        const total = parts.reduce((sum, { mass }) => sum + mass, 0);
        fc.pre(total > 0);
        const agesMs = new Float64Array(parts.length + 1);
        const endedBy = new Float64Array(parts.length + 1);
        for (const [index, { widthMs, mass }] of parts.entries()) {
          agesMs[index + 1] = (agesMs[index] ?? 0) + widthMs;
          endedBy[index + 1] = (endedBy[index] ?? 0) + mass / total;
        }
        const law = { agesMs, endedBy, knownMs: agesMs.at(-1) ?? 0 };
        const inner = parts.length - 1;
        const all = Array.from({ length: 2 ** inner }, (_, choice) => [
          ...Array.from({ length: inner }, (_, bit) => bit + 1).filter((cell) => (choice >> (cell - 1)) & 1),
          parts.length,
        ]);
        const least = Math.min(...all.map((polls) => cost(law, polls, priceMs)));
        expect(planPolls(law, priceMs).costMs[0]).toBeCloseTo(least, 6);
      }),
      { numRuns: 200 },
    );
  });

  it('of a sharp law is one, and of a spread law as many as may be', () => {
    const sharp = planWithin(lawOf([{ fromMs: 19_950, toMs: 20_000, mass: 1 }]), 2.4, 80);
    expect(expected(sharp).polls).toBeCloseTo(1, 2);
    expect(nextPollMs(sharp, 0)).toBeCloseTo(20_000, 0);
    const spread = expected(planWithin(lawOf([{ fromMs: 10_000, toMs: 30_000, mass: 1 }]), 2.4, 80));
    expect(spread.polls).toBeGreaterThan(2.2);
    expect(spread.polls).toBeLessThanOrEqual(2.4);
  });

  it('come within 1.15 times the floor if the law is known', () => {
    for (const [name, law] of Object.entries(lawsAround(20_000))) {
      const plan = planWithin(fineLaw(law, 96), 2.4, 80);
      const { polls, latenessMs } = summary(evenly(law, 500).map((durationMs) => followPlanned(plan, durationMs)));
      expect(polls, name).toBeLessThanOrEqual(2.5);
      expect(latenessMs, name).toBeLessThanOrEqual(1.15 * floorMs(fineLaw(law, 200), polls) + 20);
    }
  });
});
