/** How an activity that failed ended, from Temporal's error. `src/domain/once/activity-end.ts` decides what follows from it. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/workflow';
import { isFailureName } from '../domain/failures.js';
import type { ActivityEnd } from '../domain/once/activity-end.js';
import { stateOf, type Heartbeat, type OnceState } from '../domain/once/state.js';

/** @param error what awaiting `performAction` threw. One that is not Temporal's counts as `Unanswered` */
export function activityEnd(error: unknown): ActivityEnd {
  // The scope was cancelled before the activity was scheduled.
  if (error instanceof CancelledFailure) return { kind: 'notBegun' };
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return { kind: 'timedOut', heartbeat: asState(cause.lastHeartbeatDetails) };
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof CancelledFailure) return { kind: 'cancelled', state: stateIn(cause.details), message };
  if (!(cause instanceof ApplicationFailure)) return { kind: 'failed', state: null, failure: 'Unanswered', message };
  const failure = isFailureName(cause.type) ? cause.type : 'Unanswered';
  return { kind: 'failed', state: stateIn(cause.details), failure, message };
}

function stateIn(details: readonly unknown[] | null | undefined): OnceState | null {
  return asState(details?.[0]);
}

function asState(value: unknown): OnceState | null {
  const isState =
    typeof value === 'object' && value !== null && 'sent' in value && 'trail' in value && 'phase' in value;
  return isState ? stateOf(value as Heartbeat) : null;
}
