/** What is left of a run, as in `src/activities/plan-resumed.ts`: the product's own rules judge its report and a fresh reading. */
import { failureRecord, type FailureName } from '../../src/domain/failures.js';
import { resumableRun, type EarlierRun, type Refusal } from '../../src/domain/plan/earlier-run.js';
import { resumeTarget, type Resumption } from '../../src/domain/plan/resume.js';
import { approvalOfRun } from '../../src/domain/plan/run-approval.js';
import type { Plan, TargetPlan } from '../../src/domain/plan/plan.js';
import type { TargetReport } from '../../src/domain/report/report.js';
import { runReport } from '../../src/domain/report/run-report.js';
import { reportOfTarget, reportWithoutChild } from '../../src/domain/report/target-report.js';
import type { Execution } from './execution.js';
import { partOf, plannedSteps } from './planned-steps.js';
import type { PlannedRun } from './scenario.js';
import { TARGET } from './step-flow.js';
import { BEGIN_MS } from './virtual-time.js';
import type { World } from './world.js';

/** @param last the newest execution of the run that is resumed */
export function resumedPlan(last: Execution, world: World): Resumption | Refusal {
  const { nowMs } = world.time;
  const targetPlan: TargetPlan = {
    target: TARGET,
    // Any run was planned before its first reading; the first one of all before anything happened.
    seen: world.cloud.reading(BEGIN_MS),
    steps: plannedSteps(last.run.plan, last.run.usualDurationMs),
  };
  const run = resumableRun(earlierRun(last, targetPlan));
  return 'found' in run ? run : resumeTarget({ run, targetPlan, seen: world.cloud.reading(nowMs), nowMs });
}

function earlierRun({ holder, run, isOpen }: Execution, targetPlan: TargetPlan): EarlierRun {
  const { planHash, runId, startedAtMs, closedAtMs } = holder;
  const plan: Plan = {
    ...{ planVersion: 1, runbook: 'r', title: 't', requestedBy: run.facts.requestedBy, reason: null, inputs: {} },
    ...{ targets: [targetPlan], onCancel: run.plan.onCancel, deadlineMs: run.plan.deadlineMs, limits: run.limits },
    ...{ dryRun: false, hash: planHash },
  };
  const report = runReport({
    ...{ runbook: 'r', workflowId: runId, runId, startedAtMs, endedAtMs: closedAtMs ?? startedAtMs, plan },
    ...{ targets: [targetReport({ holder }, targetPlan)], early: null, gates: [], withdrawnBy: null, commands: [] },
    ...{ cancelRequested: holder.cancelRequestedAtMs !== null, approval: null },
  });
  return { workflowId: runId, runId, runbook: 'r', open: isOpen, plan, report: isOpen ? null : report };
}

function targetReport({ holder }: Pick<Execution, 'holder'>, targetPlan: TargetPlan): TargetReport {
  const { report, runId, cancelRequestedAtMs } = holder;
  if (report === null)
    return reportWithoutChild(targetPlan, 'indeterminate', failureRecord('Indeterminate', 'ended without a report'));
  const { steps, compensations, remaining, captured, failure } = report;
  const record =
    failure === null || failure === 'cancelled' ? null : failureRecord(failure as FailureName, 'was not begun');
  const cancelRequested = failure === 'cancelled' || cancelRequestedAtMs !== null;
  return reportOfTarget(targetPlan, {
    ...{ steps, compensations, remaining, captured, failure: record, cancelRequested, childRunId: runId },
  });
}

/** The plan of the run that resumes it. An approval that is left out as given is asked of the whole run. @param planned how it is run */
export function planLeft(earlier: PlannedRun, planned: PlannedRun, { steps }: Resumption): PlannedRun {
  const { approval: _guard, ...left } = partOf(earlier, steps);
  const asked = plannedSteps(earlier, 1).flatMap((step) =>
    step.kind === 'approval' ? [{ id: step.id, approval: step }] : [],
  );
  const rules = approvalOfRun(earlier.approval, asked, [{ steps }]);
  const { onCancel, commands, votes, startsAfterMs, resumes } = planned;
  const people = { ...(commands === undefined ? {} : { commands }), ...(votes === undefined ? {} : { votes }) };
  return {
    ...{ ...left, onCancel, startsAfterMs, ...people },
    ...(resumes === undefined ? {} : { resumes }),
    ...(rules === undefined ? {} : { approval: rules }),
  };
}
