/** The workflow of one target, as in `src/workflows/target-run.ts` and `compensate.ts`, in virtual time: capture, steps, undo, outcome. */
import { describeAction } from '../../src/domain/target/actions.js';
import { isAtRest } from '../../src/domain/target/cloud-job.js';
import { owedUndos, undoStep, type DoneStep, type OwedUndo } from '../../src/domain/report/compensation.js';
import type { Baseline } from '../../src/domain/contract.js';
import { failureRecord, type FailureName } from '../../src/domain/failures.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import { endedAs, endingOf, nothingKnown, type Ending } from '../../src/domain/once/state.js';
import { targetOutcome } from '../../src/domain/report/outcome.js';
import type { ActionStep, PlannedStep } from '../../src/domain/plan/plan.js';
import type { RemainingEffect, StepReport } from '../../src/domain/report/report.js';
import type { StepOutcome } from '../../src/domain/report/step-outcome.js';
import { afterStep, heldBackBy, isUndoDue, type StepsResult } from '../../src/domain/report/steps-result.js';
import { doneOf, type BlockedStep } from '../../src/domain/steering/decisions.js';
import { statusMeaning, type Observation } from '../../src/domain/target/target.js';
import { performCheck, untilApproved, type Approved } from './aside-flow.js';
import type { TargetOfRun } from './ground-truth.js';
import type { Context, Flow, RunArguments } from './flow.js';
import { resolveBlocked } from './operator-flow.js';
import { checkOf, plannedSteps } from './planned-steps.js';
import {
  isDecidedBefore,
  performStep,
  rulesOf,
  settleAfterReset,
  settleToCloseMs,
  wasDecidedBefore,
} from './step-flow.js';

/** Why a run is not begun. */
type Refusal = FailureName | 'cancelled';

/**
 * @yields what it waits for
 *
 * @returns its report
 */
export function* targetRun(context: Context, run: RunArguments): Flow<TargetOfRun> {
  const captured = yield* captureAtRest(context, run);
  if (typeof captured === 'string')
    return reported({ steps: [], compensations: [], remaining: [] }, captured, null, context);
  const result = yield* runSteps(context, run, captured);
  const { steps, done, baseline } = result;
  const isDue = isUndoDue(result, run.plan.onCancel, context.cancelled);
  const undone = isDue ? yield* compensate(context, run, done, baseline) : { compensations: [], remaining: [] };
  return reported({ steps, ...undone }, null, captured.observation, context);
}

function reported(
  course: Pick<TargetOfRun, 'steps' | 'compensations' | 'remaining'>,
  refusal: Refusal | null,
  captured: Observation | null,
  { cancelled }: Context,
): TargetOfRun {
  const failure = refusal === null || refusal === 'cancelled' ? null : failureRecord(refusal, refusal);
  const cancelRequested = cancelled || refusal === 'cancelled';
  return { ...course, outcome: targetOutcome({ ...course, cancelRequested, failure }), captured, failure: refusal };
}

function* captureAtRest(context: Context, run: RunArguments): Flow<Baseline | Refusal> {
  // Waits until nothing that an attempt from before a reset may still send can be invisible, even if the run is cancelled meanwhile.
  const isCancellable = context.runId === context.originalRunId;
  const first = yield { kind: 'observe', isCancellable };
  if (first.kind === 'cancelled') return 'cancelled';
  if (first.kind === 'unreadable') return first.failure;
  if (first.kind !== 'observed') throw new TypeError(`A reading cannot end ${first.kind}`);
  const { clearAtMs: clearAfterResetAtMs, readInRunId, ...reading } = first.reading;
  if (statusMeaning(reading.status) === 'deleted') return 'TargetNotFound';
  const clearAtMs = Math.max(clearAfterResetAtMs, run.clearAtMs);
  if (isAtRest(reading) && clearAtMs <= reading.observedAtMs) return firstBaseline(reading, readInRunId);
  const settled = yield* settleFirst(context, run, reading, readInRunId, { clearAtMs, isCancellable });
  if (typeof settled === 'string') return settled;
  const baseline = firstBaseline(settled.seen, settled.settledInRunId);
  const isAfterReset = clearAfterResetAtMs !== 0 || settled.settledInRunId !== readInRunId;
  return isAfterReset ? { ...baseline, readAfterReset: true } : baseline;
}

function* settleFirst(
  context: Context,
  run: RunArguments,
  reading: Observation,
  readInRunId: string,
  { clearAtMs, isCancellable }: { readonly clearAtMs: number; readonly isCancellable: boolean },
): Flow<{ readonly seen: Observation; readonly settledInRunId: string } | Refusal> {
  const { nowMs } = context;
  const deadlineAtMs = Math.min(
    run.deadlineAtMs,
    nowMs + (run.plan.steps[0]?.deadlineMs ?? 0) + unseenAttemptMs(run.limits),
  );
  const rules = rulesOf(run, null, firstBaseline(reading, readInRunId), deadlineAtMs);
  const known = nothingKnown(clearAtMs > nowMs ? 'unknown' : 'no', { nowMs, clearAtMs, decidedAtMs: nowMs });
  const answer = yield {
    kind: 'activity',
    stepId: 'first',
    goal: { left: endedAs(known, { kind: 'succeeded' }), prior: null },
    rules,
    decidedInRunId: readInRunId,
    scheduleToCloseMs: settleToCloseMs(context, rules, clearAtMs),
    isCancellable,
  };
  if (answer.kind === 'cancelled') return 'cancelled';
  if (answer.kind !== 'ended') throw new TypeError(`An activity cannot end ${answer.kind}`);
  if (answer.end.kind === 'timedOut') return 'Unreachable';
  const { state } = answer.end;
  if (answer.end.kind === 'cancelled' || state === null) return 'cancelled';
  const ending = endingOf(state);
  if (ending.kind === 'cancelled') return 'cancelled';
  const settledInRunId = answer.end.kind === 'completed' ? answer.end.settledInRunId : null;
  return ending.kind === 'succeeded' && state.seen !== null && settledInRunId !== null
    ? { seen: state.seen, settledInRunId }
    : 'TargetBusy';
}

function firstBaseline(observation: Observation, readInRunId: string): Baseline {
  const { lastJobId } = observation;
  return { observation, lastJobId, knownCloudJobIds: lastJobId === null ? [] : [lastJobId], readInRunId };
}

function* runSteps(context: Context, run: RunArguments, from: Baseline): Flow<StepsResult> {
  const steps: StepReport[] = [];
  const done: DoneStep[] = [];
  let baseline = from;
  let undoAsked = false;
  let heldBack: Ending | null = null;
  let heldMs = 0;
  let nowMs = baseline.observation.observedAtMs;
  for (const step of plannedSteps(run.plan, run.usualDurationMs)) {
    nowMs = Math.max(nowMs, steps.at(-1)?.endedAtMs ?? nowMs);
    const waitedMs = yield* atEdge(context, run);
    if (waitedMs > 0) nowMs = Math.max(nowMs, context.nowMs);
    heldMs += waitedMs;
    let outcome: StepOutcome | null;
    let doneSteps: readonly DoneStep[] | null = null;
    if (context.cancelled) outcome = yield* settleAfterReset(step, baseline, context, run);
    else if (heldBack !== null) outcome = yield* settleAfterReset(step, baseline, context, run, heldBack);
    else if (step.kind === 'approval') {
      const approved: Approved = yield* untilApproved(step, baseline, nowMs, context, run);
      heldMs += approved.heldMs;
      ({ outcome } = approved);
      // A rejection is undone once the run is not paused.
      if (outcome.report.result === 'failed') heldMs += yield* atEdge(context, run);
    } else if (step.kind === 'check') {
      const times = { nowMs, deadlineAtMs: run.deadlineAtMs + heldMs };
      outcome = yield* performCheck(step, checkOf(run.plan, step.id), baseline, times, context);
    } else {
      const action = actionOf(step);
      const isBegun =
        baseline.readAfterReset === true ||
        isDecidedBefore(baseline, context) ||
        steps.some(({ sent }) => sent !== 'no');
      const times = {
        nowMs: context.nowMs,
        deadlineAtMs: Math.min(context.nowMs + action.deadlineMs, run.deadlineAtMs + heldMs),
        closing: isBegun ? undefined : (run.closing ?? undefined),
      };
      outcome = yield* performStep(action, baseline, context, run, times, true);
      const resolved: BlockedStep | null = yield* resolveBlocked(action, outcome, context, run, times.closing);
      if (resolved !== null) {
        ({ outcome } = resolved);
        doneSteps = doneOf(resolved);
      }
    }
    if (outcome === null) {
      if (yield* isPassed(step, baseline)) continue;
      break;
    }
    baseline = outcome.baseline;
    // By the name of the step, whichever of its decisions ended it.
    steps.push({ ...outcome.report, id: step.id });
    done.push(...(doneSteps ?? (outcome.done === null ? [] : [outcome.done])));
    const next = afterStep(step, outcome.report);
    undoAsked ||= heldBack === null && next === 'undo';
    if (next !== 'nextStep' && !(yield* isPassed(step, baseline))) break;
    if (next !== 'nextStep') heldBack ??= heldBackBy(step, outcome.report);
  }
  return { steps, done, baseline, undoAsked };
}

/** The run before a reset may have been past this approval or check, in a step that is not clear yet. */
function* isPassed({ kind }: PlannedStep, baseline: Baseline): Flow<boolean> {
  return kind !== 'action' && (yield* wasDecidedBefore(baseline));
}

/** Plans of the model have no waits. @throws TypeError for a step that has no action */
function actionOf(step: PlannedStep): ActionStep {
  if (step.kind !== 'action') throw new TypeError(`${step.id} has no action`);
  return step;
}

/** Waits while the run is paused. @returns how long, which counts against no deadline */
function* atEdge(context: Context, { plan }: RunArguments): Flow<number> {
  if (plan.commands === undefined || context.cancelled) return 0;
  const fromMs = context.nowMs;
  yield { kind: 'edge', isCancellable: true };
  return context.nowMs - fromMs;
}

function* compensate(
  context: Context,
  run: RunArguments,
  done: readonly DoneStep[],
  baseline: Baseline,
): Flow<Pick<TargetOfRun, 'compensations' | 'remaining'>> {
  const { undos, remaining: stays } = owedUndos(done);
  const compensations: StepReport[] = [];
  const remaining = [...stays];
  let from = baseline;
  for (const [index, undo] of undos.entries()) {
    if (compensations.some(({ result }) => result === 'indeterminate')) {
      remaining.push(notSent(undo, 'an earlier undo is indeterminate'));
      continue;
    }
    // The product gives an undo at least the time of the action table; with less an interleaving ends after fewer polls.
    const { deadlineMs } = undo.step;
    const step = { ...undoStep(undo, [undo.step], index + 1 === undos.length), deadlineMs };
    // An undo has its own deadline: a run that ran out of time is still undone.
    const times = { nowMs: context.nowMs, deadlineAtMs: context.nowMs + step.deadlineMs };
    const outcome = yield* performStep(step, from, context, run, times, false);
    from = outcome.baseline;
    compensations.push(outcome.report);
    const { result } = outcome.report;
    if (result !== 'succeeded' && result !== 'skipped') remaining.push(notSent(undo, `its undo ended ${result}`));
  }
  return { compensations, remaining };
}

function notSent({ step, action }: OwedUndo, why: string): RemainingEffect {
  return { stepId: step.id, action: step.action, why: `${describeAction(action)}: ${why}`, kind: 'notUndone' };
}
