/** The report of a run: its outcome, the one sentence, and what was not started. */
import { describe, expect, it } from 'vitest';
import { failureRecord } from '../../../../src/domain/failures.js';
import type { Plan } from '../../../../src/domain/plan/plan.js';
import type { Outcome, TargetReport } from '../../../../src/domain/report/report.js';
import { runReport, type EarlyExit, type RunEnd } from '../../../../src/domain/report/run-report.js';
import { targetReport } from '../../../../src/domain/report/target-report.js';
import { anObservation, aStepReport, aTarget, defaultLimits } from '../../../support/build.js';

const paths = ['shop/web/a', 'shop/web/b', 'shop/web/c'];
const plan: Plan = {
  planVersion: 1,
  runbook: 'restart',
  title: 't',
  requestedBy: 'somebody',
  reason: 'a test',
  inputs: {},
  targets: paths.map((path) => ({ target: aTarget({ path }), seen: anObservation(), steps: [] })),
  onCancel: 'compensate',
  deadlineMs: 1,
  limits: defaultLimits,
  dryRun: false,
  hash: 'hash',
};
const ended = (path: string, outcome: Outcome, details: Partial<TargetReport> = {}) =>
  targetReport({ path, instanceId: 'i', leaseId: 'l', outcome }, details);
const stayedClosed = (outcome: EarlyExit['outcome']): EarlyExit => ({
  outcome,
  failure: failureRecord('ChangeFreeze', 'frozen'),
});

function end(change: Partial<RunEnd> = {}): RunEnd {
  return {
    runbook: 'restart',
    workflowId: 'w',
    runId: 'r',
    startedAtMs: 1,
    endedAtMs: 2,
    plan,
    targets: [],
    early: null,
    gates: [],
    cancelRequested: false,
    withdrawnBy: null,
    commands: [],
    approval: null,
    ...change,
  };
}

describe('the outcome of a run', () => {
  it.each<[string, Partial<RunEnd>, Outcome]>([
    ['if nothing failed', { targets: [ended('a', 'succeeded')] }, 'succeeded'],
    ['is the worst of its targets', { targets: [ended('a', 'succeeded'), ended('b', 'failed')] }, 'failed'],
    ['if a gate stayed closed', { targets: [ended('a', 'succeeded')], early: stayedClosed('expired') }, 'expired'],
    ['if it could not be planned', { plan: null, early: stayedClosed('refused') }, 'refused'],
    ['if it was cancelled', { targets: [ended('a', 'succeeded')], cancelRequested: true }, 'cancelled'],
    ['if it was cancelled and refused', { early: stayedClosed('refused'), cancelRequested: true }, 'cancelled'],
    [
      'if it was cancelled after something worse',
      { targets: [ended('a', 'indeterminate')], cancelRequested: true },
      'indeterminate',
    ],
  ])('%s', (_what, change, outcome) => {
    expect(runReport(end(change)).outcome).toBe(outcome);
  });
});

describe('the sentence of a run', () => {
  const undo = aStepReport({ failure: failureRecord('NotConverged', 'it stayed down') });
  const step = aStepReport({ failure: failureRecord('CloudJobFailed', 'no quota') });

  it.each<[string, Partial<RunEnd>, string]>([
    ['names the outcome', { targets: [ended('a', 'succeeded')] }, 'restart on a: succeeded'],
    [
      'names the target that decided it',
      { targets: [ended('a', 'succeeded'), ended('b', 'failed', { steps: [step] })] },
      'restart on b: failed (CloudJobFailed: no quota)',
    ],
    [
      "names the target's own failure before those of its steps",
      { targets: [ended('b', 'refused', { failure: failureRecord('TargetBusy', 'held'), steps: [step] })] },
      'restart on b: refused (TargetBusy: held)',
    ],
    [
      'names the failure of the last undo before those of steps',
      { targets: [ended('b', 'compensationFailed', { steps: [step], compensations: [undo] })] },
      'restart on b: compensationFailed (NotConverged: it stayed down)',
    ],
    [
      'explains why the run ended early',
      { targets: [ended('a', 'succeeded')], early: stayedClosed('expired') },
      'restart: expired (ChangeFreeze: frozen)',
    ],
    [
      'names who withdrew it',
      { cancelRequested: true, withdrawnBy: 'a rule' },
      'restart: cancelled, withdrawn by a rule before it began',
    ],
  ])('%s', (_what, change, summary) => {
    expect(runReport(end(change)).summary).toBe(summary);
  });
});

describe('the report of a run', () => {
  it('lists the targets that were never started', () => {
    const targets = [ended('shop/web/a', 'failed')];
    expect(runReport(end({ targets })).notStarted).toEqual(['shop/web/b', 'shop/web/c']);
  });

  it('contains what is known of a run that could not be planned', () => {
    expect(runReport(end({ plan: null, early: stayedClosed('refused') }))).toMatchObject({
      planHash: null,
      requestedBy: null,
      reason: null,
      targets: [],
      notStarted: [],
      failure: { name: 'ChangeFreeze' },
    });
  });

  it.each(['gates', 'withdrawnBy', 'failure'])('omits %s if there is nothing to report', (field) => {
    expect(runReport(end())).not.toHaveProperty(field);
  });

  it('contains them otherwise', () => {
    const line = {
      target: 'a',
      firstLookAtMs: 1,
      lastLookAtMs: 1,
      looks: 1,
      failure: null,
      why: null,
      opensAtMs: null,
    };
    const report = runReport(end({ gates: [line], withdrawnBy: 'a rule', early: stayedClosed('expired') }));
    expect(report).toMatchObject({ gates: [line], withdrawnBy: 'a rule', failure: { name: 'ChangeFreeze' } });
  });
});
