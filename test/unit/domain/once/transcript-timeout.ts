/** The state that the workflow derives from an activity that timed out. */
import { ActivityFailure, RetryState, TimeoutFailure } from '@temporalio/common';
import type { Limits } from '../../../../src/domain/once/limits.js';
import { stateAfter } from '../../../../src/domain/once/activity-end.js';
import type { OnceState } from '../../../../src/domain/once/state.js';
import { activityEnd } from '../../../../src/workflows/activity-failure.js';

/** @param reported the newest heartbeat details that the server has */
export function stateAfterTimeout(
  reported: OnceState | null,
  nowMs: number,
  decidedAtMs: number,
  limits: Limits,
): OnceState {
  const timeout = new TimeoutFailure('activity timed out', reported, 'SCHEDULE_TO_CLOSE');
  const failure = new ActivityFailure('time-out', 'performAction', '1', RetryState.TIMEOUT, 'worker', timeout);
  return stateAfter(activityEnd(failure), { nowMs, decidedAtMs, limits });
}
