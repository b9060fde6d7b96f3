/** The workflow of one target, as in `src/workflows/target-run.ts` and `compensate.ts`, in virtual time: capture, steps, undo, outcome. */
import { describeAction } from '../../src/domain/target/actions.js';
import { isAtRest } from '../../src/domain/target/cloud-job.js';
import { owedUndos, type DoneStep, type OwedUndo } from '../../src/domain/report/compensation.js';
import type { Baseline } from '../../src/domain/contract.js';
import { failureRecord, type FailureName } from '../../src/domain/failures.js';
import { isGateFailure } from '../../src/domain/gates/gates.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import { endedAs, endingOf, nothingKnown } from '../../src/domain/once/state.js';
import { targetOutcome } from '../../src/domain/report/outcome.js';
import type { ActionStep } from '../../src/domain/plan/plan.js';
import type { RemainingEffect, StepReport } from '../../src/domain/report/report.js';
import { doneOf } from '../../src/domain/steering/decisions.js';
import { statusMeaning, type Observation } from '../../src/domain/target/target.js';
import type { TargetOfRun } from './ground-truth.js';
import type { Context, Flow, RunArguments } from './flow.js';
import { resolveBlocked } from './operator-flow.js';
import type { PlannedRun } from './scenario.js';
import { isDecidedBefore, settleAfterReset, performStep, rulesOf, settleToCloseMs } from './step-flow.js';

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
  const { steps, done, baseline, undoAsked } = yield* runSteps(context, run, captured);
  const isClear = steps.every(({ result }) => result !== 'indeterminate');
  const undo = isClear && (context.cancelled ? run.plan.onCancel === 'compensate' : undoAsked);
  const undone = undo ? yield* compensate(context, run, done, baseline) : { compensations: [], remaining: [] };
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

interface Course {
  readonly steps: readonly StepReport[];
  readonly done: readonly DoneStep[];
  readonly baseline: Baseline;
  readonly undoAsked: boolean;
}

function* runSteps(context: Context, run: RunArguments, from: Baseline): Flow<Course> {
  const steps: StepReport[] = [];
  const done: DoneStep[] = [];
  let baseline = from;
  let undoAsked = false;
  let heldMs = 0;
  for (const [index, planned] of run.plan.steps.entries()) {
    const step = stepOf(planned, index, run);
    heldMs += yield* atEdge(context, run);
    const isBegun =
      baseline.readAfterReset === true || isDecidedBefore(baseline, context) || steps.some(({ sent }) => sent !== 'no');
    const times = {
      nowMs: context.nowMs,
      deadlineAtMs: Math.min(context.nowMs + step.deadlineMs, run.deadlineAtMs + heldMs),
      closing: isBegun ? undefined : (run.closing ?? undefined),
    };
    let outcome = context.cancelled
      ? yield* settleAfterReset(step, baseline, context, run)
      : yield* performStep(step, baseline, context, run, times, true);
    if (outcome === null) break;
    const resolved = yield* resolveBlocked(step, outcome, context, run, times.closing);
    if (resolved !== null) outcome = resolved.outcome;
    baseline = outcome.baseline;
    // By the name of the step, whichever of its decisions ended it.
    steps.push({ ...outcome.report, id: step.id });
    done.push(...doneOf({ earlier: resolved?.earlier ?? [], outcome }));
    const { result, sent, failure } = outcome.report;
    if (result === 'succeeded' || result === 'skipped') continue;
    const isTooLate = sent === 'no' && isGateFailure(failure?.name);
    if (result === 'failed' && planned.onFailure === 'continue' && !isTooLate) continue;
    undoAsked = result === 'failed' && (planned.onFailure === 'compensate' || planned.onFailure === 'pause');
    break;
  }
  return { steps, done, baseline, undoAsked };
}

/** Waits while the run is paused. @returns how long, which counts against no deadline */
function* atEdge(context: Context, { plan }: RunArguments): Flow<number> {
  if (plan.commands === undefined || context.cancelled) return 0;
  const fromMs = context.nowMs;
  yield { kind: 'edge', isCancellable: true };
  return context.nowMs - fromMs;
}

/** How long reaching the desired state may take. Chosen: shorter than the catalogue's, so that a run ends after fewer readings. */
const VERIFY_WITHIN_MS = 30_000;

function stepOf(planned: PlannedRun['steps'][number], index: number, { usualDurationMs }: RunArguments): ActionStep {
  const { action, deadlineMs, stableMs, holds, onFailure, compensation } = planned;
  const verify = { withinMs: VERIFY_WITHIN_MS, stableMs };
  const id = `${index + 1}-${action.action}`;
  const step: ActionStep = { kind: 'action', id, action, deadlineMs, verify, usualDurationMs, onFailure, compensation };
  return holds === false ? { ...step, holds } : step;
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
    const step = undoStep(undo, index + 1 === undos.length);
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

function undoStep({ step, action }: OwedUndo, isLast: boolean): ActionStep {
  const { holds: _ofTheStep, ...rest } = step;
  const compensation = { kind: 'none', reason: 'an undo is not undone' } as const;
  const undo: ActionStep = { ...rest, id: `undo-${step.id}`, action, onFailure: 'continue', compensation };
  return isLast ? undo : { ...undo, holds: false };
}

function notSent({ step, action }: OwedUndo, why: string): RemainingEffect {
  return { stepId: step.id, action: step.action, why: `${describeAction(action)}: ${why}`, kind: 'notUndone' };
}
