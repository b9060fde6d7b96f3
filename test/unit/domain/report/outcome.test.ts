import { describe, expect, it } from 'vitest';
import { failureRecord, type FailureName } from '../../../../src/domain/failures.js';
import { targetOutcome, type TargetResult } from '../../../../src/domain/report/outcome.js';
import {
  EXIT_CODES,
  OUTCOMES,
  worstOutcome,
  type Outcome,
  type StepReport,
} from '../../../../src/domain/report/report.js';
import { aStepReport } from '../../../support/build.js';

const ok = aStepReport();
const failed = (name: FailureName, change: Partial<StepReport> = {}) =>
  aStepReport({ id: 'start', result: 'failed', failure: failureRecord(name, 'x'), ...change });
const unsent = { sent: 'no', cloudJobId: null } as const;
const stays = {
  stepId: 'rollback',
  action: { action: 'rollback', version: '1' },
  why: 'x',
  kind: 'irreversible',
} as const;

function outcome(change: Partial<TargetResult>): Outcome {
  return targetOutcome({
    steps: [],
    compensations: [],
    remaining: [],
    cancelRequested: false,
    failure: null,
    ...change,
  });
}

describe('the outcome of a target, by the first line that applies', () => {
  it.each<[string, Partial<TargetResult>, Outcome]>([
    [
      'a step is indeterminate, whatever else happened',
      { steps: [aStepReport({ result: 'indeterminate' })], cancelRequested: true },
      'indeterminate',
    ],
    [
      'an undo is indeterminate',
      { steps: [failed('CloudJobFailed')], compensations: [aStepReport({ result: 'indeterminate' })] },
      'indeterminate',
    ],
    [
      'an undo failed',
      { steps: [ok, failed('CloudJobFailed')], compensations: [failed('CloudJobFailed')], cancelRequested: true },
      'compensationFailed',
    ],
    [
      'an undo was not sent because of drift',
      { steps: [ok, failed('CloudJobFailed')], compensations: [failed('TargetChanged', unsent)] },
      'compensationFailed',
    ],
    ['cancel was requested', { steps: [ok], cancelRequested: true }, 'cancelled'],
    ['the lease refused', { failure: failureRecord('TargetBusy', 'x') }, 'refused'],
    ['the first check refused', { steps: [failed('TargetChanged', unsent)] }, 'refused'],
    ['a check before any action failed', { steps: [failed('CheckFailed', { ...unsent, action: null })] }, 'refused'],
    [
      'a check failed after an action that was skipped',
      { steps: [aStepReport({ result: 'skipped', ...unsent }), failed('CheckFailed', { ...unsent, action: null })] },
      'failed',
    ],
    [
      'a check was passed over by continue, and the action after it failed',
      { steps: [failed('CheckFailed', { ...unsent, action: null }), failed('Unreachable', unsent)] },
      'failed',
    ],
    [
      'a check failed and the step was undone',
      { steps: [ok, failed('CheckFailed', { ...unsent, action: null })], compensations: [ok] },
      'compensated',
    ],
    ['ServiceStage refused the first step', { steps: [failed('InvalidStep', unsent)] }, 'refused'],
    ['ServiceStage does not let us act', { steps: [failed('NotAllowed', unsent)] }, 'refused'],
    ['the API was not reached before the deadline', { steps: [failed('Unreachable', unsent)] }, 'failed'],
    ['a check refused after something was sent', { steps: [ok, failed('TargetChanged', unsent)] }, 'failed'],
    ['effects were all reversed', { steps: [ok, failed('CloudJobFailed')], compensations: [ok] }, 'compensated'],
    [
      'an irreversible effect remains',
      { steps: [ok, failed('NotConverged')], compensations: [ok], remaining: [stays] },
      'failed',
    ],
    ['a step failed and nothing was undone', { steps: [ok, failed('NotConverged')] }, 'failed'],
    ['a failed step was passed over by continue', { steps: [failed('CloudJobFailed'), ok] }, 'failed'],
    ['every step succeeded', { steps: [ok, ok] }, 'succeeded'],
    ['every step was skipped', { steps: [aStepReport({ result: 'skipped', ...unsent })] }, 'succeeded'],
  ])('%s', (_case, change, expected) => {
    expect(outcome(change)).toBe(expected);
  });
});

describe('the outcome of a run', () => {
  it('is the worst of its targets', () => {
    expect(worstOutcome(['succeeded', 'failed', 'cancelled'])).toBe('cancelled');
    expect(worstOutcome(['compensated', 'refused', 'succeeded'])).toBe('compensated');
    expect(worstOutcome([])).toBe('succeeded');
  });

  it('has a distinct exit code for each', () => {
    expect(new Set(OUTCOMES.map((name) => EXIT_CODES[name])).size).toBe(OUTCOMES.length);
  });
});
