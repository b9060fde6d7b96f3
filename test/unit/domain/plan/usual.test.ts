/** How long steps and runs usually take, when a step is late, and how much time a target needs of its window. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UsualDuration } from '../../../../src/domain/durations/usual-duration.js';
import { canonicalPlan, type Plan, type PlannedStep, type TargetPlan } from '../../../../src/domain/plan/plan.js';
import { misfitOf, plannedUsual } from '../../../../src/domain/plan/plan-usual.js';
import {
  FEWEST_JOBS,
  inARow,
  isLate,
  lateAfterMs,
  timeNeeded,
  usualOfRun,
  usualOfStep,
  usualOfTarget,
} from '../../../../src/domain/plan/usual.js';
import {
  describeUsualEnd,
  describeUsualRun,
  describeUsualStep,
  describeUsualTime,
} from '../../../../src/domain/plan/usual-words.js';
import type { ActionName } from '../../../../src/domain/target/actions.js';
import type { Observation } from '../../../../src/domain/target/target.js';
import { anObservation, aStep, aTarget, defaultLimits } from '../../../support/build.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const learned = (p50: number, p90: number, jobs = 41): UsualDuration => ({
  p50Ms: p50 * SECOND,
  p90Ms: p90 * SECOND,
  jobs,
  from: 'component',
});
const wait = (durationMs: number): PlannedStep => ({ kind: 'wait', id: 'wait', durationMs });
const check = (stableMs: number): PlannedStep => ({
  kind: 'check',
  id: 'check',
  check: {
    url: 'https://shop.example.com/',
    status: 200,
    header: {},
    json: [],
    text: null,
    withinMs: 10 * MINUTE,
    stableMs,
    timeoutMs: SECOND,
  },
  before: false,
  onFailure: 'compensate',
});
const verify = { withinMs: 3_000, stableMs: 10 * SECOND };
const stop = aStep({ action: 'stop' }, { verify, usualDurationMs: 20 * SECOND });
const start = aStep({ action: 'start' }, { verify, usualDurationMs: 60 * SECOND });

function aTargetPlan(
  steps: readonly PlannedStep[],
  known: Partial<Record<ActionName, UsualDuration>> = {},
  seen: Partial<Observation> = {},
): TargetPlan {
  const observation = anObservation(seen);
  const usual = plannedUsual(observation, steps, (action) => known[action] ?? null);
  return { target: aTarget(), seen: observation, steps, usual };
}

const BOTH = { stop: learned(10, 13), start: learned(40, 44, 22) };

describe('a check', () => {
  it('usually takes the time for which its answer must hold, for people and for the window', () => {
    const plan = aTargetPlan([check(20 * SECOND)]);
    expect(usualOfTarget(plan)).toEqual({ p50Ms: 20 * SECOND, p90Ms: 20 * SECOND });
    expect(timeNeeded(plan)?.ms).toBe(20 * SECOND);
    expect(usualOfStep(plan, { id: 'check', action: null })).toBeUndefined();
  });
});

describe('a step', () => {
  it.each([
    ['half as long again as nine in ten', { p50Ms: 60 * SECOND, p90Ms: 100 * SECOND, jobs: 41 }, 150 * SECOND],
    ['ten seconds longer, for a short step', { p50Ms: 2 * SECOND, p90Ms: 3 * SECOND, jobs: 41 }, 13 * SECOND],
    ['never, by a declared duration', { p50Ms: SECOND, p90Ms: SECOND, jobs: 0 }, null],
    ['never, while too few cloud jobs were seen', { p50Ms: SECOND, p90Ms: SECOND, jobs: FEWEST_JOBS - 1 }, null],
    ['with as many as are enough', { p50Ms: 0, p90Ms: 0, jobs: FEWEST_JOBS }, 10 * SECOND],
  ])('is unusually late after %s', (_when, usual, afterMs) => {
    expect(lateAfterMs(usual)).toBe(afterMs);
    const atMs = afterMs ?? Number.MAX_SAFE_INTEGER;
    expect(isLate(usual, atMs)).toBe(false);
    expect(isLate(usual, atMs + 1)).toBe(afterMs !== null);
  });

  it('takes as long as its cloud job and the verification after it', () => {
    expect(usualOfStep(aTargetPlan([stop], BOTH), stop)).toEqual({
      p50Ms: 20 * SECOND,
      p90Ms: 23 * SECOND,
      jobs: 41,
    });
  });

  it('takes as long as its cloud job alone if its state need not hold', () => {
    const passing = { ...stop, holds: false as const };
    expect(usualOfStep(aTargetPlan([passing, start], BOTH), passing)).toMatchObject({ p50Ms: 10 * SECOND });
  });

  it('takes as long as declared while nothing was learned', () => {
    expect(usualOfStep(aTargetPlan([stop], {}), stop)).toEqual({ p50Ms: 30 * SECOND, p90Ms: 30 * SECOND, jobs: 0 });
  });

  it('has no figures if it is a wait, or if its plan has none', () => {
    const plan = aTargetPlan([wait(MINUTE), stop], BOTH);
    expect(plan.usual?.map(({ stepId }) => stepId)).toEqual(['stop']);
    expect(usualOfStep(plan, { id: 'wait', action: null })).toBeUndefined();
    expect(usualOfStep({ target: plan.target, seen: plan.seen, steps: plan.steps }, stop)).toBeUndefined();
  });

  it('that is an undo takes the figures of a step with the same action', () => {
    const undo = { id: 'undo-stop', action: { action: 'start' } } as const;
    expect(usualOfStep(aTargetPlan([stop, start], BOTH), undo)).toMatchObject({ p50Ms: 50 * SECOND, jobs: 22 });
    expect(usualOfStep(aTargetPlan([stop], BOTH), undo)).toBeUndefined();
  });
});

describe('several steps', () => {
  it('take their medians together, and are seldom all slow at once', () => {
    const plan = aTargetPlan([stop, wait(MINUTE), start], BOTH);
    expect(usualOfTarget(plan)).toEqual({ p50Ms: 130 * SECOND, p90Ms: 135 * SECOND });
    expect(usualOfRun([plan, plan], true)).toEqual(usualOfRun([plan]));
    expect(usualOfRun([plan, plan])).toEqual({ p50Ms: 260 * SECOND, p90Ms: 260 * SECOND + Math.round(7_071.07) });
  });

  it('take no time where they are expected to be skipped', () => {
    const plan = aTargetPlan([stop, start], BOTH, { status: 'STOPPED', availableReplicaCount: 0 });
    expect(plan.usual?.map(({ isSkipped }) => isSkipped)).toEqual([true, undefined]);
    expect(usualOfTarget(plan)).toEqual({ p50Ms: 50 * SECOND, p90Ms: 54 * SECOND });
    expect(timeNeeded(plan)).toEqual({ ms: 54 * SECOND, jobs: { least: 22, most: 22 } });
  });

  it('are never quicker than the slowest of them, nor slower than all slow at once', () => {
    const time = fc
      .tuple(fc.integer({ min: 0, max: 1e7 }), fc.integer({ min: 0, max: 1e7 }))
      .map(([p50Ms, more]) => ({ p50Ms, p90Ms: p50Ms + more }));
    fc.assert(
      fc.property(fc.array(time, { maxLength: 8 }), (times) => {
        const { p50Ms, p90Ms } = inARow(times);
        expect(p90Ms).toBeGreaterThanOrEqual(p50Ms);
        for (const each of times) expect(p90Ms).toBeGreaterThanOrEqual(each.p90Ms);
        expect(p90Ms).toBeLessThanOrEqual(times.reduce((sum, each) => sum + each.p90Ms, 0));
      }),
    );
  });

  it('have no figures in an older plan', () => {
    const { target, seen, steps } = aTargetPlan([stop]);
    const older = { target, seen, steps };
    expect(usualOfTarget(older)).toBeNull();
    expect(usualOfRun([aTargetPlan([stop]), older])).toBeNull();
    expect(timeNeeded(older)).toBeNull();
  });
});

describe('the time that a target needs', () => {
  it('is what nine in ten take', () => {
    expect(timeNeeded(aTargetPlan([stop, start], BOTH))).toEqual({
      ms: 75 * SECOND,
      jobs: { least: 22, most: 41 },
    });
  });

  it('does not count what is only declared, or was seen too seldom', () => {
    const seldom = { stop: learned(10, 13, FEWEST_JOBS - 1) };
    expect(timeNeeded(aTargetPlan([stop, wait(MINUTE), start], seldom))).toEqual({
      ms: 2 * 10 * SECOND + MINUTE,
      jobs: null,
    });
  });
});

describe('a plan', () => {
  const planOf = (targets: readonly TargetPlan[], guards?: Plan['guards']): Plan => ({
    ...{ planVersion: 1, runbook: 'x', title: 'X', requestedBy: null, reason: null, inputs: {}, dryRun: true },
    ...{ onCancel: 'compensate', deadlineMs: 1, limits: defaultLimits, hash: 'h', targets },
    ...(guards === undefined ? {} : { guards }),
  });
  const within = (durationMs: number, opensAtMs: number | null = null): Plan['guards'] => ({
    window: { opensAtMs, durationMs, cutoffMs: 0 },
    ...{ freeze: [], waitAtMostMs: null, coming: [] },
  });
  const named = (name: string, plan: TargetPlan): TargetPlan => ({
    ...plan,
    target: aTarget({ path: `shop/checkout/${name}` }),
  });

  it('has the same hash whatever was learned', () => {
    const hashed = (known: typeof BOTH | object) => canonicalPlan(planOf([aTargetPlan([stop, start], known)]));
    expect(hashed(BOTH)).toBe(hashed({}));
  });

  it.each<[string, TargetPlan[], Plan['guards'], object | null]>([
    ['has no window', [aTargetPlan([stop], BOTH)], undefined, null],
    ['has time for all its targets', [aTargetPlan([stop], BOTH)], within(MINUTE), null],
    [
      'has no time for the first target',
      [aTargetPlan([stop], BOTH)],
      within(20 * SECOND),
      { before: 0, leftMs: 20 * SECOND, because: 'known' },
    ],
    [
      'has a window that is nearly over',
      [aTargetPlan([stop], BOTH, { observedAtMs: 50 * SECOND })],
      within(MINUTE, 0),
      { before: 0, leftMs: 10 * SECOND, because: 'known' },
    ],
    [
      'has a window that opens later',
      [aTargetPlan([stop], BOTH, { observedAtMs: SECOND })],
      within(MINUTE, 10 * MINUTE),
      null,
    ],
    [
      'has time only for the first two targets',
      ['a', 'b', 'c'].map((name) => named(name, aTargetPlan([stop], BOTH))),
      within(MINUTE),
      { before: 2, leftMs: 20 * SECOND, because: 'known' },
    ],
    [
      'has no time by declared durations',
      [aTargetPlan([stop])],
      within(25 * SECOND),
      { before: 0, leftMs: 25 * SECOND, because: 'declared' },
    ],
  ])('that %s', (_what, targets, guards, expected) => {
    const misfit = misfitOf(planOf(targets, guards));
    if (expected === null) expect(misfit).toBeNull();
    else expect(misfit).toMatchObject(expected);
  });
});

describe('in words', () => {
  const [known] = aTargetPlan([stop], BOTH).usual ?? [];
  const [declared] = aTargetPlan([stop]).usual ?? [];
  if (known === undefined || declared === undefined) throw new Error('both have figures');

  it('figures show from how many cloud jobs they come', () => {
    expect(describeUsualStep(known)).toBe('usually 20s, nine in ten within 23s (from 41 cloud jobs of this component)');
    expect(describeUsualStep({ ...known, job: { ...known.job, jobs: 1, from: 'action' } })).toBe(
      'usually 20s, nine in ten within 23s (from 1 cloud job of this action, all components together)',
    );
    expect(describeUsualStep(declared)).toBe('about 30s (declared, no cloud job seen yet)');
    expect(describeUsualTime({ p50Ms: 12_000, p90Ms: 12_300 })).toBe('usually 12s');
  });

  it('a run shows whether its figures were learned', () => {
    expect(describeUsualRun([aTargetPlan([stop, start], BOTH)])).toBe('usually 1m 10s, nine in ten within 1m 15s');
    expect(describeUsualRun([aTargetPlan([stop, start], { stop: BOTH.stop })])).toBe(
      'usually 1m 30s, nine in ten within 1m 33s (some of its steps by a declared duration)',
    );
    expect(describeUsualRun([aTargetPlan([stop])])).toBe('about 30s (declared, no cloud job seen yet)');
    expect(describeUsualRun([aTargetPlan([])])).toBeNull();
  });

  it('an end is a time of day, since the text is not refreshed', () => {
    const usual = { p50Ms: 20 * SECOND, p90Ms: 23 * SECOND, jobs: 41 };
    expect(describeUsualEnd(usual, 0)).toBe(
      'usually ends by 1970-01-01T00:00:23Z; unusually late after 1970-01-01T00:00:34Z',
    );
    expect(describeUsualEnd({ ...usual, jobs: 3 }, 0)).toBe('usually ends by 1970-01-01T00:00:23Z');
    expect(describeUsualEnd({ ...usual, jobs: 0 }, 0)).toBe(
      'may end by about 1970-01-01T00:00:23Z (declared, no cloud job seen yet)',
    );
  });
});
