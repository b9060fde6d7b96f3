/**
 * Decides what is left of a target that an earlier run did not finish: from which step on, and whether the instance is
 * still as that run left it. It refuses where that is not certain. Pure.
 */
import { unseenAttemptMs } from '../once/limits.js';
import type { StepReport, TargetReport } from '../report/report.js';
import { desiredStateHolds, ruleOf } from '../target/actions.js';
import { cloudJobPhase, isAtRest } from '../target/cloud-job.js';
import { describeObservation, statusMeaning, type Observation } from '../target/target.js';
import { describeTime } from '../time/utc-time.js';
import { isDone, refusal, startAgain, stepsUndone, type ResumableRun, type Refusal } from './earlier-run.js';
import type { DoneBefore, ExpectedCounts, PlannedStep, ResumedTarget, TargetPlan } from './plan.js';

/** What is left of a target, with the proof of what was done. */
export interface Resumption {
  readonly steps: readonly PlannedStep[];
  readonly resumed: ResumedTarget;
}

/** One target of the earlier run, and what is seen of it now. */
export interface ResumedQuestion {
  readonly run: ResumableRun;
  readonly targetPlan: TargetPlan;
  readonly seen: Observation;
  readonly nowMs: number;
}

/** What is left of a target, or why it is not resumed. */
export function resumeTarget({ run, targetPlan, seen, nowMs }: ResumedQuestion): Resumption | Refusal {
  const report = run.report.targets.find(({ instanceId }) => instanceId === targetPlan.target.instanceId) ?? null;
  if (report === null && !run.report.notStarted.includes(targetPlan.target.path))
    return lost(run, 'its report was too long for all of its targets');
  const steps = report?.steps ?? [];
  const from = firstLeft(targetPlan, steps, seen);
  return (
    (report === null ? null : (closed(run, report) ?? stepsUndone(report))) ??
    (from < 0 ? everythingDone(run, report) : null) ??
    unclear(run, report, seen, nowMs) ??
    doneAfter(run, targetPlan, steps, from) ??
    changedSince(run, targetPlan, report, seen) ??
    resumption(run, targetPlan, steps, from, seen)
  );
}

function resumption(
  { workflowId, report }: ResumableRun,
  { steps: planned, seen: plannedFrom, resumed }: TargetPlan,
  steps: readonly StepReport[],
  from: number,
  seen: Observation,
): Resumption {
  // What had to be so before the first action must be so again.
  const again = planned.slice(0, from).filter((step) => step.kind === 'check' && step.before);
  const skipped = planned.slice(0, from).filter((step) => !again.includes(step));
  const before = skipped.map(({ id }): DoneBefore => {
    const step = steps.find((each) => each.id === id);
    const result = step !== undefined && isDone(step) ? step.result : 'foundDone';
    return {
      stepId: id,
      action: step?.action ?? null,
      result: result === 'succeeded' || result === 'skipped' ? result : 'foundDone',
      cloudJobId: step?.cloudJobId ?? null,
      endedAtMs: step?.endedAtMs ?? report.endedAtMs,
      workflowId,
    };
  });
  const left = [...again, ...planned.slice(from)];
  const first = left.findIndex(({ kind }) => kind === 'action');
  return {
    steps: left.map((step, index) =>
      step.kind === 'action' ? { ...step, expects: expected(workflowId, seen, index === first) } : step,
    ),
    resumed: { plannedFrom: resumed?.plannedFrom ?? plannedFrom, done: [...(resumed?.done ?? []), ...before] },
  };
}

/**
 * Under the lease the newest cloud job must still be the one of this reading, and at first the count as well. If the
 * instance never had a cloud job, only its count is compared.
 */
function expected(workflowId: string, { replicaCount, lastJobId }: Observation, isFirst: boolean): ExpectedCounts {
  return {
    replicaCounts: isFirst && replicaCount !== null ? [replicaCount] : [],
    ...(lastJobId === null ? {} : { lastJobId }),
    why: `run ${workflowId} is resumed only from the state in which it was planned to be`,
  };
}

/**
 * The first step that is not done, as a position in the plan; -1 if all are. A restart that failed and whose own cloud job ended well all the
 * same counts as done, because a restart is never skipped and would be sent twice. Its last reading shows that, or one since the report.
 */
function firstLeft({ steps: planned }: TargetPlan, steps: readonly StepReport[], seen: Observation): number {
  const failed = steps.find((step) => !isDone(step));
  const index =
    failed === undefined
      ? planned.findIndex(({ id }) => !steps.some((step) => step.id === id))
      : planned.findIndex(({ id }) => id === failed.id);
  if (failed === undefined || index < 0 || isState(failed)) return index;
  if (!hasEndedWell(failed, seen) && (failed.after === null || !hasEndedWell(failed, failed.after))) return index;
  return index + 1 < planned.length ? index + 1 : -1;
}

function isState({ action }: StepReport): boolean {
  return action === null || ruleOf(action).kind === 'state';
}

function hasEndedWell({ action, cloudJobId }: StepReport, seen: Observation): boolean {
  if (action === null || cloudJobId === null || cloudJobId !== seen.lastJobId) return false;
  return cloudJobPhase(seen.lastJobStatus ?? '') === 'succeeded' && isAtRest(seen) && desiredStateHolds(action, seen);
}

function closed({ workflowId, runbook }: ResumableRun, { outcome, cut, path }: TargetReport): Refusal | null {
  if (outcome === 'succeeded')
    return refusal('already-succeeded', `it succeeded in run ${workflowId}`, 'Leave this target out');
  if (cut === 'short' || cut === 'bare')
    return refusal(
      'no-report',
      `its steps in run ${workflowId} are lost: the report was shortened, and the workflow that had them no longer exists`,
      startAgain(runbook, path),
    );
  return null;
}

function lost({ workflowId, runbook }: ResumableRun, why: string): Refusal {
  return refusal('no-report', `what run ${workflowId} did is not known: ${why}`, `Check it. runbook start ${runbook}`);
}

function everythingDone({ workflowId }: ResumableRun, report: TargetReport | null): Refusal {
  return refusal(
    'nothing-to-resume',
    `every step is done (run ${workflowId} ended ${report?.outcome ?? 'before it'})`,
    'Leave this target out',
  );
}

/**
 * An indeterminate step is resumed only if readings settle it: either its own cloud job has ended since, or no cloud job has
 * appeared long after everything that was sent must be visible, so nothing was sent.
 */
function unclear(run: ResumableRun, report: TargetReport | null, seen: Observation, nowMs: number): Refusal | null {
  if (report === null) return null;
  const steps = report.steps.filter(
    (step) => step.result === 'indeterminate' || (!isDone(step) && step.sent === 'unknown'),
  );
  if (steps.length === 0) return report.outcome === 'indeterminate' ? lost(run, 'it ended indeterminate there') : null;
  const remedy = `Compare its newest cloud job with the time of the step; then finish by hand, or: ${startAgain(run.runbook, report.path)}`;
  for (const step of steps) {
    const refused = unsettled(step, seen, {
      nowMs,
      clearAtMs: step.endedAtMs + unseenAttemptMs(run.plan.limits),
      remedy,
    });
    if (refused !== null) return refused;
  }
  return null;
}

function unsettled(
  step: StepReport,
  seen: Observation,
  { nowMs, clearAtMs, remedy }: { readonly nowMs: number; readonly clearAtMs: number; readonly remedy: string },
): Refusal | null {
  const { id, sent, cloudJobId, before } = step;
  if (hasOwnJobEnded(step, seen)) return null;
  if (sent === 'yes' || cloudJobId !== null)
    return refusal('step-indeterminate', `${id} was sent, and it is not known what came of it`, remedy);
  if (nowMs < clearAtMs)
    return refusal(
      'step-indeterminate',
      `${id} may have been sent, and what was sent may be unseen until ${describeTime(clearAtMs)}`,
      'Resume after that time: if no cloud job has appeared by then, it was not sent',
    );
  return before !== null && isAsBefore(before, seen)
    ? null
    : refusal('step-indeterminate', `${id} may have been sent: it is ${describeObservation(seen)} now`, remedy);
}

/** Only a cloud job that the POST itself returned is certainly its own; once the step is indeterminate, an adopted one is not. */
function hasOwnJobEnded({ sent, cloudJobId, evidence }: StepReport, seen: Observation): boolean {
  const phase = cloudJobPhase(seen.lastJobStatus ?? '');
  const isOwn = sent === 'yes' && evidence === undefined && cloudJobId !== null && cloudJobId === seen.lastJobId;
  return isOwn && isAtRest(seen) && (phase === 'succeeded' || phase === 'failed');
}

/** Nothing of what a step can change differs. The newest cloud job is compared for every target. */
function isAsBefore(before: Observation, seen: Observation): boolean {
  const { status, version, replicaCount } = before;
  return status === seen.status && version === seen.version && replicaCount === seen.replicaCount;
}

/** With `onFailure: continue` a restart may have been sent after the step that failed; it would be sent twice. */
function doneAfter(
  { workflowId, runbook }: ResumableRun,
  { steps: planned, target }: TargetPlan,
  steps: readonly StepReport[],
  from: number,
): Refusal | null {
  const left = new Set(planned.slice(from).map(({ id }) => id));
  const failed = steps.find((step) => !isDone(step));
  const again = steps.find((step) => step !== failed && left.has(step.id) && step.sent !== 'no' && !isState(step));
  if (again === undefined) return null;
  const found = `run ${workflowId} continued after the step that failed and sent ${again.id}, which would be sent twice`;
  return refusal('sent-already', found, startAgain(runbook, target.path));
}

/** Compares what is seen with what the earlier run left: newest cloud job, version, count, and whether it is stopped. */
function changedSince(
  run: ResumableRun,
  { seen: planned, target }: TargetPlan,
  report: TargetReport | null,
  seen: Observation,
): Refusal | null {
  const left = report?.lastSeen ?? planned;
  const newest =
    report?.steps.findLast(({ cloudJobId }) => cloudJobId !== null)?.cloudJobId ??
    (report?.captured ?? planned).lastJobId;
  const since = `since run ${run.workflowId}`;
  const remedy = startAgain(run.runbook, target.path);
  if (newest !== seen.lastJobId)
    return refusal(
      'changed-since',
      `somebody acted on it ${since}: its newest cloud job is ${seen.lastJobId ?? 'none'}, and the run knew ${newest ?? 'none'}`,
      remedy,
    );
  if (!isAtRest(seen))
    return refusal(
      'target-busy',
      `it is ${describeObservation(seen)}: cloud job ${seen.lastJobId ?? 'unknown'} is in flight`,
      'Wait for its end, then resume',
    );
  const failed = report?.steps.find((step) => !isDone(step));
  if (failed !== undefined && hasEndedWell(failed, seen)) return null;
  const difference = differenceOf(left, seen);
  return difference === null ? null : refusal('changed-since', `it changed ${since}: ${difference}`, remedy);
}

function differenceOf(left: Observation, seen: Observation): string | null {
  const differs = (before: unknown, now: unknown) => before !== null && before !== now;
  if (differs(left.version, seen.version)) return `version ${left.version} → ${seen.version ?? 'unknown'}`;
  if (differs(left.replicaCount, seen.replicaCount))
    return `replica count ${left.replicaCount} → ${seen.replicaCount ?? 'unknown'}`;
  const isStopped = ({ status }: Observation) => statusMeaning(status) === 'stopped';
  return isAtRest(left) && isStopped(left) !== isStopped(seen) ? `${left.status} → ${seen.status}` : null;
}
