/** What the workflow may believe of an activity that failed: only the state in its failure; without one, anything may have been sent. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/workflow';
import { isFailureName } from '../domain/failures.js';
import { unseenAttemptMs, type Limits } from '../domain/once/limits.js';
import { endedAs, nothingKnown, type Ending, type OnceState } from '../domain/once/state.js';

interface Decided {
  readonly nowMs: number;
  /** Nothing sent for the decision is older. */
  readonly decidedAtMs: number;
  readonly limits: Limits;
}

/** The state in which a failed `performAction` left its decision. */
export function stateOfFailure(error: unknown, decided: Decided): OnceState {
  // The scope was cancelled before the activity was scheduled.
  if (error instanceof CancelledFailure) return nothingSent(cancelled('Cancelled before it began'), decided);
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return afterTimeout(cause, decided);
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof CancelledFailure) return stateIn(cause.details) ?? nothingTold(cancelled(message), decided);
  if (!(cause instanceof ApplicationFailure)) return nothingTold(failed('Unanswered', message), decided);
  const name = isFailureName(cause.type) ? cause.type : 'Unanswered';
  const state = stateIn(cause.details);
  // A failure that is tried again is the last one where the time of all attempts is over: its state says so without its message.
  return state === null || wasToBeRetried(state)
    ? endedAs(state ?? nothingTold(failed(name, message), decided), failed(name, message))
    : state;
}

function wasToBeRetried({ phase }: OnceState): boolean {
  return phase.name === 'ended' && phase.ending.kind === 'failed' && phase.ending.retryInMs !== null;
}

/** The newest heartbeat may hold the cloud job. What it says of `sent: 'no'` proves nothing: the attempt went on after it. */
function afterTimeout({ lastHeartbeatDetails }: TimeoutFailure, decided: Decided): OnceState {
  const beat = asState(lastHeartbeatDetails);
  const job = beat?.cloudJob ?? null;
  if (beat !== null && job !== null)
    return endedAs(beat, failed('CloudJobOverdue', `No worker followed cloud job ${job.id} to its end in time`));
  const untold = nothingTold(failed('Unanswered', 'No worker finished the step in time'), decided);
  return beat === null ? untold : { ...untold, trail: beat.trail, attempt: beat.attempt, seen: beat.seen };
}

/** An attempt that nobody hears of may have sent, and may still be about to. */
export function nothingTold(ending: Ending, { nowMs, decidedAtMs, limits }: Decided): OnceState {
  const clearAtMs = nowMs + unseenAttemptMs(limits);
  return endedAs({ ...nothingKnown('unknown', { nowMs, clearAtMs, decidedAtMs }) }, ending);
}

/** Of a step that was never begun. */
export function nothingSent(ending: Ending, { nowMs, decidedAtMs }: Omit<Decided, 'limits'>): OnceState {
  return endedAs(nothingKnown('no', { nowMs, clearAtMs: 0, decidedAtMs }), ending);
}

export function failed(failure: Extract<Ending, { kind: 'failed' }>['failure'], message: string): Ending {
  return { kind: 'failed', failure, message, retryInMs: null };
}

export function cancelled(message: string): Ending {
  return { kind: 'cancelled', message };
}

function stateIn(details: readonly unknown[] | null | undefined): OnceState | null {
  return asState(details?.[0]);
}

function asState(value: unknown): OnceState | null {
  const isState =
    typeof value === 'object' && value !== null && 'sent' in value && 'trail' in value && 'phase' in value;
  return isState ? (value as OnceState) : null;
}
