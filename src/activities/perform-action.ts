/** `performAction` and `settleTarget`: the two goals of the once machine. The end of an attempt becomes its result or its failure here. */
import { CompleteAsyncError, Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { PerformActionArguments, Settled, SettleTargetArguments } from '../domain/contract.js';
import type { AttemptFacts } from '../domain/once/events.js';
import { beginActing, beginSettling } from '../domain/once/next.js';
import { countsAsFailure, describeRetrying } from '../domain/once/retrying.js';
import { leftBeforeFirstStep } from '../domain/once/settling.js';
import { endingOf, smallState, stateOf, type Heartbeat, type OnceState } from '../domain/once/state.js';
import { logEnding, logSettled } from './log-endings.js';
import { runOnce, type OnceDependencies } from './once.js';
import { whyElsewhere } from './other-project.js';
import { failure } from './to-failure.js';

/** Carries out the action of a step, at most once. @throws the failure that the attempt ended with; its `details[0]` is the state */
export async function performAction(
  dependencies: OnceDependencies,
  request: PerformActionArguments,
): Promise<OnceState> {
  const { info } = Context.current();
  const facts: AttemptFacts = {
    attempt: info.attempt,
    runId: info.workflowExecution?.runId ?? '',
    decidedInRunId: request.decidedInRunId,
    scheduledAtMs: info.scheduledTimestampMs,
    attemptScheduledAtMs: info.currentAttemptScheduledTimestampMs,
  };
  const heartbeat = (info.heartbeatDetails as Heartbeat | undefined) ?? null;
  const previous = heartbeat === null ? null : stateOf(heartbeat);
  const elsewhere = whyElsewhere(dependencies.serviceStage, request.target);
  const state = await runOnce(dependencies, request, (nowMs) =>
    beginActing(request, facts, previous, nowMs, elsewhere),
  );
  logEnding(state);
  const { kind } = endingOf(state);
  if (kind === 'succeeded' || kind === 'skipped') return state;
  throw failureOf(state);
}

/** Finds out what happened to an action, or waits until an instance is at rest. Throws only if it is retried, superseded, or cancelled before a first step. */
export async function settleTarget(dependencies: OnceDependencies, request: SettleTargetArguments): Promise<Settled> {
  const { left, prior, readInRunId, limits } = request;
  const { info } = Context.current();
  const runId = info.workflowExecution?.runId ?? '';
  const facts = readInRunId === undefined ? null : { runId, decidedInRunId: readInRunId };
  const elsewhere = whyElsewhere(dependencies.serviceStage, request.target);
  const state = await runOnce(dependencies, request, (nowMs) => {
    const known = facts === null ? left : leftBeforeFirstStep(left, facts, limits, nowMs);
    return beginSettling(request, known, prior, nowMs, elsewhere);
  });
  const ending = endingOf(state);
  if (ending.kind === 'superseded') throw failureOf(state);
  if (ending.kind === 'cancelled' && prior?.kind !== 'cancelled') throw failureOf(state);
  if (ending.kind === 'failed' && ending.retryInMs !== null) throw failureOf(state);
  if (facts === null) logSettled(state);
  dependencies.observer?.settled(Math.max(0, Date.now() - info.scheduledTimestampMs));
  return facts === null ? state : { ...state, settledInRunId: runId };
}

function failureOf(state: OnceState): Error {
  const ending = endingOf(state);
  switch (ending.kind) {
    case 'superseded':
      return new CompleteAsyncError();
    case 'cancelled':
      return cancelledWith(ending.message, state);
    case 'indeterminate':
      return failure(ending.failure, ending.message, { details: state, final: true });
    case 'failed': {
      const { failure: name, message, retryInMs } = ending;
      if (retryInMs === null) return failure(name, message, { details: state, final: true });
      const { retrying } = state;
      const why = countsAsFailure(name) && retrying !== undefined ? describeRetrying(retrying) : message;
      return failure(name, why, { details: smallState(state), nextRetryDelayMs: retryInMs });
    }
    case 'succeeded':
    case 'skipped':
      return new TypeError(`An attempt that ended ${ending.kind} has no failure`);
  }
}

/** The server accepts a cancellation only from a worker that received the cancel; at the barrier only our client received it. */
function cancelledWith(message: string, state: OnceState): Error {
  return Context.current().cancellationSignal.aborted
    ? new CancelledFailure(message, [state])
    : ApplicationFailure.create({ type: 'cancelled', message, details: [state], nonRetryable: true });
}
