/**
 * The workflow of one target, as `src/workflows/target-run.ts` has it, in virtual time: capture, steps, settle, undo, outcome. A generator, so
 * that a reset can replay it from the results that its history holds.
 */
import { describeAction, ruleOf } from '../../src/domain/actions.js';
import { isAtRest } from '../../src/domain/cloud-job.js';
import { owedUndos, type DoneStep, type OwedUndo } from '../../src/domain/compensation.js';
import { failureRecord, type FailureName } from '../../src/domain/failures.js';
import { isGateFailure } from '../../src/domain/gates.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import type { OnceRules } from '../../src/domain/once/events.js';
import type { Ending, OnceState } from '../../src/domain/once/state.js';
import { targetOutcome } from '../../src/domain/outcome.js';
import type { ActionStep } from '../../src/domain/plan.js';
import type { RemainingEffect, StepReport, StepResult } from '../../src/domain/report.js';
import { statusMeaning, type Observation } from '../../src/domain/target.js';
import { obstacleTo } from '../../src/workflows/step-obstacle.js';
import type { TargetOfRun } from './chronicle.js';
import { INSTANCE_ID } from './cloud.js';
import type { Limits } from '../../src/domain/once/limits.js';
import type { PlannedRun } from './scenario.js';
import type { ActivityEnd } from './server.js';

/** What the workflow waits for. */
export type Ask =
  | { readonly kind: 'observe' }
  | {
      readonly kind: 'activity';
      readonly stepId: string;
      readonly goal: 'act' | { readonly left: OnceState; readonly prior: Ending | null };
      readonly rules: OnceRules;
      readonly decidedInRunId: string;
      readonly scheduleToCloseMs: number;
      /** A cancel of the run reaches it. */
      readonly isCancellable: boolean;
    };

export type Answer =
  | { readonly kind: 'observed'; readonly reading: Observation; readonly inRunId: string }
  | { readonly kind: 'unreadable'; readonly failure: FailureName }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'ended'; readonly end: ActivityEnd };

/** What the workflow can ask of its surroundings without waiting. */
export interface Context {
  readonly runId: string;
  readonly originalRunId: string;
  /** Workflow time: as it was when the newest result came. */
  nowMs: number;
  cancelled: boolean;
}

export interface RunArguments {
  readonly plan: PlannedRun;
  readonly limits: Limits;
  readonly usualDurationMs: number;
  readonly deadlineAtMs: number;
  readonly closesAtMs: number | null;
  readonly unseenUntilMs: number | null;
}

type Flow<Value> = Generator<Ask, Value, Answer>;

interface Baseline {
  readonly observation: Observation;
  readonly lastJobId: string | null;
  readonly knownCloudJobIds: readonly string[];
  readonly readInRunId: string;
  readonly readAfterReset: boolean;
}

interface StepOutcome {
  readonly report: StepReport;
  readonly baseline: Baseline;
  readonly done: DoneStep | null;
}

const DID_NOT_CONVERGE: readonly (FailureName | undefined)[] = ['NotConverged', 'CloudJobFailed', 'CloudJobOverdue'];

export function* targetRun(context: Context, run: RunArguments): Flow<TargetOfRun> {
  const captured = yield* captureAtRest(context, run);
  if (typeof captured === 'string') return reported([], [], [], null, captured, context);
  const { steps, done, baseline, undoAsked } = yield* takeSteps(context, run, captured);
  const isClear = steps.every(({ result }) => result !== 'indeterminate');
  const undo = isClear && (context.cancelled ? run.plan.onCancel === 'compensate' : undoAsked);
  const { reports, remaining } = undo ? yield* compensate(context, run, done, baseline) : { reports: [], remaining: [] };
  return reported(steps, reports, remaining, captured.observation, null, context);
}

function reported(
  steps: readonly StepReport[],
  compensations: readonly StepReport[],
  remaining: readonly RemainingEffect[],
  captured: Observation | null,
  failure: FailureName | 'cancelled' | null,
  { cancelled }: Context,
): TargetOfRun {
  const record = failure === null || failure === 'cancelled' ? null : failureRecord(failure, failure);
  const cancelRequested = cancelled || failure === 'cancelled';
  const outcome = targetOutcome({ steps, compensations, remaining, cancelRequested, failure: record });
  return { outcome, steps, compensations, remaining, captured, failure };
}

/** @returns why it is not begun, where it is not */
function* captureAtRest(context: Context, run: RunArguments): Flow<Baseline | FailureName | 'cancelled'> {
  const first = yield { kind: 'observe' };
  if (first.kind === 'cancelled') return 'cancelled';
  if (first.kind === 'unreadable') return first.failure;
  if (first.kind !== 'observed') throw new TypeError(`A reading cannot end ${first.kind}`);
  const { reading, inRunId } = first;
  if (statusMeaning(reading.status) === 'gone') return 'TargetNotFound';
  const isReadAfterReset = inRunId !== context.originalRunId;
  const clearAtMs = Math.max(
    isReadAfterReset ? context.nowMs + unseenAttemptMs(run.limits) : 0,
    run.unseenUntilMs ?? 0,
  );
  if (isAtRest(reading) && clearAtMs <= context.nowMs) return firstBaseline(reading, inRunId, false);
  const settled = yield* settleFirst(context, run, reading, inRunId, clearAtMs);
  return typeof settled === 'string' ? settled : firstBaseline(settled, inRunId, isReadAfterReset);
}

function* settleFirst(
  context: Context,
  run: RunArguments,
  reading: Observation,
  inRunId: string,
  clearAtMs: number,
): Flow<Observation | FailureName | 'cancelled'> {
  const { limits } = run;
  const [firstStep] = run.plan.steps;
  const sent = clearAtMs <= context.nowMs ? 'no' : 'unknown';
  const left: OnceState = { ...emptyState(context.nowMs, clearAtMs), sent, sentBefore: sent };
  const deadlineAtMs = Math.min(
    run.deadlineAtMs,
    context.nowMs + (firstStep?.deadlineMs ?? 0) + unseenAttemptMs(limits),
  );
  const rules = rulesOf(run, null, { ...firstBaseline(reading, inRunId, false), observation: null }, deadlineAtMs);
  const answer = yield {
    kind: 'activity',
    stepId: 'first',
    goal: { left, prior: null },
    rules,
    decidedInRunId: inRunId,
    scheduleToCloseMs: settleToCloseMs(context, rules, clearAtMs),
    // What an attempt from before a reset may still send is waited out, whatever is asked meanwhile.
    isCancellable: context.runId === context.originalRunId,
  };
  if (answer.kind === 'cancelled') return 'cancelled';
  if (answer.kind !== 'ended') throw new TypeError(`An activity cannot end ${answer.kind}`);
  const { end } = answer;
  if (end.kind === 'cancelled') return 'cancelled';
  if (end.kind === 'timedOut') return 'TargetBusy';
  const { phase, seen } = end.state;
  if (phase.name !== 'ended') throw new TypeError(`A settle cannot end ${phase.name}`);
  if (phase.ending.kind === 'cancelled') return 'cancelled';
  return phase.ending.kind === 'succeeded' && seen !== null ? seen : 'TargetBusy';
}

function firstBaseline(observation: Observation, readInRunId: string, readAfterReset: boolean): Baseline {
  const { lastJobId } = observation;
  return { observation, lastJobId, knownCloudJobIds: lastJobId === null ? [] : [lastJobId], readInRunId, readAfterReset };
}

interface Course {
  readonly steps: readonly StepReport[];
  readonly done: readonly DoneStep[];
  readonly baseline: Baseline;
  readonly undoAsked: boolean;
}

function* takeSteps(context: Context, run: RunArguments, from: Baseline): Flow<Course> {
  const steps: StepReport[] = [];
  const done: DoneStep[] = [];
  let baseline = from;
  let undoAsked = false;
  for (const [index, planned] of run.plan.steps.entries()) {
    const step = stepOf(planned, index, run);
    const isBegun = baseline.readAfterReset || isDecidedBefore(baseline, context) || steps.some(({ sent }) => sent !== 'no');
    if (context.cancelled && !isDecidedBefore(baseline, context)) break;
    const outcome = context.cancelled
      ? yield* settle(step, baseline, context, run, unknownState(baseline, context, run, context.nowMs), cancelledEnding())
      : yield* performStep(step, baseline, context, run, Math.min(context.nowMs + step.deadlineMs, run.deadlineAtMs), !isBegun, true);
    baseline = outcome.baseline;
    steps.push(outcome.report);
    if (outcome.done !== null) done.push(outcome.done);
    const { result, sent, failure } = outcome.report;
    if (result === 'succeeded' || result === 'skipped') continue;
    if (result === 'failed' && planned.onFailure === 'continue' && !(sent === 'no' && isGateFailure(failure?.name))) continue;
    undoAsked = result === 'failed' && planned.onFailure === 'compensate';
    break;
  }
  return { steps, done, baseline, undoAsked };
}

function stepOf(planned: PlannedRun['steps'][number], index: number, run: RunArguments): ActionStep {
  const { action, deadlineMs, stableMs, onFailure, compensation } = planned;
  return {
    kind: 'action',
    id: `${index + 1}-${action.action}`,
    action,
    deadlineMs,
    verify: { withinMs: 30_000, stableMs },
    usualDurationMs: run.usualDurationMs,
    onFailure,
    compensation,
  };
}

function isDecidedBefore({ readInRunId }: Baseline, { runId }: Context): boolean {
  return readInRunId !== runId;
}

function* performStep(
  step: ActionStep,
  baseline: Baseline,
  context: Context,
  run: RunArguments,
  deadlineAtMs: number,
  isHeldToItsGate: boolean,
  isCancellable: boolean,
): Flow<StepOutcome> {
  const { closesAtMs } = run;
  const closing =
    isHeldToItsGate && closesAtMs !== null
      ? { atMs: closesAtMs, failure: 'OutsideWindow' as const, why: 'the window has closed' }
      : undefined;
  const obstacle = obstacleTo(step, baseline, { nowMs: context.nowMs, deadlineAtMs, closing });
  const startedAtMs = context.nowMs;
  if (obstacle !== null) {
    const ending = failedEnding(obstacle.name, obstacle.message);
    return isDecidedBefore(baseline, context)
      ? yield* settle(step, baseline, context, run, unknownState(baseline, context, run, startedAtMs), ending)
      : ended(step, baseline, startedAtMs, context, { ...emptyState(startedAtMs, 0), phase: { name: 'ended', ending } });
  }
  const rules = { ...rulesOf(run, step, baseline, deadlineAtMs), ...(closing === undefined ? {} : { closing }) };
  const answer = yield {
    kind: 'activity',
    stepId: step.id,
    goal: 'act',
    rules,
    decidedInRunId: baseline.readInRunId,
    scheduleToCloseMs: Math.max(deadlineAtMs - context.nowMs, 0) + 2 * run.limits.heartbeatTimeoutMs,
    isCancellable,
  };
  if (answer.kind !== 'ended') throw new TypeError(`An activity cannot end ${answer.kind}`);
  const { left, prior } = believed(answer.end, unknownState(baseline, context, run, startedAtMs));
  const isDone = prior.kind === 'succeeded' || prior.kind === 'skipped';
  const isClear = prior.kind === 'indeterminate' || (isDone ? left.sent !== 'unknown' : left.sent === 'no');
  if (isClear) return ended(step, baseline, startedAtMs, context, left);
  return yield* settle(step, baseline, context, run, left, prior, startedAtMs);
}

/** Only what an attempt said that has ended; without it, anything may have been sent. */
function believed(end: ActivityEnd, unknown: OnceState): { readonly left: OnceState; readonly prior: Ending } {
  if (end.kind === 'timedOut') {
    const { details } = end;
    if (details?.cloudJob != null)
      return {
        left: { ...details, sent: 'yes' },
        prior: failedEnding('CloudJobOverdue', `No worker followed cloud job ${details.cloudJob.id} to its end in time`),
      };
    const { trail = [], attempt = 0 } = details ?? {};
    return { left: { ...unknown, trail, attempt }, prior: failedEnding('Unanswered', 'No worker finished the step in time') };
  }
  if (end.state === null) return { left: unknown, prior: cancelledEnding() };
  const { phase } = end.state;
  if (phase.name !== 'ended') throw new TypeError(`An attempt cannot end ${phase.name}`);
  return { left: end.state, prior: phase.ending };
}

function* settle(
  step: ActionStep,
  baseline: Baseline,
  context: Context,
  run: RunArguments,
  left: OnceState,
  prior: Ending,
  startedAtMs = context.nowMs,
): Flow<StepOutcome> {
  const { limits } = run;
  const rules = rulesOf(run, step, baseline, context.nowMs + unseenAttemptMs(limits) + step.deadlineMs);
  const answer = yield {
    kind: 'activity',
    stepId: `settle-${step.id}`,
    goal: { left, prior },
    rules,
    decidedInRunId: baseline.readInRunId,
    scheduleToCloseMs: settleToCloseMs(context, rules, left.clearAtMs),
    isCancellable: false,
  };
  if (answer.kind !== 'ended') throw new TypeError(`An activity cannot end ${answer.kind}`);
  const { end } = answer;
  if (end.kind === 'completed' || end.kind === 'failed') return ended(step, baseline, startedAtMs, context, end.state);
  const ending: Ending = { kind: 'indeterminate', failure: 'Indeterminate', message: 'settling it could not be carried out' };
  return ended(step, baseline, startedAtMs, context, { ...left, phase: { name: 'ended', ending } });
}

function ended(
  step: ActionStep,
  baseline: Baseline,
  startedAtMs: number,
  context: Context,
  { sent, cloudJob, seen, trail, attempt, phase }: OnceState,
): StepOutcome {
  if (phase.name !== 'ended' || phase.ending.kind === 'superseded') throw new TypeError('A step cannot end like that');
  const { ending } = phase;
  const result: StepResult = ending.kind;
  const after = seen;
  const report: StepReport = {
    id: step.id,
    action: step.action,
    result,
    sent,
    cloudJobId: cloudJob?.id ?? null,
    startedAtMs,
    endedAtMs: context.nowMs,
    before: baseline.observation,
    after,
    attempts: attempt,
    trail,
    ...(cloudJob?.evidence === undefined ? {} : { evidence: cloudJob.evidence }),
    ...('failure' in ending ? { failure: failureRecord(ending.failure, ending.message) } : {}),
  };
  const failedToConverge = DID_NOT_CONVERGE.includes(report.failure?.name);
  const done = sent === 'no' || after === null ? null : { step, sent, before: baseline.observation, after, failedToConverge };
  return { report, baseline: nextBaseline(baseline, after, report.cloudJobId), done };
}

/** The next step starts from the cloud job that was followed, not from what a reading happened to show. */
function nextBaseline(baseline: Baseline, after: Observation | null, cloudJobId: string | null): Baseline {
  const observation = after ?? baseline.observation;
  if (cloudJobId === null) return { ...baseline, observation };
  const { lastJobId, knownCloudJobIds } = baseline;
  const known = lastJobId === null ? [] : [lastJobId];
  return {
    ...baseline,
    observation,
    lastJobId: cloudJobId,
    knownCloudJobIds: [...new Set([...knownCloudJobIds, ...known, cloudJobId])],
  };
}

function* compensate(
  context: Context,
  run: RunArguments,
  done: readonly DoneStep[],
  baseline: Baseline,
): Flow<{ readonly reports: readonly StepReport[]; readonly remaining: readonly RemainingEffect[] }> {
  const { undos, remaining: stays } = owedUndos(done);
  const reports: StepReport[] = [];
  const remaining = [...stays];
  let from = baseline;
  for (const undo of undos) {
    if (reports.some(({ result }) => result === 'indeterminate')) {
      remaining.push(notSent(undo, 'an earlier undo is indeterminate'));
      continue;
    }
    const step = undoStep(undo);
    const outcome = yield* performStep(step, from, context, run, context.nowMs + step.deadlineMs, false, false);
    from = outcome.baseline;
    reports.push(outcome.report);
    const { result } = outcome.report;
    if (result !== 'succeeded' && result !== 'skipped') remaining.push(notSent(undo, `its undo ended ${result}`));
  }
  return { reports, remaining };
}

function undoStep({ step, action }: OwedUndo): ActionStep {
  return {
    ...step,
    id: `undo-${step.id}`,
    action,
    usualDurationMs: step.usualDurationMs,
    onFailure: 'continue',
    compensation: { kind: 'none', reason: 'an undo is not undone' },
  };
}

function notSent({ step, action }: OwedUndo, why: string): RemainingEffect {
  return { stepId: step.id, action: step.action, why: `${describeAction(action)}: ${why}`, kind: 'notUndone' };
}

function rulesOf(
  run: RunArguments,
  step: ActionStep | null,
  { observation, lastJobId, knownCloudJobIds }: Omit<Baseline, 'observation'> & { readonly observation: Observation | null },
  deadlineAtMs: number,
): OnceRules {
  return {
    action: step?.action ?? null,
    target: { path: 'shop/web/web-1', instanceId: INSTANCE_ID },
    before: { observation, lastJobId, knownCloudJobIds },
    deadlineAtMs,
    verify: step?.verify ?? { withinMs: 30_000, stableMs: 0 },
    verifyAfterCancel: run.plan.onCancel !== 'leave',
    usualDurationMs: step?.usualDurationMs ?? (ruleOf({ action: 'restart' }).usualDurationMs),
    limits: run.limits,
  };
}

function settleToCloseMs({ nowMs }: Context, { deadlineAtMs, limits }: OnceRules, clearAtMs: number): number {
  return Math.max(deadlineAtMs - nowMs, clearAtMs - nowMs, 0) + 3 * limits.heartbeatTimeoutMs;
}

/** Nothing is known: an attempt that nobody hears of may have sent. */
function unknownState(baseline: Baseline, context: Context, { limits }: RunArguments, startedAtMs: number): OnceState {
  const state = emptyState(context.nowMs, context.nowMs + unseenAttemptMs(limits));
  // A reset run settles what was decided before the reset.
  const decidedAtMs = isDecidedBefore(baseline, context) ? baseline.observation.observedAtMs : startedAtMs;
  return { ...state, sent: 'unknown', sentBefore: 'unknown', decidedAtMs };
}

function emptyState(nowMs: number, clearAtMs: number): OnceState {
  return {
    attempt: 0,
    atMs: nowMs,
    sent: 'no',
    sentBefore: 'no',
    cloudJob: null,
    clearAtMs,
    decidedAtMs: nowMs,
    bornAtMs: nowMs,
    seen: null,
    trail: [],
    goal: { kind: 'act' },
    phase: { name: 'reserving' },
  };
}

function failedEnding(failure: FailureName, message: string): Ending {
  return { kind: 'failed', failure, message, retryInMs: null };
}

function cancelledEnding(): Ending {
  return { kind: 'cancelled', message: 'Cancelled before it began' };
}
