import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Durations, type JobKind } from '../../../../src/domain/durations/durations.js';
import { plainPollMs } from '../../../../src/domain/durations/plain-rule.js';
import { FEWEST_JOBS } from '../../../../src/domain/plan/usual.js';
import {
  afterLearning,
  bimodal,
  drawn,
  fineLaw,
  floorMs,
  follow,
  followInTurn,
  KIND,
  lawsAround,
  lognormal,
  plain,
  seeded,
  summary,
  uniform,
} from './simulation.js';

const otherComponent: JobKind = { ...KIND, componentId: 'c2' };
const began = { polls: 0, followedForMs: 0, ageMs: 0, lastRunningAtMs: null };
const laws = lawsAround(20_000);

function learned(durationsMs: readonly number[], kind = KIND): Durations {
  const durations = new Durations();
  for (const [job, ms] of durationsMs.entries())
    durations.ended(kind, `${kind.componentId}-${job}`, { runningAtMs: ms - 200, endedByMs: ms });
  return durations;
}

describe('while nothing is known', () => {
  it('a job is polled exactly by the plain rule, whatever its law', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(laws)),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (law, share) => {
          const durationMs = law(share);
          expect(follow([durationMs], { durations: new Durations() })).toEqual([plain(durationMs)]);
        },
      ),
    );
  });

  it('no job of many at once is polled more often than by the plain rule, and half of them are not seen later', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('constant', 'uniform ±10 %', 'lognormal 0.1'),
        fc.constantFrom(20, 100, 500),
        fc.integer({ min: 1, max: 1_000 }),
        (name, jobs, seed) => {
          const durationsMs = drawn(laws[name] ?? (() => 0), jobs, seeded(seed));
          const followed = follow(durationsMs, { durations: new Durations(), callMs: 20 });
          for (const { durationMs, polls, latenessMs } of followed)
            expect(plainPollMs(polls - 1)).toBeLessThanOrEqual(durationMs + latenessMs);
          const ours = summary(followed);
          const plainly = summary(durationsMs.map((ms) => plain(ms, 20)));
          expect(ours.polls).toBeLessThanOrEqual(plainly.polls);
          if (jobs === 500) expect(ours.polls).toBeLessThan(plainly.polls / 2);
          expect(ours.latenessShareP50).toBeLessThanOrEqual(plainly.latenessShareP50 * 1.1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('500 jobs of 20 s at once need under three polls each', () => {
    const { polls, latenessShareP50 } = summary(
      follow(
        Array.from({ length: 500 }, () => 20_000),
        { durations: new Durations(), callMs: 20 },
      ),
    );
    expect(polls).toBeLessThan(3);
    expect(latenessShareP50).toBeLessThanOrEqual(plain(20_000, 20).latenessMs / 20_000);
  });

  it('a poll an age that eight others have passed is skipped, and not once one has ended', () => {
    const durations = new Durations();
    for (let job = 0; job < 8; job++) durations.running(KIND, `running-${job}`, 11_400);
    const asking = { polls: 3, followedForMs: 800, ageMs: 800, lastRunningAtMs: 475 };
    expect(durations.nextPollAtMs(KIND, asking)).toBeGreaterThan(11_400);
    for (let job = 0; job < 8; job++) durations.dropped(KIND, `running-${job}`);
    expect(durations.nextPollAtMs(KIND, asking)).toBe(plainPollMs(3));
  });
});

describe('what was learned', () => {
  it('brings lateness within 1.4 times the floor after 30 jobs, with at most 2.5 polls', () => {
    for (const name of ['uniform ±10 %', 'lognormal 0.1', 'lognormal 0.3', '10 % fail fast', 'heavy tail (0.8)']) {
      const law = laws[name] ?? (() => 0);
      const { polls, latenessMs } = summary(afterLearning(law, 30, 20, () => new Durations()));
      expect(polls, name).toBeLessThanOrEqual(2.5);
      expect(latenessMs / floorMs(fineLaw(law, 200), polls), name).toBeLessThanOrEqual(1.4);
    }
  });

  it('is sharp for a constant and late by less than 5 % for ±10 %', () => {
    for (const name of ['constant', 'uniform ±10 %', 'lognormal 0.1']) {
      const law = laws[name] ?? (() => 0);
      const { polls, latenessShareP50 } = summary(afterLearning(law, 100, 5, () => new Durations()));
      expect(polls, name).toBeLessThanOrEqual(2.5);
      expect(latenessShareP50, name).toBeLessThanOrEqual(name === 'constant' ? 0.01 : 0.05);
    }
  });

  it('is not fooled by a few jobs that fail fast', () => {
    for (const share of [0.05, 0.2]) {
      const law = bimodal(share, lognormal(1_000, 0.2), lognormal(20_000, 0.1));
      const slow = afterLearning(law, 60, 10, () => new Durations()).filter(({ durationMs }) => durationMs > 5_000);
      expect(summary(slow).polls).toBeLessThanOrEqual(3);
      expect(summary(slow).latenessShareP50).toBeLessThanOrEqual(0.08);
    }
  });

  it('follows a drift to half or twice the duration within 20 jobs', () => {
    const drifting = {
      'uniform ±10 %': (ms: number) => uniform(ms, 0.1),
      'lognormal 0.3': (ms: number) => lognormal(ms, 0.3),
      '10 % fail fast': (ms: number) => bimodal(0.1, lognormal(ms * 0.05, 0.2), lognormal(ms, 0.1)),
    };
    for (const [name, lawOf] of Object.entries(drifting))
      for (const times of [0.5, 2]) {
        const after = Array.from({ length: 6 }, (_, seed) => {
          const random = seeded(seed + 1);
          const durations = new Durations();
          followInTurn(drawn(lawOf(20_000), 60, random), { durations });
          return followInTurn(drawn(lawOf(20_000 * times), 40, random), { durations }).slice(20);
        }).flat();
        const { polls, latenessMs } = summary(after);
        const settled = summary(afterLearning(lawOf(20_000 * times), 60, 3, () => new Durations()));
        expect(polls, name).toBeLessThanOrEqual(3.5);
        expect(latenessMs, `${name} × ${times}`).toBeLessThanOrEqual(1.6 * settled.latenessMs);
      }
  });

  it('poll once at a job that is taken over after its usual duration', () => {
    const durations = learned(Array.from({ length: 10 }, () => 20_000));
    expect(durations.nextPollAtMs(KIND, { polls: 0, followedForMs: 150, ageMs: 60_000, lastRunningAtMs: null })).toBe(
      60_000,
    );
    const takenOver = { polls: 0, followedForMs: 0, ageMs: 60_000, lastRunningAtMs: null };
    expect(durations.nextPollAtMs(KIND, takenOver)).toBe(60_000 + plainPollMs(0));
  });

  it('never polls before the plain rule does for that number of polls', () => {
    const durations = learned(Array.from({ length: 20 }, (_, job) => 100 + 10 * job));
    for (let polls = 0; polls < 30; polls++)
      expect(durations.nextPollAtMs(KIND, { ...began, polls, lastRunningAtMs: null })).toBeGreaterThanOrEqual(
        plainPollMs(polls),
      );
  });

  it('polls more and more rarely at a job that takes longer than all others', () => {
    const durations = learned(Array.from({ length: 20 }, () => 2_000));
    const [job] = follow([3_600_000], { durations });
    expect(job?.polls).toBeLessThan(70);
    expect(job?.latenessMs).toBeLessThan(360_000);
  });

  it('counts a cloud job once', () => {
    const durations = learned([1_000, 2_000]);
    durations.ended(KIND, 'c1-0', { runningAtMs: 0, endedByMs: 1_000 });
    expect(durations.usual(KIND)).toBeNull();
  });
});

describe('the usual duration', () => {
  it('is a component’s own with enough ends, else that of all components of the action', () => {
    const durations = learned(Array.from({ length: 8 }, () => 20_000));
    const usual = durations.usual(KIND);
    expect(usual).toMatchObject({ jobs: 8, from: 'component' });
    expect(usual?.p50Ms).toBeGreaterThan(19_000);
    expect(usual?.p90Ms).toBeLessThan(23_000);
    expect(durations.usual(otherComponent)).toMatchObject({ jobs: 8, from: 'action' });
    expect(durations.usual({ ...KIND, action: 'stop' })).toBeNull();
  });
});

it('is not forgotten because plans ask for the durations of a thousand other components', () => {
  const durations = learned(Array.from({ length: 8 }, () => 20_000));
  for (let component = 0; component < 1_001; component++) {
    durations.usual({ ...KIND, componentId: `asked-${component}` });
    durations.version({ ...KIND, componentId: `asked-${component}` });
  }
  expect(durations.usual(KIND)).toMatchObject({ from: 'component' });
});

describe('the version', () => {
  it('grows with ends that may bring a poll forward, and rarely in a burst', () => {
    const durations = new Durations();
    const versions = new Set([durations.version(KIND)]);
    for (let job = 0; job < 500; job++) {
      durations.running(KIND, `burst-${job}`, 10_000);
    }
    for (let job = 0; job < 500; job++) {
      durations.ended(KIND, `burst-${job}`, { runningAtMs: 10_000, endedByMs: 12_000 + job });
      versions.add(durations.version(KIND));
    }
    expect(versions.size).toBeGreaterThan(4);
    expect(versions.size).toBeLessThan(150);
  });
});

describe('what others show', () => {
  const hanging = (durations: Durations, ageMs: number, kind = KIND) => {
    for (let job = 0; job < 8; job++) durations.running(kind, `hanging-${job}`, ageMs);
  };

  it('puts off no first poll beyond 40 s, nor a later one beyond twice the age: eight that hang say little', () => {
    const durations = new Durations();
    hanging(durations, 3_600_000);
    const first = durations.nextPollAtMs(otherComponent, { ...began, cloudJobId: 'J' });
    expect(first).toBeGreaterThanOrEqual(20_000);
    expect(first).toBeLessThanOrEqual(46_000);
    const seen = { polls: 1, followedForMs: 30_000, ageMs: 30_000, lastRunningAtMs: 30_000, cloudJobId: 'J' };
    expect(durations.nextPollAtMs(otherComponent, seen)).toBeLessThanOrEqual(66_000);
  });

  it('keeps a job that began a moment later from no poll of its own while they hang', () => {
    const durations = new Durations();
    let [nowMs, polledAtMs] = [0, 0];
    for (; polledAtMs === 0 && nowMs < 600_000; nowMs += 1_000) {
      hanging(durations, nowMs + 15_000);
      const job = { ...began, followedForMs: nowMs, ageMs: nowMs, cloudJobId: 'J' };
      if (durations.nextPollAtMs(KIND, job) <= nowMs) polledAtMs = nowMs;
    }
    expect(polledAtMs).toBeGreaterThan(0);
    expect(polledAtMs).toBeLessThanOrEqual(46_000);
  });

  it('of slow components does not let the first job of a fast one wait for their durations', () => {
    const durations = learned(Array.from({ length: 30 }, (_, job) => 1_200_000 + 1_000 * job));
    expect(durations.nextPollAtMs(otherComponent, { ...began, cloudJobId: 'J' })).toBeLessThanOrEqual(40_000);
    expect(durations.nextPollAtMs(KIND, { ...began, cloudJobId: 'J' })).toBeGreaterThan(500_000);
  });
});

describe('a cloud job that is followed again after its end was seen', () => {
  it('is not in flight for ever', () => {
    const durations = new Durations();
    for (let job = 0; job < 8; job++) {
      const id = `job-${job}`;
      const end = { runningAtMs: 0, endedByMs: 2 };
      durations.ended(otherComponent, id, end);
      durations.nextPollAtMs(otherComponent, { ...began, cloudJobId: id });
      durations.running(otherComponent, id, 600_000);
      durations.ended(otherComponent, id, end);
    }
    // The eight would be ahead of it.
    expect(durations.nextPollAtMs({ ...KIND, action: otherComponent.action }, { ...began })).toBeLessThan(1_000);
  });
});

describe('figures that decide', () => {
  it('are not of an age that no cloud job can have: the law stays a number', () => {
    const durations = new Durations();
    for (const [job, endedByMs] of [Number.MAX_VALUE, 1e200, Number.NaN, 8 * 86_400_000].entries())
      durations.ended(KIND, `forged-${job}`, { runningAtMs: 0, endedByMs });
    expect(durations.usual(KIND)).toBeNull();
    expect(durations.nextPollAtMs(KIND, began)).toBe(plainPollMs(0));
  });

  it('are not of a span without width, as by a worker whose clock is behind: the law stays a number', () => {
    const durations = new Durations();
    const spans = [
      [1_000, 1_000],
      [53_215, 53_215],
      [53_181, 53_181],
      [0, 0],
      [-1, 5],
      [Number.NaN, 5],
    ] as const;
    for (const [job, [runningAtMs, endedByMs]] of spans.entries())
      durations.ended(KIND, `job-${job}`, { runningAtMs, endedByMs });
    expect(durations.usual(KIND)).toBeNull();
    expect(durations.nextPollAtMs(KIND, began)).toBe(plainPollMs(0));
  });

  it('come from the jobs since the law changed: three slow ones after fifty are three', () => {
    const durations = new Durations();
    for (let job = 0; job < 53; job++) {
      durations.usual(KIND);
      const ms = job < 50 ? 20_000 + 10 * job : 200_000;
      durations.ended(KIND, `job-${job}`, { runningAtMs: 0.95 * ms, endedByMs: ms });
    }
    expect(durations.usual(KIND)).toMatchObject({ jobs: 3 });
  });

  it.each([0, 10, FEWEST_JOBS - 1])('have one outlier among the fewest jobs decide nothing (job %i)', (outlier) => {
    const durations = learned(Array.from({ length: FEWEST_JOBS }, (_, job) => (job === outlier ? 2_000_000 : 20_000)));
    expect(durations.usual(KIND)?.p90Ms).toBeLessThan(40_000);
  });
});
