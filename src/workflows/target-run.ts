/** `targetRun`: everything that happens to one instance. Its workflow id is the lease on the instance, so that only one can be open. */
import {
  CancellationScope,
  defineQuery,
  patched,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import { PROGRESS_QUERY, type Baseline, type TargetRunArguments } from '../domain/contract.js';
import type { DoneStep } from '../domain/report/compensation.js';
import type { Ending } from '../domain/once/state.js';
import type { PlannedStep } from '../domain/plan/plan.js';
import { boundedTargetReport } from '../domain/report/cut-report.js';
import type { StepReport, TargetReport } from '../domain/report/report.js';
import type { TargetProgress } from '../domain/report/progress.js';
import type { StepOutcome } from '../domain/report/step-outcome.js';
import { endedApproval, endedStep } from '../domain/run/observed.js';
import { afterStep, heldBackBy, isUndoDue, type StepsResult } from '../domain/report/steps-result.js';
import { reportOfTarget, type TargetEnd } from '../domain/report/target-report.js';
import { MOST_TARGETS, targetReportBytes } from '../domain/sizes.js';
import { doneOf, isBlocking } from '../domain/steering/decisions.js';
import { leaseId } from '../domain/target/target.js';
import { captureAtRest } from './capture.js';
import { compensate, NOTHING_UNDONE } from './compensate.js';
import { invalidStart } from './failure.js';
import { watchForLate } from './late-step.js';
import { isDecidedBeforeReset, wasDecidedBeforeReset } from './after-reset.js';
import { observer } from './observer.js';
import { performStep, settleAfterReset } from './perform-step.js';
import { resolve } from './blocked-step.js';
import { TargetProgressView } from './target-progress.js';
import { TargetApprovals } from './target-approval.js';
import { TargetSteering } from './target-steering.js';

const targetProgressQuery = defineQuery<TargetProgress>(PROGRESS_QUERY);

/**
 * @returns the report, also if a step failed or the run was cancelled
 * @throws `InvalidStart`, so that the workflow closes Failed, only if it was started in a way that bypasses the lease
 */
export async function targetRun(request: TargetRunArguments): Promise<TargetReport> {
  requireLeaseParent(request);
  const scope = CancellationScope.current();
  const progress = new TargetProgressView(request.targetPlan);
  setHandler(targetProgressQuery, () => progress.current);
  const steering = new TargetSteering(request, progress);
  const approvals = new TargetApprovals(request, steering);

  const captured = await captureAtRest(request, progress);
  const end =
    captured.kind === 'captured'
      ? await actOn(request, captured.baseline, { progress, steering, approvals })
      : { ...NOTHING_DONE, failure: captured.kind === 'failed' ? captured.failure : null };
  const cancelRequested = captured.kind === 'cancelled' || scope.consideredCancelled;
  const report = reportOfTarget(request.targetPlan, { ...end, cancelRequested, childRunId: workflowInfo().runId });
  progress.finished(report.outcome);
  return boundedTargetReport(report, request.reportBytes ?? targetReportBytes(MOST_TARGETS));
}

/**
 * A target ends on the version of the workers that began it: one version decides, acts and undoes, and a version that is taken back
 * never has to replay what a newer one did. Temporal refuses this of a worker without a version, so a target that such a worker
 * began moves with the others.
 */
setWorkflowOptions(
  () =>
    (workflowInfo().currentDeploymentVersion?.deploymentName ?? '') === '' ? {} : { versioningBehavior: 'PINNED' },
  targetRun,
);

/** The lease holds only while every way to an instance goes through it. */
function requireLeaseParent(request: TargetRunArguments | undefined): void {
  const { parent, workflowId } = workflowInfo();
  if (parent === undefined) throw invalidStart('Only a run starts targetRun. Start the runbook by its own name');
  const expected = request?.targetPlan?.target === undefined ? 'nothing' : leaseId(request.targetPlan.target);
  if (workflowId !== expected) throw invalidStart(`targetRun for ${expected} cannot have the id ${workflowId}`);
}

/** What the target shows people, and what they decide about it. */
interface People {
  readonly progress: TargetProgressView;
  readonly steering: TargetSteering;
  readonly approvals: TargetApprovals;
}

/** What came of acting on the target. */
type ActResult = Omit<TargetEnd, 'cancelRequested' | 'childRunId'>;
const NOTHING_DONE = { ...NOTHING_UNDONE, steps: [], captured: null } as const;

async function actOn(request: TargetRunArguments, captured: Baseline, people: People): Promise<ActResult> {
  const scope = CancellationScope.current();
  const { progress } = people;
  const result = await executeSteps(request, captured, people);
  const isDue = isUndoDue(result, request.onCancel, scope.consideredCancelled);
  const undone = isDue ? await compensate(result, request, progress) : NOTHING_UNDONE;
  return { ...undone, steps: result.steps, captured: captured.observation, failure: null };
}

async function executeSteps(
  request: TargetRunArguments,
  captured: Baseline,
  { progress, steering, approvals }: People,
): Promise<StepsResult> {
  const scope = CancellationScope.current();
  const steps: StepReport[] = [];
  const done: DoneStep[] = [];
  let baseline = captured;
  let undoAsked = false;
  // After a reset, a failed check or a missing approval holds back what is new, but what the run before may have sent is settled.
  let heldBack: Ending | null = null;
  let nowMs = baseline.observation.observedAtMs;
  for (const step of request.targetPlan.steps) {
    let outcome: StepOutcome | null;
    let doneSteps: readonly DoneStep[] | null = null;
    nowMs = await steering.atEdge(Math.max(nowMs, steps.at(-1)?.endedAtMs ?? nowMs));
    if (scope.consideredCancelled) outcome = await settleAfterReset(step, baseline, request);
    else if (heldBack !== null) outcome = await settleAfterReset(step, baseline, request, heldBack);
    else if (step.kind === 'approval') {
      progress.stepBegins(step.id);
      outcome = await approvals.untilApproved(step, baseline, nowMs);
      // What a rejection undoes is sent once the run is not paused. Workers from before undid it in the pause.
      if (outcome.report.result === 'failed' && steering.isPaused && patched('undo-after-the-pause'))
        nowMs = await steering.atEdge(outcome.report.endedAtMs);
    } else {
      progress.stepBegins(step.id);
      const closing = hasSent(baseline, steps) ? undefined : request.closing;
      const ended = watchForLate(step, request, steering);
      outcome = await performStep(step, baseline, moved(request, steering), { nowMs, closing });
      ended();
      const blocked = scope.consideredCancelled ? null : isBlocking(step, outcome, request.operatorWaitMs ?? 0);
      if (blocked !== null) {
        const resolved = await resolve(blocked, { request, steering, progress, closing });
        outcome = resolved.outcome;
        doneSteps = doneOf(resolved);
      }
    }
    if (outcome === null) {
      if (await isPassed(step, baseline)) continue;
      break;
    }
    baseline = outcome.baseline;
    steps.push(outcome.report);
    done.push(...(doneSteps ?? (outcome.done === null ? [] : [outcome.done])));
    progress.stepEnds(outcome.report);
    observe(step, outcome.report);
    const next = afterStep(step, outcome.report);
    undoAsked ||= heldBack === null && next === 'undo';
    if (next !== 'nextStep' && !(await isPassed(step, baseline))) break;
    if (next !== 'nextStep') heldBack ??= heldBackBy(step, outcome.report);
  }
  return { steps, done, baseline, undoAsked };
}

function observe(step: PlannedStep, report: StepReport): void {
  observer.stepEnded(endedStep(step, report));
  if (report.approval !== undefined) observer.approvalEnded(endedApproval(report.approval));
}

/** The run before a reset may have been past this wait, check or approval, in a step that is not clear yet. */
async function isPassed({ kind }: PlannedStep, baseline: Baseline): Promise<boolean> {
  return kind !== 'action' && (await wasDecidedBeforeReset(baseline));
}

/** Time for which the target waited for people counts against no deadline. */
function moved(request: TargetRunArguments, { heldMs }: TargetSteering): TargetRunArguments {
  return heldMs === 0 ? request : { ...request, deadlineAtMs: request.deadlineAtMs + heldMs };
}

/** True if an action may have been sent on the target, so its gate no longer counts. What was sent before a reset is in no step of this run. */
function hasSent(baseline: Baseline, steps: readonly StepReport[]): boolean {
  if (baseline.readAfterReset === true || isDecidedBeforeReset(baseline)) return true;
  return steps.some(({ sent }) => sent !== 'no');
}
