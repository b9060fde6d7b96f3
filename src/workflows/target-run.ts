/** `targetRun`: all that happens to one instance. Its workflow id is the lease on it, so only one can be open. */
import { CancellationScope, defineQuery, isCancellation, setHandler, workflowInfo } from '@temporalio/workflow';
import { isAtRest } from '../domain/target/cloud-job.js';
import { boundedTargetReport } from '../domain/report/cut-report.js';
import type { DoneStep } from '../domain/report/compensation.js';
import { PROGRESS_QUERY, type Baseline, type TargetRunArguments } from '../domain/contract.js';
import { failureRecord, isFailureName, type FailureRecord } from '../domain/failures.js';
import { isGateFailure } from '../domain/gates/gates.js';
import { unseenAttemptMs } from '../domain/once/limits.js';
import { endedAs, endingOf, nothingKnown } from '../domain/once/state.js';
import { targetOutcome } from '../domain/report/outcome.js';
import type { OnFailure, PlannedStep } from '../domain/plan/plan.js';
import type { StepReport, TargetProgress, TargetReport } from '../domain/report/report.js';
import { MOST_TARGETS, targetReportBytes } from '../domain/sizes.js';
import { leaseId, statusMeaning, type Observation } from '../domain/target/target.js';
import { compensate, type Compensated } from './compensate.js';
import { invalidStart, rootCause } from './failure.js';
import type { StepOutcome } from '../domain/report/step-outcome.js';
import { isDecidedBeforeReset, lookAfterReset, performActionStep, performWaitStep } from './perform-step.js';
import { observeTarget, settleTarget } from './proxies.js';
import type { StepTimes } from './step-obstacle.js';
import { ProgressOfTarget } from './target-progress.js';

const targetProgressQuery = defineQuery<TargetProgress>(PROGRESS_QUERY);

/** What the steps came to, before any undo. */
interface Course {
  readonly steps: readonly StepReport[];
  readonly done: readonly DoneStep[];
  readonly baseline: Baseline;
  /** The failed step asks for an undo. */
  readonly undoAsked: boolean;
}

const NOTHING_UNDONE: Compensated = { reports: [], remaining: [] };

/** Returns its report for every expected turn; it closes Failed only when it was started in a way that leads around the lease. */
export async function targetRun(run: TargetRunArguments): Promise<TargetReport> {
  refuseOtherDoors(run);
  const scope = CancellationScope.current();
  const progress = new ProgressOfTarget(run.targetPlan);
  setHandler(targetProgressQuery, () => progress.current);

  // What an attempt from before a reset may still send is waited out, whatever is asked meanwhile.
  // Without a marker: the SDK's replayer takes the original run's id for the run's own (1.24), so it could not be replayed there.
  const captured = await (isResetRun()
    ? CancellationScope.nonCancellable(() => captureAtRest(run, progress))
    : captureAtRest(run, progress));
  if (captured === null) return report(run, progress, { cancelRequested: true });
  if ('name' in captured)
    return report(run, progress, { failure: captured, cancelRequested: scope.consideredCancelled });

  const course = await takeSteps(run, captured, progress, scope);
  const clear = course.steps.every(({ result }) => result !== 'indeterminate');
  const undo = clear && (scope.consideredCancelled ? run.onCancel === 'compensate' : course.undoAsked);
  const compensated = undo ? await compensate(course.done, course.baseline, run, progress) : NOTHING_UNDONE;
  const { observation } = captured;
  return report(run, progress, {
    captured: observation,
    course,
    compensated,
    cancelRequested: scope.consideredCancelled,
  });
}

function isResetRun(): boolean {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId !== originalExecutionRunId;
}

/** The lease holds only while every way to an instance goes through it. */
function refuseOtherDoors(run: TargetRunArguments | undefined): void {
  const { parent, workflowId } = workflowInfo();
  if (parent === undefined) throw invalidStart('targetRun is started by a run only; start the runbook by its own name');
  const expected = run?.targetPlan?.target === undefined ? 'nothing' : leaseId(run.targetPlan.target);
  if (workflowId !== expected) throw invalidStart(`targetRun for ${expected} cannot have the id ${workflowId}`);
}

/** The state that undo goes back to: always one at rest, under the lease. `null` when cancelled meanwhile; nothing was sent. */
async function captureAtRest(
  run: TargetRunArguments,
  progress: ProgressOfTarget,
): Promise<Baseline | FailureRecord | null> {
  const { target } = run.targetPlan;
  try {
    const first = await observeTarget(target, run.limits, workflowInfo().originalExecutionRunId);
    const { clearAtMs: clearAfterResetAtMs, readInRunId, ...reading } = first;
    progress.saw(reading);
    if (statusMeaning(reading.status) === 'deleted')
      return failureRecord('TargetNotFound', `${target.path} is ${reading.status}`);
    const clearAtMs = Math.max(clearAfterResetAtMs, run.clearAtMs);
    // By when it was read: a replay after a second reset finds the reading of before, and its time over.
    if (isAtRest(reading) && clearAtMs <= reading.observedAtMs) return firstBaseline(reading, readInRunId);
    const settled = await settleFirst(run, reading, clearAtMs, progress);
    if ('name' in settled) return settled;
    const baseline = firstBaseline(settled, readInRunId);
    return clearAfterResetAtMs === 0 ? baseline : { ...baseline, readAfterReset: true };
  } catch (error) {
    if (isCancellation(error)) return null;
    const { name, message } = rootCause(error);
    return failureRecord(isFailureName(name) ? name : 'Unreachable', message);
  }
}

/** Somebody's cloud job is in flight, or the holder before left something unseen: wait for it, within the first step's time. */
async function settleFirst(
  run: TargetRunArguments,
  reading: Observation,
  clearAtMs: number,
  progress: ProgressOfTarget,
): Promise<Observation | FailureRecord> {
  progress.enter('settling');
  const { target, steps } = run.targetPlan;
  const firstStep = steps.find((step) => step.kind === 'action');
  const nowMs = Date.now();
  const sent = clearAtMs > nowMs ? 'unknown' : 'no';
  const { limits, deadlineAtMs } = run;
  const settled = await settleTarget(
    {
      target,
      action: null,
      before: { ...firstBaseline(reading), observation: null },
      left: endedAs(nothingKnown(sent, { nowMs, clearAtMs, decidedAtMs: nowMs }), { kind: 'succeeded' }),
      prior: null,
      deadlineAtMs: Math.min(deadlineAtMs, nowMs + (firstStep?.deadlineMs ?? 0) + unseenAttemptMs(limits)),
      verify: { withinMs: 0, stableMs: 0 },
      verifyAfterCancel: false,
      usualDurationMs: firstStep?.usualDurationMs ?? 0,
      limits,
    },
    `settle ${target.path} before the first step`,
  );
  const ending = endingOf(settled);
  if (ending.kind === 'succeeded' && settled.seen !== null) return settled.seen;
  const why = 'message' in ending ? ending.message : 'no reading succeeded';
  return failureRecord('failure' in ending ? ending.failure : 'TargetBusy', why);
}

function firstBaseline(observation: Observation, readInRunId?: string): Baseline {
  const { lastJobId } = observation;
  return {
    observation,
    lastJobId,
    knownCloudJobIds: lastJobId === null ? [] : [lastJobId],
    ...(readInRunId === undefined ? {} : { readInRunId }),
  };
}

async function takeSteps(
  run: TargetRunArguments,
  from: Baseline,
  progress: ProgressOfTarget,
  scope: CancellationScope,
): Promise<Course> {
  const steps: StepReport[] = [];
  const done: DoneStep[] = [];
  let baseline = from;
  let undoAsked = false;
  for (const step of run.targetPlan.steps) {
    const outcome = scope.consideredCancelled
      ? await lookAfterReset(step, baseline, run)
      : await take(step, baseline, run, progress, {
          nowMs: steps.at(-1)?.endedAtMs ?? baseline.observation.observedAtMs,
          closing: isBegun(baseline, steps) ? undefined : run.closing,
        });
    if (outcome === null) break;
    baseline = outcome.baseline;
    steps.push(outcome.report);
    if (outcome.done !== null) done.push(outcome.done);
    progress.stepEnds(outcome.report);
    const { result, sent, failure } = outcome.report;
    if (result === 'succeeded' || result === 'skipped') continue;
    const onFailure: OnFailure = step.kind === 'wait' ? 'compensate' : step.onFailure;
    // Past its gate nothing is begun any more, whatever a step says of its failures.
    const isTooLate = sent === 'no' && isGateFailure(failure?.name);
    if (result === 'failed' && onFailure === 'continue' && !isTooLate) continue;
    undoAsked = result === 'failed' && onFailure === 'compensate';
    break;
  }
  return { steps, done, baseline, undoAsked };
}

/** What was sent before a reset is in no step of the run that goes on, so that it is never held to its gate. */
function isBegun(baseline: Baseline, steps: readonly StepReport[]): boolean {
  if (baseline.readAfterReset === true || isDecidedBeforeReset(baseline)) return true;
  return steps.some(({ sent }) => sent !== 'no');
}

function take(
  step: PlannedStep,
  baseline: Baseline,
  run: TargetRunArguments,
  progress: ProgressOfTarget,
  times: Pick<StepTimes, 'nowMs' | 'closing'>,
): Promise<StepOutcome> {
  progress.stepBegins(step.id);
  if (step.kind === 'wait') return performWaitStep(step, baseline, { ...times, deadlineAtMs: run.deadlineAtMs });
  const deadlineAtMs = Math.min(Math.max(Date.now(), times.nowMs) + step.deadlineMs, run.deadlineAtMs);
  return performActionStep(step, baseline, run, { ...times, deadlineAtMs });
}

interface Ending {
  readonly captured?: Observation;
  readonly course?: Course;
  readonly compensated?: Compensated;
  readonly failure?: FailureRecord;
  readonly cancelRequested: boolean;
}

function report(run: TargetRunArguments, progress: ProgressOfTarget, ending: Ending): TargetReport {
  const { captured = null, course, compensated = NOTHING_UNDONE, failure, cancelRequested } = ending;
  const steps = course?.steps ?? [];
  const { reports: compensations, remaining } = compensated;
  const { target } = run.targetPlan;
  const outcome = targetOutcome({ steps, compensations, remaining, cancelRequested, failure: failure ?? null });
  progress.finish(outcome);
  const lastSeen = [...steps, ...compensations].findLast(({ after }) => after !== null)?.after ?? captured;
  const whole: TargetReport = {
    path: target.path,
    instanceId: target.instanceId,
    leaseId: leaseId(target),
    outcome,
    steps,
    notReached: run.targetPlan.steps.slice(steps.length).map(({ id }) => id),
    compensations,
    remaining,
    captured,
    lastSeen,
    ...(failure === undefined ? {} : { failure }),
    childRunId: workflowInfo().runId,
  };
  return boundedTargetReport(whole, run.reportBytes ?? targetReportBytes(MOST_TARGETS));
}
