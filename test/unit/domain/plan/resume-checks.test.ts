/** Checks in a run that resumes another one: those before the first action are done again, the others from the failed step on. */
import { describe, expect, it } from 'vitest';
import type { Plan, TargetPlan } from '../../../../src/domain/plan/plan.js';
import { planSteps } from '../../../../src/domain/plan/plan-steps.js';
import { planAgain } from '../../../../src/domain/plan/replan.js';
import { resumeTarget } from '../../../../src/domain/plan/resume.js';
import type { ResumableRun } from '../../../../src/domain/plan/earlier-run.js';
import { failureRecord } from '../../../../src/domain/failures.js';
import type { StepReport, TargetReport } from '../../../../src/domain/report/report.js';
import { DEFAULT_VERIFY } from '../../../../src/domain/runbook/runbook-checks.js';
import { Runbook } from '../../../../src/domain/runbook/runbook.js';
import { ACTIONS, ACTION_NAMES, type ActionName } from '../../../../src/domain/target/actions.js';
import { leaseId } from '../../../../src/domain/target/target.js';
import { anObservation, aStepReport, aTarget, quickLimits } from '../../../support/build.js';

const usualDurationsMs = Object.fromEntries(
  ACTION_NAMES.map((name) => [name, ACTIONS[name].usualDurationMs]),
) as Record<ActionName, number>;
const rules = { usualDurationsMs, verify: DEFAULT_VERIFY, refusalOfUrl: () => null };
const http = 'https://shop.example.com/';
const runbook = Runbook.parse({
  name: 'x',
  title: 't',
  steps: [
    { action: 'stop' },
    { action: 'start' },
    { check: { http }, id: 'after', onFailure: 'abort' },
    { check: { http }, id: 'at-first', before: true },
    { wait: '1m' },
  ],
});
const target = aTarget();
const seen = anObservation({ lastJobId: 'JOB-2' });
const { steps } = planSteps(runbook, { target, seen, snapshotVersions: [] }, { ...rules, inputs: {} });

const plan = (targetPlan: TargetPlan): Plan => ({
  ...{ planVersion: 1, runbook: 'x', title: 't', requestedBy: null, reason: null, inputs: {}, hash: 'h' },
  ...{ targets: [targetPlan], onCancel: 'compensate', deadlineMs: 1, limits: quickLimits(), dryRun: false },
});

function endedWith(reported: readonly StepReport[]): ResumableRun {
  const report: TargetReport = {
    ...{ path: target.path, instanceId: target.instanceId, leaseId: leaseId(target), outcome: 'failed' },
    ...{ steps: reported, notReached: [], compensations: [], remaining: [], captured: seen, lastSeen: seen },
  };
  return {
    ...{ workflowId: 'run-1', runId: 'r', runbook: 'x', open: false, plan: plan({ target, seen, steps }) },
    report: {
      ...{ reportVersion: 1, runbook: 'x', workflowId: 'run-1', runId: 'r', outcome: 'failed', summary: 's' },
      ...{ planHash: 'h', requestedBy: null, reason: null, startedAtMs: 0, endedAtMs: 9, targets: [report] },
      notStarted: [],
    },
  };
}

const unsent = { action: null, sent: 'no', cloudJobId: null, before: null, after: null } as const;
const reported = [
  aStepReport({ id: 'at-first', ...unsent }),
  aStepReport({ id: 'stop', action: { action: 'stop' }, cloudJobId: 'JOB-1' }),
  aStepReport({ id: 'start', action: { action: 'start' }, cloudJobId: 'JOB-2', after: seen }),
  aStepReport({ id: 'after', result: 'failed', failure: failureRecord('CheckFailed', 'x'), ...unsent }),
];

describe('a run that resumes one whose check failed', () => {
  const run = endedWith(reported);
  const left = resumeTarget({ run, targetPlan: { target, seen, steps }, seen, nowMs: 10_000_000 });

  it('does the checks before the first action again, then continues from the failed one', () => {
    expect('steps' in left && left.steps.map(({ id }) => id)).toEqual(['at-first', 'after', 'wait']);
    expect('steps' in left && left.resumed.done.map(({ stepId }) => stepId)).toEqual(['stop', 'start']);
  });

  it('has the plan that its runbook would give today, so that it can be resumed as well', () => {
    if (!('steps' in left)) throw new Error(left.found);
    const earlier = plan({ target, seen, ...left });
    const [again] = planAgain(earlier, { runbook, rules }).targets;
    expect(again?.steps).toEqual(left.steps);
  });
});
