/** Works out the state of a decision once its activity has ended. The end may bring the state along; if it does not, anything may have been sent. Pure. */
import type { FailureName } from '../failures.js';
import { unseenAttemptMs, type Limits } from './limits.js';
import { endedAs, finalFailure, nothingKnown, type Ending, type OnceState } from './state.js';

/** When a decision was made, and how long it takes until nothing of it can be unseen. Epoch milliseconds. */
export interface Decided {
  readonly nowMs: number;
  /** Nothing sent for the decision is older. */
  readonly decidedAtMs: number;
  readonly limits: Limits;
}

/** How an activity that did not complete ended, from Temporal's failure. `state`: as its last attempt left it, where that can be read. */
export type ActivityEnd =
  /** Cancelled before it was scheduled. */
  | { readonly kind: 'notBegun' }
  /** No attempt ended in time. */
  | { readonly kind: 'timedOut'; readonly heartbeat: OnceState | null }
  | { readonly kind: 'cancelled'; readonly state: OnceState | null; readonly message: string }
  | {
      readonly kind: 'failed';
      readonly state: OnceState | null;
      readonly failure: FailureName;
      readonly message: string;
    };

/** The state in which an activity that did not complete left its decision. */
export function stateAfter(end: ActivityEnd, decided: Decided): OnceState {
  switch (end.kind) {
    case 'notBegun':
      return nothingSent(cancelled('Cancelled before it began'), decided);
    case 'timedOut':
      return afterTimeout(end.heartbeat, decided);
    case 'cancelled':
      return end.state === null
        ? nothingReported(cancelled(end.message), decided)
        : believed(end.state, 'cancelled', decided);
    case 'failed': {
      const { failure, message } = end;
      const ending = finalFailure(failure, message);
      if (end.state === null) return nothingReported(ending, decided);
      const state = believed(end.state, failure, decided);
      // A failure that would be tried again is final if the time of all attempts is over. Its state does not say so; the message does.
      return wasToBeRetried(state) ? endedAs(state, ending) : state;
    }
  }
}

/**
 * The state of an end, as far as it can be believed. If it was written long ago, it may be that of an attempt from before a reset, because a reset
 * counts attempts from 1 again. Then the current attempt may have sent something that the state does not show. A state that is not so old is safe:
 * after a reset an attempt waits that long before it sends. So is one with a cloud job, or that found another one: then nothing is sent.
 */
function believed(state: OnceState, failure: FailureName | 'cancelled', { nowMs, limits }: Decided): OnceState {
  const isLate = nowMs - state.atMs > unseenAttemptMs(limits);
  if (!isLate || state.cloudJob !== null || failure === 'TargetChanged') return state;
  return { ...state, sent: 'unknown', clearAtMs: Math.max(state.clearAtMs, nowMs + unseenAttemptMs(limits)) };
}

function wasToBeRetried({ phase }: OnceState): boolean {
  return phase.name === 'ended' && phase.ending.kind === 'failed' && phase.ending.retryInMs !== null;
}

/** The newest heartbeat may hold the cloud job. Its `sent: 'no'` proves nothing: the attempt continued after it. */
function afterTimeout(heartbeat: OnceState | null, decided: Decided): OnceState {
  const job = heartbeat?.cloudJob ?? null;
  if (heartbeat !== null && job !== null)
    return endedAs(
      heartbeat,
      finalFailure('CloudJobOverdue', `No worker followed cloud job ${job.id} to its end in time`),
    );
  const unreported = nothingReported(finalFailure('Unanswered', 'No worker finished the step in time'), decided);
  return heartbeat === null
    ? unreported
    : { ...unreported, trail: heartbeat.trail, attempt: heartbeat.attempt, seen: heartbeat.seen };
}

/** An attempt that never reported its end may have sent, and may still be about to. */
export function nothingReported(ending: Ending, { nowMs, decidedAtMs, limits }: Decided): OnceState {
  const clearAtMs = nowMs + unseenAttemptMs(limits);
  return endedAs(nothingKnown('unknown', { nowMs, clearAtMs, decidedAtMs }), ending);
}

/** A step that was never begun has sent nothing. */
export function nothingSent(ending: Ending, { nowMs, decidedAtMs }: Omit<Decided, 'limits'>): OnceState {
  return endedAs(nothingKnown('no', { nowMs, clearAtMs: 0, decidedAtMs }), ending);
}

/** The step was cancelled, and its activity reported nothing that was sent. */
export function cancelled(message: string): Ending {
  return { kind: 'cancelled', message };
}
