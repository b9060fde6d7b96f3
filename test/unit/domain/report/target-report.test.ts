/** The report of a target: its contents for each way to end, and what stays empty. */
import { describe, expect, it } from 'vitest';
import { failureRecord } from '../../../../src/domain/failures.js';
import type { TargetPlan } from '../../../../src/domain/plan/plan.js';
import { withShortSteps } from '../../../../src/domain/report/cut-report.js';
import { reportOfTarget, reportWithoutChild, type TargetEnd } from '../../../../src/domain/report/target-report.js';
import { leaseId } from '../../../../src/domain/target/target.js';
import { anObservation, aStep, aStepReport, aTarget } from '../../../support/build.js';

const target = aTarget();
const seenWhilePlanning = anObservation({ observedAtMs: 1 });
const captured = anObservation({ observedAtMs: 2 });
const afterStop = anObservation({ observedAtMs: 3, status: 'STOPPED' });
const afterUndo = anObservation({ observedAtMs: 4 });
const targetPlan: TargetPlan = {
  target,
  seen: seenWhilePlanning,
  steps: [aStep({ action: 'stop' }), { kind: 'wait', id: 'wait', durationMs: 1 }, aStep({ action: 'start' })],
};
const identity = { path: target.path, instanceId: target.instanceId, leaseId: leaseId(target) };

function end(change: Partial<TargetEnd> = {}): TargetEnd {
  return {
    steps: [],
    compensations: [],
    remaining: [],
    captured,
    failure: null,
    cancelRequested: false,
    childRunId: 'child',
    ...change,
  };
}

describe('the report of a target whose own workflow ended', () => {
  it('lists the steps that were never begun', () => {
    const steps = [aStepReport({ id: 'stop' })];
    expect(reportOfTarget(targetPlan, end({ steps })).notReached).toEqual(['wait', 'start']);
  });

  it('names the checks that the plan left out, whether or not it was begun', () => {
    const named = { checksLeftOut: ['healthy'] };
    const without = { ...targetPlan, leftOut: ['healthy'] };
    expect(reportOfTarget(without, end())).toMatchObject(named);
    expect(reportWithoutChild(without, 'refused')).toMatchObject(named);
    expect(withShortSteps(reportOfTarget(without, end()))).toMatchObject(named);
    expect(reportOfTarget(targetPlan, end())).not.toHaveProperty('checksLeftOut');
  });

  it.each<[string, Partial<TargetEnd>, unknown]>([
    ['of the last undo', { compensations: [aStepReport({ after: afterUndo })] }, afterUndo],
    [
      'of the last step that has one',
      { steps: [aStepReport({ after: afterStop }), aStepReport({ after: null })] },
      afterStop,
    ],
    ['before the first step', {}, captured],
    ['of nothing', { captured: null }, null],
  ])('has the reading %s as the last one', (_what, change, lastSeen) => {
    const steps = [aStepReport({ after: afterStop })];
    const given = 'compensations' in change ? { steps, ...change } : change;
    expect(reportOfTarget(targetPlan, end(given)).lastSeen).toEqual(lastSeen);
  });

  it('names the target, its workflow and the outcome, and explains why it was not begun', () => {
    const failure = failureRecord('TargetNotFound', 'it is DELETED');
    expect(reportOfTarget(targetPlan, end({ captured: null, failure }))).toEqual({
      ...identity,
      outcome: 'refused',
      steps: [],
      notReached: ['stop', 'wait', 'start'],
      compensations: [],
      remaining: [],
      captured: null,
      lastSeen: null,
      failure,
      childRunId: 'child',
    });
  });

  it('has the usual time of each step that was sent', () => {
    const job = { p50Ms: 12_000, p90Ms: 20_000, jobs: 41, from: 'component' as const };
    const usual = [{ stepId: 'stop', job, stepP50Ms: 12_100, stepP90Ms: 20_100 }];
    const steps = [aStepReport({ id: 'stop' }), aStepReport({ id: 'wait', action: null, sent: 'no' })];
    const reported = reportOfTarget({ ...targetPlan, usual }, end({ steps })).steps;
    expect(reported.map((step) => step.usual)).toEqual([{ p50Ms: 12_100, p90Ms: 20_100, jobs: 41 }, undefined]);
    const unsent = end({ steps: [aStepReport({ id: 'stop', sent: 'no' })] });
    expect(reportOfTarget({ ...targetPlan, usual }, unsent).steps[0]).not.toHaveProperty('usual');
    expect(reportOfTarget(targetPlan, end({ steps })).steps).toEqual(steps);
  });

  it('omits the failure if a step has it', () => {
    const steps = [aStepReport({ result: 'failed', failure: failureRecord('CloudJobFailed', 'x') })];
    expect(reportOfTarget(targetPlan, end({ steps }))).not.toHaveProperty('failure');
  });
});

describe('the report of a target without its own workflow', () => {
  it('contains only what planning observed', () => {
    expect(reportWithoutChild(targetPlan, 'cancelled')).toEqual({
      ...identity,
      outcome: 'cancelled',
      steps: [],
      notReached: ['stop', 'wait', 'start'],
      compensations: [],
      remaining: [],
      captured: null,
      lastSeen: seenWhilePlanning,
    });
  });

  it('gives the reason if there is one', () => {
    const failure = failureRecord('TargetBusy', 'x');
    expect(reportWithoutChild(targetPlan, 'refused', failure).failure).toEqual(failure);
  });
});
