/** A step that waits for an operator, as in `src/workflows/blocked-step.ts` and `read-again.ts`, in virtual time. */
import type { Closing } from '../../src/domain/gates/gates.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import { endedAs, endingOf, nothingKnown } from '../../src/domain/once/state.js';
import type { ActionStep } from '../../src/domain/plan/plan.js';
import type { CommandRecord } from '../../src/domain/report/report.js';
import type { StepOutcome } from '../../src/domain/report/step-outcome.js';
import {
  baselineOfReading,
  decidedStep,
  isBlocking,
  retriedStep,
  undecidedStep,
  type BlockedStep,
  type ReadingAtRest,
} from '../../src/domain/steering/decisions.js';
import { isAtRest } from '../../src/domain/target/cloud-job.js';
import type { Context, Flow, RunArguments } from './flow.js';
import { performStep, rulesOf, settleAfterReset, settleToCloseMs } from './step-flow.js';

/** The part of a retried decision's name after that of its step. */
export const AGAIN = '-again-';

/** @returns the step once no one is waited for */
export function* resolveBlocked(
  step: ActionStep,
  outcome: StepOutcome,
  context: Context,
  run: RunArguments,
  closing: Closing | undefined,
): Flow<BlockedStep | null> {
  const waitMs = run.plan.operator === undefined ? 0 : 1;
  let blocked = context.cancelled ? null : isBlocking(step, outcome, waitMs);
  let retries = 0;
  while (blocked !== null) {
    const answer = yield { kind: 'operator', step: step.id, isCancellable: true };
    const command = answer.kind === 'decided' ? answer.command : null;
    if (command === null || context.cancelled) return yield* undecided(blocked, context, run);
    const reading = yield* readAgain(blocked, context, run);
    if (reading === 'cancelled') return yield* undecided(blocked, context, run);
    if (reading === 'unread') continue;
    const decisions: CommandRecord[] = [{ command, actor: 'a', reason: 'r', atMs: context.nowMs }];
    if (command !== 'retryStep') return decidedStep(blocked, command, reading, decisions);
    retries++;
    blocked = yield* retry(blocked, reading, { decisions, retries, closing }, context, run);
    if (isBlocking(step, blocked.outcome, waitMs) === null || context.cancelled) return blocked;
  }
  return null;
}

function* retry(
  blocked: BlockedStep,
  reading: ReadingAtRest,
  {
    decisions,
    retries,
    closing,
  }: {
    readonly decisions: readonly CommandRecord[];
    readonly retries: number;
    readonly closing: Closing | undefined;
  },
  context: Context,
  run: RunArguments,
): Flow<BlockedStep> {
  const { step, outcome } = blocked;
  // Each decision has a name of its own, by which the truth about it is kept.
  const again = { ...step, id: `${step.id}${AGAIN}${retries}` };
  const times = {
    nowMs: context.nowMs,
    deadlineAtMs: context.nowMs + step.deadlineMs,
    closing: outcome.report.sent === 'no' ? closing : undefined,
  };
  const { left, ...retried } = yield* performStep(
    again,
    baselineOfReading(blocked, reading),
    context,
    run,
    times,
    true,
  );
  if (left === undefined) throw new TypeError('A step with an action leaves a state');
  return retriedStep(blocked, reading, { ...retried, left }, decisions);
}

function* readAgain(
  { outcome: { left, baseline }, step }: BlockedStep,
  context: Context,
  run: RunArguments,
): Flow<ReadingAtRest | 'unread' | 'cancelled'> {
  const isCancellable = context.runId === context.originalRunId;
  const first = yield { kind: 'observe', isCancellable };
  if (first.kind === 'cancelled') return 'cancelled';
  if (first.kind !== 'observed') return 'unread';
  const { clearAtMs: clearAfterResetAtMs, readInRunId, ...observation } = first.reading;
  const clearAtMs = Math.max(clearAfterResetAtMs, left.sent === 'no' ? 0 : left.clearAtMs);
  const isClear = clearAtMs <= observation.observedAtMs;
  if (left.sent === 'no' && isClear && isAtRest(observation)) return { observation, readInRunId };
  if (left.cloudJob !== null && !isClear) {
    const slept = yield { kind: 'sleep', untilMs: clearAtMs, isCancellable };
    if (slept.kind === 'cancelled') return 'cancelled';
  }
  const { nowMs } = context;
  const deadlineAtMs = Math.max(nowMs, clearAtMs) + step.deadlineMs + unseenAttemptMs(run.limits);
  const action = left.cloudJob === null ? null : step.action;
  const rules = { ...rulesOf(run, null, baseline, deadlineAtMs), action };
  const known = nothingKnown('unknown', { nowMs, clearAtMs, decidedAtMs: nowMs });
  const { cloudJob } = left;
  const unclear = cloudJob === null ? known : { ...known, sent: 'yes' as const, cloudJob };
  const answer = yield {
    kind: 'activity',
    stepId: `read-${step.id}`,
    goal: { left: endedAs(unclear, { kind: 'succeeded' }), prior: null },
    rules,
    decidedInRunId: readInRunId,
    scheduleToCloseMs: settleToCloseMs(context, rules, clearAtMs),
    isCancellable,
  };
  if (answer.kind === 'cancelled') return 'cancelled';
  if (answer.kind !== 'ended' || answer.end.kind === 'timedOut') return 'unread';
  const { state } = answer.end;
  if (answer.end.kind === 'cancelled' || state === null) return 'cancelled';
  const ending = endingOf(state);
  if (ending.kind === 'cancelled') return 'cancelled';
  return ending.kind === 'succeeded' && state.seen !== null ? { observation: state.seen, readInRunId } : 'unread';
}

/** After a reset the run before it may have carried a decision out. */
function* undecided(blocked: BlockedStep, context: Context, run: RunArguments): Flow<BlockedStep> {
  const { step, outcome } = blocked;
  const { report } = outcome;
  const unclear =
    report.result === 'indeterminate' ? null : yield* settleAfterReset(step, outcome.baseline, context, run);
  return unclear === null || unclear.report.sent === 'no' ? blocked : undecidedStep(blocked, unclear);
}
