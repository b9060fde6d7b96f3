/** What may be believed of a decision whose activity ended: only the state in its end; without one, anything may have been sent. Pure. */
import type { FailureName } from '../failures.js';
import { unseenAttemptMs, type Limits } from './limits.js';
import { endedAs, nothingKnown, type Ending, type OnceState } from './state.js';

/** When a decision was made, and how long it takes until nothing of it can be unseen. Epoch milliseconds. */
export interface Decided {
  readonly nowMs: number;
  /** Nothing sent for the decision is older. */
  readonly decidedAtMs: number;
  readonly limits: Limits;
}

/** How an activity that did not complete ended, as Temporal says it. `state`: as its last attempt left it, where that can be read. */
export type ActivityEnd =
  /** Cancelled before it was scheduled. */
  | { readonly kind: 'notBegun' }
  /** No attempt ended in time. */
  | { readonly kind: 'timedOut'; readonly heard: OnceState | null }
  | { readonly kind: 'cancelled'; readonly state: OnceState | null; readonly message: string }
  | {
      readonly kind: 'failed';
      readonly state: OnceState | null;
      readonly failure: FailureName;
      readonly message: string;
    };

/** The state in which an activity that did not complete left its decision. */
export function believed(end: ActivityEnd, decided: Decided): OnceState {
  switch (end.kind) {
    case 'notBegun':
      return nothingSent(cancelled('Cancelled before it began'), decided);
    case 'timedOut':
      return afterTimeout(end.heard, decided);
    case 'cancelled':
      return end.state ?? nothingTold(cancelled(end.message), decided);
    case 'failed': {
      const { state, failure, message } = end;
      // A failure that is tried again is the last one where the time of all attempts is over: its state says so without its message.
      return state === null || wasToBeRetried(state)
        ? endedAs(state ?? nothingTold(failed(failure, message), decided), failed(failure, message))
        : state;
    }
  }
}

function wasToBeRetried({ phase }: OnceState): boolean {
  return phase.name === 'ended' && phase.ending.kind === 'failed' && phase.ending.retryInMs !== null;
}

/** The newest heartbeat may hold the cloud job. What it says of `sent: 'no'` proves nothing: the attempt went on after it. */
function afterTimeout(heard: OnceState | null, decided: Decided): OnceState {
  const job = heard?.cloudJob ?? null;
  if (heard !== null && job !== null)
    return endedAs(heard, failed('CloudJobOverdue', `No worker followed cloud job ${job.id} to its end in time`));
  const untold = nothingTold(failed('Unanswered', 'No worker finished the step in time'), decided);
  return heard === null ? untold : { ...untold, trail: heard.trail, attempt: heard.attempt, seen: heard.seen };
}

/** An attempt that nobody hears of may have sent, and may still be about to. */
export function nothingTold(ending: Ending, { nowMs, decidedAtMs, limits }: Decided): OnceState {
  const clearAtMs = nowMs + unseenAttemptMs(limits);
  return endedAs(nothingKnown('unknown', { nowMs, clearAtMs, decidedAtMs }), ending);
}

/** Of a step that was never begun. */
export function nothingSent(ending: Ending, { nowMs, decidedAtMs }: Omit<Decided, 'limits'>): OnceState {
  return endedAs(nothingKnown('no', { nowMs, clearAtMs: 0, decidedAtMs }), ending);
}

/** A failure that is not tried again. */
export function failed(failure: FailureName, message: string): Ending {
  return { kind: 'failed', failure, message, retryInMs: null };
}

/** The step was cancelled before it sent anything, as far as its activity says. */
export function cancelled(message: string): Ending {
  return { kind: 'cancelled', message };
}
