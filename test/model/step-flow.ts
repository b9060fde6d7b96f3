/** One step of the workflow, as in `src/workflows/perform-step.ts`: act, then settle what is not clear. */
import type { Baseline } from '../../src/domain/contract.js';
import type { OnceRules } from '../../src/domain/once/events.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import { unsettled } from '../../src/domain/once/settling.js';
import { endedAs, endingOf, finalFailure, type Ending, type OnceState } from '../../src/domain/once/state.js';
import {
  stateAfter,
  cancelled,
  nothingSent,
  nothingReported,
  type ActivityEnd as ReportedEnd,
  type Decided,
} from '../../src/domain/once/activity-end.js';
import { requiredState, type ActionStep, type PlannedStep } from '../../src/domain/plan/plan.js';
import { needsSettling, stepOutcome, type StepOutcome } from '../../src/domain/report/step-outcome.js';
import type { Target } from '../../src/domain/target/target.js';
import { obstacleTo, type StepTimes } from '../../src/workflows/step-obstacle.js';
import { INSTANCE_ID } from './cloud.js';
import type { Context, Flow, RunArguments } from './flow.js';
import type { ActivityEnd } from './server.js';

export const TARGET: Target = {
  path: 'shop/web/web-1',
  projectId: 'project',
  applicationId: 'shop',
  componentId: 'web',
  instanceId: INSTANCE_ID,
  platformType: 'cce',
};

/** Performs the step's action and settles what is not clear. */
export function* performStep(
  step: ActionStep,
  baseline: Baseline,
  context: Context,
  run: RunArguments,
  times: StepTimes,
  isCancellable: boolean,
): Flow<StepOutcome> {
  const obstacle = obstacleTo(step, baseline, times);
  let left: OnceState;
  if (obstacle === null) left = yield* act(step, baseline, context, run, times, isCancellable);
  else {
    const ending = finalFailure(obstacle.name, obstacle.message);
    const isBeforeReset = yield* wasDecidedBefore(baseline);
    const decided = decidedAt(baseline, run, times.nowMs, isBeforeReset);
    left = isBeforeReset ? nothingReported(ending, decided) : nothingSent(ending, decided);
  }
  return yield* settledOutcome(step, baseline, context, run, left, times.nowMs);
}

/** For a step that is no longer begun: settles it if a reset may have interrupted it. @param ending how it then counts */
export function* settleAfterReset(
  step: PlannedStep,
  baseline: Baseline,
  context: Context,
  run: RunArguments,
  ending: Ending = cancelled('Cancelled before it began'),
): Flow<StepOutcome | null> {
  if (step.kind !== 'action' || !(yield* wasDecidedBefore(baseline))) return null;
  const { nowMs } = context;
  return yield* settledOutcome(
    step,
    baseline,
    context,
    run,
    nothingReported(ending, decidedAt(baseline, run, nowMs, true)),
    nowMs,
  );
}

/** After a reset to a point before a step was scheduled, an attempt of the old run may still be carrying it out. */
export function isDecidedBefore({ readInRunId }: Baseline, { runId }: Context): boolean {
  return readInRunId !== runId;
}

/** The same, recorded, as in `src/workflows/after-reset.ts`: what follows must be the same in every replay. */
export function* wasDecidedBefore({ readInRunId }: Baseline): Flow<boolean> {
  const answer = yield { kind: 'run', isCancellable: false };
  if (answer.kind !== 'run') throw new TypeError(`The run cannot end ${answer.kind}`);
  return readInRunId !== answer.runId;
}

function decidedAt(baseline: Baseline, { limits }: RunArguments, nowMs: number, isBeforeReset: boolean): Decided {
  return { nowMs, limits, decidedAtMs: isBeforeReset ? baseline.observation.observedAtMs : nowMs };
}

function* act(
  step: ActionStep,
  before: Baseline,
  context: Context,
  run: RunArguments,
  { nowMs, deadlineAtMs, closing }: StepTimes,
  isCancellable: boolean,
): Flow<OnceState> {
  const answer = yield {
    kind: 'activity',
    stepId: step.id,
    goal: 'act',
    rules: { ...rulesOf(run, step, before, deadlineAtMs), ...(closing === undefined ? {} : { closing }) },
    decidedInRunId: before.readInRunId ?? context.originalRunId,
    scheduleToCloseMs: Math.max(deadlineAtMs - context.nowMs, 0) + 2 * run.limits.heartbeatTimeoutMs,
    isCancellable,
  };
  if (answer.kind !== 'ended') throw new TypeError(`An activity cannot end ${answer.kind}`);
  const { end } = answer;
  const decided = { ...decidedAt(before, run, nowMs, isDecidedBefore(before, context)), nowMs: context.nowMs };
  return end.kind === 'completed' ? end.state : stateAfter(endOf(end), decided);
}

/** What `src/workflows/activity-failure.ts` makes of Temporal's errors. */
function endOf(end: Exclude<ActivityEnd, { kind: 'completed' }>): ReportedEnd {
  switch (end.kind) {
    case 'timedOut':
      return { kind: 'timedOut', heartbeat: end.details };
    case 'cancelled':
      return { kind: 'cancelled', state: end.state, message: 'Cancelled between attempts' };
    case 'failed': {
      const ending = endingOf(end.state);
      const { failure, message } =
        ending.kind === 'failed' ? ending : ({ failure: 'Unanswered', message: '' } as const);
      return { kind: 'failed', state: end.state, failure, message };
    }
  }
}

function* settledOutcome(
  step: ActionStep,
  baseline: Baseline,
  context: Context,
  run: RunArguments,
  left: OnceState,
  startedAtMs: number,
): Flow<StepOutcome> {
  const state = needsSettling(left) ? yield* settle(step, baseline, context, run, left) : left;
  return stepOutcome(step, baseline, state, { startedAtMs, endedAtMs: context.nowMs });
}

/** Shielded: waits for what may be in flight, even if the run is cancelled meanwhile. */
function* settle(
  step: ActionStep,
  baseline: Baseline,
  context: Context,
  run: RunArguments,
  left: OnceState,
): Flow<OnceState> {
  const deadlineAtMs = context.nowMs + unseenAttemptMs(run.limits) + step.deadlineMs;
  const rules = rulesOf(run, step, baseline, deadlineAtMs);
  const prior = endingOf(left);
  const answer = yield {
    kind: 'activity',
    stepId: `settle-${step.id}`,
    goal: { left, prior },
    rules,
    decidedInRunId: baseline.readInRunId ?? context.originalRunId,
    scheduleToCloseMs: settleToCloseMs(context, rules, left.clearAtMs),
    isCancellable: false,
  };
  if (answer.kind !== 'ended') throw new TypeError(`An activity cannot end ${answer.kind}`);
  if (answer.end.kind === 'completed') return answer.end.state;
  return endedAs(left, unsettled(left, prior, `its settle ended ${answer.end.kind}`));
}

/** As `proxies.ts` sets it. */
export function settleToCloseMs({ nowMs }: Context, { deadlineAtMs, limits }: OnceRules, clearAtMs: number): number {
  return (
    Math.max(0, Math.max(deadlineAtMs, clearAtMs) - nowMs + limits.heartbeatTimeoutMs) + 2 * limits.heartbeatTimeoutMs
  );
}

/** @param step `null`: before a first step, when the state before is not known */
export function rulesOf(run: RunArguments, step: ActionStep | null, before: Baseline, deadlineAtMs: number): OnceRules {
  return {
    action: step?.action ?? null,
    target: TARGET,
    before: step === null ? { ...before, observation: null } : before,
    deadlineAtMs,
    verify: step === null ? { withinMs: 0, stableMs: 0 } : requiredState(step),
    verifyAfterCancel: step !== null && run.plan.onCancel !== 'leave',
    limits: run.limits,
  };
}
