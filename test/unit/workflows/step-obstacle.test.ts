/** Why a step is not begun: its gate, its time, or a change since it was planned. */
import { describe, expect, it } from 'vitest';
import type { Baseline } from '../../../src/domain/contract.js';
import type { ActionStep, ExpectedCounts } from '../../../src/domain/plan/plan.js';
import { obstacleTo, type StepTimes } from '../../../src/workflows/step-obstacle.js';
import { aBaseline, aStep } from '../../support/build.js';

const NOW_MS = 5_000;
const closing = (atMs: number) => ({ atMs, failure: 'OutsideWindow', why: 'its cut-off has passed' }) as const;
const expects = (change: Partial<ExpectedCounts> = {}): ExpectedCounts => ({
  replicaCounts: [2],
  lastJobId: 'JOB-0',
  why: '2 were planned',
  ...change,
});
const scaled = (change: Partial<ExpectedCounts> = {}) =>
  aStep({ action: 'scale', replica: 4 }, { expects: expects(change) });
const nameOf = (step: ActionStep, baseline: Baseline, times: Partial<StepTimes> = {}) =>
  obstacleTo(step, baseline, { nowMs: NOW_MS, deadlineAtMs: 9_000, ...times })?.name ?? null;

describe('a step', () => {
  const step = aStep({ action: 'stop' });

  it.each<[string, Partial<StepTimes>, string | null]>([
    ['begins before its deadline', {}, null],
    ['begins just before its gate closes', { closing: closing(NOW_MS + 1) }, null],
    ['is not begun when its gate closes', { closing: closing(NOW_MS) }, 'OutsideWindow'],
    ['is not begun at its deadline', { deadlineAtMs: NOW_MS }, 'DeadlinePassed'],
    ['names its gate before its deadline', { deadlineAtMs: 0, closing: closing(0) }, 'OutsideWindow'],
  ])('%s', (_what, times, expected) => {
    expect(nameOf(step, aBaseline(), times)).toBe(expected);
  });
});

describe('a step that relies on a planned count', () => {
  it.each<[string, ActionStep, Baseline, string | null]>([
    ['begins if nothing changed', scaled(), aBaseline(), null],
    ['begins with another of the expected counts', scaled({ replicaCounts: [1, 2] }), aBaseline(), null],
    ['is not begun with another count', scaled(), aBaseline({ replicaCount: 3 }), 'TargetChanged'],
    [
      'is not begun after a newer cloud job, which may have changed the count and changed it back',
      scaled(),
      aBaseline({ lastJobId: 'JOB-9' }),
      'TargetChanged',
    ],
    ['begins after cloud jobs of the same run', scaled(), aBaseline({ lastJobId: 'JOB-9' }, ['JOB-0', 'JOB-9']), null],
    [
      'begins after a newer cloud job if the plan saw none',
      aStep({ action: 'scale', replica: 4 }, { expects: { replicaCounts: [2], why: '2 were planned' } }),
      aBaseline({ lastJobId: 'JOB-9' }),
      null,
    ],
    [
      'begins, and sends nothing, if the desired state already holds',
      aStep({ action: 'scale', replica: 2 }, { expects: expects() }),
      aBaseline({ lastJobId: 'JOB-9' }),
      null,
    ],
  ])('%s', (_what, step, baseline, expected) => {
    expect(nameOf(step, baseline)).toBe(expected);
  });

  it('explains what it relied on and what it found', () => {
    const obstacle = obstacleTo(scaled(), aBaseline({ replicaCount: 3 }), { nowMs: NOW_MS, deadlineAtMs: 9_000 });
    expect(obstacle?.message).toContain('2 were planned');
    expect(obstacle?.message).toContain('RUNNING 2/3');
  });
});
