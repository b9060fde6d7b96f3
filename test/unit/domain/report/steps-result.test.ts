/** What comes after a step, and whether the steps before it are undone. */
import { describe, expect, it } from 'vitest';
import { failureRecord } from '../../../../src/domain/failures.js';
import type { OnCancel, OnFailure, PlannedStep } from '../../../../src/domain/plan/plan.js';
import type { StepReport, StepResult } from '../../../../src/domain/report/report.js';
import { afterStep, isUndoDue } from '../../../../src/domain/report/steps-result.js';
import { aBaseline, aStep, aStepReport } from '../../../support/build.js';

const action = (onFailure: OnFailure): PlannedStep => aStep({ action: 'stop' }, { onFailure });
const wait: PlannedStep = { kind: 'wait', id: 'wait', durationMs: 1 };
const check = (onFailure: OnFailure): PlannedStep => ({
  kind: 'check',
  id: 'check',
  check: {
    url: 'https://shop.example.com/',
    status: 200,
    header: {},
    json: [],
    text: null,
    withinMs: 1,
    stableMs: 1,
    timeoutMs: 1,
  },
  before: false,
  onFailure,
});
const failedBy = (change: Partial<StepReport>) => aStepReport({ result: 'failed', ...change });
const closed = failureRecord('ChangeFreeze', 'x');

describe('after a step that', () => {
  it.each<[string, PlannedStep, StepReport, ReturnType<typeof afterStep>]>([
    ['succeeded', action('compensate'), aStepReport(), 'nextStep'],
    ['was skipped', action('compensate'), aStepReport({ result: 'skipped' }), 'nextStep'],
    ['failed and asks for an undo', action('compensate'), failedBy({}), 'undo'],
    ['failed and asks to stop', action('abort'), failedBy({}), 'stop'],
    ['failed and asks to continue', action('continue'), failedBy({}), 'nextStep'],
    ['waited beyond the deadline', wait, failedBy({}), 'undo'],
    ['is a check that failed and asks for an undo', check('compensate'), failedBy({ sent: 'no' }), 'undo'],
    ['is a check that failed and asks to stop', check('abort'), failedBy({ sent: 'no' }), 'stop'],
    ['is a check that failed and asks to continue', check('continue'), failedBy({ sent: 'no' }), 'nextStep'],
    ['is indeterminate', action('continue'), aStepReport({ result: 'indeterminate' }), 'stop'],
    ['was cancelled', action('compensate'), aStepReport({ result: 'cancelled' }), 'stop'],
    ['came after its gate had closed', action('continue'), failedBy({ sent: 'no', failure: closed }), 'stop'],
    ['was sent before its gate closed', action('continue'), failedBy({ sent: 'yes', failure: closed }), 'nextStep'],
  ])('%s', (_what, step, report, expected) => {
    expect(afterStep(step, report)).toBe(expected);
  });
});

describe('an undo', () => {
  const result = (undoAsked: boolean, last: StepResult = 'failed') => ({
    steps: [aStepReport(), aStepReport({ result: last })],
    done: [],
    baseline: aBaseline(),
    undoAsked,
  });

  it.each<[string, boolean, StepResult, OnCancel, boolean, boolean]>([
    ['is due if the last step asks for it', true, 'failed', 'leave', false, true],
    ['is not due if no step asks for it', false, 'succeeded', 'compensate', false, false],
    ['is due in a cancelled run that compensates', false, 'cancelled', 'compensate', true, true],
    ['is not due in a cancelled run that leaves things as they are', true, 'failed', 'leave', true, false],
    ['is not due in a cancelled run that stops after its step', true, 'failed', 'stop-after-step', true, false],
    ['is never due while a step is indeterminate', true, 'indeterminate', 'compensate', true, false],
  ])('%s', (_what, undoAsked, last, onCancel, cancelRequested, expected) => {
    expect(isUndoDue(result(undoAsked, last), onCancel, cancelRequested)).toBe(expected);
  });
});
