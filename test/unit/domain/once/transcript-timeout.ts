/** What the workflow makes of an activity that Temporal ended by a time-out. */
import { ActivityFailure, RetryState, TimeoutFailure } from '@temporalio/common';
import type { Limits } from '../../../../src/domain/once/limits.js';
import { stateAfter } from '../../../../src/domain/once/activity-end.js';
import type { OnceState } from '../../../../src/domain/once/state.js';
import { activityEnd } from '../../../../src/workflows/activity-failure.js';

/** @param heard the newest heartbeat details that the server knows */
export function stateAfterTimeout(
  heard: OnceState | null,
  nowMs: number,
  decidedAtMs: number,
  limits: Limits,
): OnceState {
  const timeout = new TimeoutFailure('activity timed out', heard, 'SCHEDULE_TO_CLOSE');
  const failure = new ActivityFailure('time-out', 'performAction', '1', RetryState.TIMEOUT, 'worker', timeout);
  return stateAfter(activityEnd(failure), { nowMs, decidedAtMs, limits });
}
