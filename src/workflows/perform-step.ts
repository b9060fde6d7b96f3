/** One step: carries out its action and settles what is not clear, or waits. */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Baseline, TargetRunArguments } from '../domain/contract.js';
import { cancelled, nothingReported, nothingSent, stateAfter, type Decided } from '../domain/once/activity-end.js';
import type { OnceRules } from '../domain/once/events.js';
import { unseenAttemptMs } from '../domain/once/limits.js';
import { unsettled } from '../domain/once/settling.js';
import { endedAs, endingOf, finalFailure, type Ending, type OnceState } from '../domain/once/state.js';
import {
  requiredState,
  type ActionStep,
  type ApprovalStep,
  type PlannedStep,
  type WaitStep,
} from '../domain/plan/plan.js';
import { needsSettling, stepOutcome, waitOutcome, type StepOutcome } from '../domain/report/step-outcome.js';
import { describeAction } from '../domain/target/actions.js';
import { performCheckStep } from './perform-check.js';
import { activityEnd } from './activity-failure.js';
import { decidedInRunId, isDecidedBeforeReset, wasDecidedBeforeReset } from './after-reset.js';
import { performAction, settleTarget } from './proxies.js';
import { obstacleTo, type StepTimes } from './step-obstacle.js';
import { sleepUntil } from './timers.js';

/** Carries out one planned step, within its own deadline and the run's. */
export function performStep(
  step: Exclude<PlannedStep, ApprovalStep>,
  baseline: Baseline,
  request: TargetRunArguments,
  times: Pick<StepTimes, 'nowMs' | 'closing'>,
): Promise<StepOutcome> {
  if (step.kind === 'wait') return performWaitStep(step, baseline, times.nowMs, request.deadlineAtMs);
  if (step.kind === 'check') return performCheckStep(step, baseline, request, times.nowMs);
  const deadlineAtMs = Math.min(Math.max(Date.now(), times.nowMs) + step.deadlineMs, request.deadlineAtMs);
  return performActionStep(step, baseline, request, { ...times, deadlineAtMs });
}

/** Waits for the time of the step, at most until the run's deadline. Epoch milliseconds. */
async function performWaitStep(
  step: WaitStep,
  baseline: Baseline,
  startedAtMs: number,
  deadlineAtMs: number,
): Promise<StepOutcome> {
  const endsAtMs = Math.min(startedAtMs + step.durationMs, deadlineAtMs);
  try {
    const endedAtMs = endsAtMs > startedAtMs ? await sleepUntil(endsAtMs) : startedAtMs;
    const isCut = endsAtMs < startedAtMs + step.durationMs;
    return waitOutcome(step, baseline, { kind: isCut ? 'deadlinePassed' : 'succeeded', startedAtMs, endedAtMs });
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return waitOutcome(step, baseline, { kind: 'cancelled', startedAtMs, endedAtMs: Date.now() });
  }
}

/** Carries out the step's action at most once. @returns the outcome, once it is clear what the step did, also if it failed or was cancelled */
export async function performActionStep(
  step: ActionStep,
  baseline: Baseline,
  request: TargetRunArguments,
  times: StepTimes,
): Promise<StepOutcome> {
  const startedAtMs = Math.max(Date.now(), times.nowMs);
  const obstacle = obstacleTo(step, baseline, times);
  let left: OnceState;
  if (obstacle === null) {
    const decided = decidedAt(baseline, request, startedAtMs, isDecidedBeforeReset(baseline));
    left = await act(step, baseline, request, times, decided);
  } else {
    const ending = finalFailure(obstacle.name, obstacle.message);
    const isBeforeReset = await wasDecidedBeforeReset(baseline);
    const decided = decidedAt(baseline, request, startedAtMs, isBeforeReset);
    left = isBeforeReset ? nothingReported(ending, decided) : nothingSent(ending, decided);
  }
  return settledOutcome(step, baseline, request, left, startedAtMs);
}

/**
 * For a step that is no longer begun: the run was cancelled, a check failed, or an approval was not given.
 *
 * @param ending how the step then counts
 * @returns what came of the step if a reset may have cut it off; otherwise `null`
 */
export async function settleAfterReset(
  step: PlannedStep,
  baseline: Baseline,
  request: TargetRunArguments,
  ending: Ending = cancelled('Cancelled before it began'),
): Promise<StepOutcome | null> {
  if (step.kind !== 'action' || !(await wasDecidedBeforeReset(baseline))) return null;
  const nowMs = Date.now();
  const left = nothingReported(ending, decidedAt(baseline, request, nowMs, true));
  return settledOutcome(step, baseline, request, left, nowMs);
}

function decidedAt(baseline: Baseline, { limits }: TargetRunArguments, nowMs: number, isBeforeReset: boolean): Decided {
  return { nowMs, limits, decidedAtMs: isBeforeReset ? baseline.observation.observedAtMs : nowMs };
}

async function act(
  step: ActionStep,
  before: Baseline,
  request: TargetRunArguments,
  { deadlineAtMs, closing }: StepTimes,
  decided: Decided,
): Promise<OnceState> {
  const { id: stepId, action } = step;
  try {
    return await performAction(
      {
        ...rulesOf(step, before, request, deadlineAtMs),
        stepId,
        action,
        before,
        decidedInRunId: decidedInRunId(before),
        ...(closing === undefined ? {} : { closing }),
      },
      `${stepId}: ${describeAction(action)} on ${request.targetPlan.target.path}`,
    );
  } catch (error) {
    return stateAfter(activityEnd(error), { ...decided, nowMs: Date.now() });
  }
}

function rulesOf(
  step: ActionStep,
  before: Baseline,
  { targetPlan, onCancel, limits }: TargetRunArguments,
  deadlineAtMs: number,
): OnceRules {
  return {
    action: step.action,
    target: targetPlan.target,
    before,
    deadlineAtMs,
    verify: requiredState(step),
    verifyAfterCancel: onCancel !== 'leave',
    limits,
  };
}

async function settledOutcome(
  step: ActionStep,
  baseline: Baseline,
  request: TargetRunArguments,
  left: OnceState,
  startedAtMs: number,
): Promise<StepOutcome> {
  const state = needsSettling(left) ? await settle(step, baseline, request, left) : left;
  // The state's time is recorded in history, unlike the clock's.
  return stepOutcome(step, baseline, state, { startedAtMs, endedAtMs: Math.max(startedAtMs, state.atMs) });
}

/** A cancel does not reach it: what may be in flight is waited for. If the activity cannot be carried out, the step ends unclear and the run continues. */
async function settle(
  step: ActionStep,
  before: Baseline,
  request: TargetRunArguments,
  left: OnceState,
): Promise<OnceState> {
  const deadlineAtMs = Date.now() + unseenAttemptMs(request.limits) + step.deadlineMs;
  const prior = endingOf(left);
  const unclear = { ...rulesOf(step, before, request, deadlineAtMs), left, prior };
  const summary = `${step.id}: settle ${request.targetPlan.target.path}`;
  try {
    return await CancellationScope.nonCancellable(() => settleTarget(unclear, summary));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return endedAs(left, unsettled(left, prior, why));
  }
}
