/** One step: perform its action and settle what is not clear, or wait. Never throws for an expected turn; the report says what was seen. */
import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import { describeAction } from '../domain/target/actions.js';
import type { Baseline, TargetRunArguments } from '../domain/contract.js';
import { failureRecord } from '../domain/failures.js';
import { unseenAttemptMs } from '../domain/once/limits.js';
import { unsettled } from '../domain/once/settling.js';
import { endedAs, endingOf, type OnceState } from '../domain/once/state.js';
import { cancelled, failed, nothingSent, nothingReported, type Decided } from '../domain/once/activity-end.js';
import type { ActionStep, PlannedStep, WaitStep } from '../domain/plan/plan.js';
import type { StepReport, StepResult } from '../domain/report/report.js';
import { needsSettling, stepOutcome, type StepOutcome } from '../domain/report/step-outcome.js';
import { performAction, settleTarget } from './proxies.js';
import { obstacleTo, type StepTimes } from './step-obstacle.js';
import { sleepUntil } from './timers.js';
import { stateOfFailure } from './untold-attempts.js';

export async function performActionStep(
  step: ActionStep,
  baseline: Baseline,
  run: TargetRunArguments,
  times: StepTimes,
): Promise<StepOutcome> {
  const startedAtMs = Math.max(Date.now(), times.nowMs);
  const decided = decidedAt(baseline, run, startedAtMs);
  const obstacle = obstacleTo(step, baseline, times);
  if (obstacle === null)
    return settledOutcome(
      step,
      baseline,
      run,
      await act(step, baseline, run, { ...times, nowMs: startedAtMs }),
      startedAtMs,
    );
  const ending = failed(obstacle.name, obstacle.message);
  const left = isDecidedBeforeReset(baseline) ? nothingReported(ending, decided) : nothingSent(ending, decided);
  return settledOutcome(step, baseline, run, left, startedAtMs);
}

/** For a step that a cancelled run does not begin any more: what came of it where a reset may have cut it off, else `null`. */
export async function lookAfterReset(
  step: PlannedStep,
  baseline: Baseline,
  run: TargetRunArguments,
): Promise<StepOutcome | null> {
  if (step.kind !== 'action' || !isDecidedBeforeReset(baseline)) return null;
  const nowMs = Date.now();
  const left = nothingReported(cancelled('Cancelled before it began'), decidedAt(baseline, run, nowMs));
  return settledOutcome(step, baseline, run, left, nowMs);
}

/** After a reset to a point before a step was scheduled, an attempt of the run that was reset may still be carrying it out. */
export function isDecidedBeforeReset(baseline: Baseline): boolean {
  return decidedInRunId(baseline) !== workflowInfo().runId;
}

function decidedInRunId({ readInRunId }: Baseline): string {
  return readInRunId ?? workflowInfo().originalExecutionRunId;
}

function decidedAt(baseline: Baseline, { limits }: TargetRunArguments, nowMs: number): Decided {
  return { nowMs, limits, decidedAtMs: isDecidedBeforeReset(baseline) ? baseline.observation.observedAtMs : nowMs };
}

async function act(
  step: ActionStep,
  before: Baseline,
  run: TargetRunArguments,
  { nowMs, deadlineAtMs, closing }: StepTimes,
): Promise<OnceState> {
  const { target } = run.targetPlan;
  const { id: stepId, action } = step;
  try {
    return await performAction(
      {
        ...rulesOf(step, before, run, deadlineAtMs),
        stepId,
        action,
        before,
        decidedInRunId: decidedInRunId(before),
        ...(closing === undefined ? {} : { closing }),
      },
      `${stepId}: ${describeAction(action)} on ${target.path}`,
    );
  } catch (error) {
    return stateOfFailure(error, { ...decidedAt(before, run, nowMs), nowMs: Date.now() });
  }
}

function rulesOf(
  { action, verify, usualDurationMs }: ActionStep,
  before: Baseline,
  run: TargetRunArguments,
  deadlineAtMs: number,
) {
  const { targetPlan, onCancel, limits } = run;
  const { target } = targetPlan;
  return {
    action,
    target,
    before,
    deadlineAtMs,
    verify,
    verifyAfterCancel: onCancel !== 'leave',
    usualDurationMs,
    limits,
  };
}

async function settledOutcome(
  step: ActionStep,
  baseline: Baseline,
  run: TargetRunArguments,
  left: OnceState,
  startedAtMs: number,
): Promise<StepOutcome> {
  const state = needsSettling(left) ? await settle(step, baseline, run, left) : left;
  // Recorded in history, unlike the time by the clock.
  return stepOutcome(step, baseline, state, { startedAtMs, endedAtMs: Math.max(startedAtMs, state.atMs) });
}

/** Shielded: what may be in flight is waited for, whatever is asked meanwhile. One that cannot be carried out does not end the run. */
async function settle(
  step: ActionStep,
  before: Baseline,
  run: TargetRunArguments,
  left: OnceState,
): Promise<OnceState> {
  const deadlineAtMs = Date.now() + unseenAttemptMs(run.limits) + step.deadlineMs;
  const request = { ...rulesOf(step, before, run, deadlineAtMs), left, prior: endingOf(left) };
  const summary = `${step.id}: settle ${run.targetPlan.target.path}`;
  try {
    return await CancellationScope.nonCancellable(() => settleTarget(request, summary));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return endedAs(left, unsettled(left, request.prior, why));
  }
}

/** Waits, at most until the run's deadline. */
export async function performWaitStep(
  step: WaitStep,
  baseline: Baseline,
  { nowMs: startedAtMs, deadlineAtMs }: StepTimes,
): Promise<StepOutcome> {
  const durationMs = Math.min(step.durationMs, deadlineAtMs - startedAtMs);
  let result: StepResult = 'succeeded';
  let endedAtMs = startedAtMs;
  try {
    if (durationMs > 0) endedAtMs = await sleepUntil(startedAtMs + durationMs);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    result = 'cancelled';
    endedAtMs = Date.now();
  }
  const cut = result === 'succeeded' && durationMs < step.durationMs;
  const report: StepReport = {
    id: step.id,
    action: null,
    result: cut ? 'failed' : result,
    sent: 'no',
    cloudJobId: null,
    startedAtMs,
    endedAtMs,
    before: null,
    after: null,
    attempts: 0,
    trail: [],
    ...(cut ? { failure: failureRecord('DeadlinePassed', 'The deadline of the run passed during this wait') } : {}),
  };
  return { report, baseline, done: null };
}
