/** Keeps the schedule-to-close time of local activities, which the SDK loses. */
import { CancelledFailure, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { failure } from './to-failure.js';

/**
 * Core (1.24, `local_activities.rs`) keeps that time with a timer that fires once, and drops what it says while no attempt runs. A local
 * activity whose attempts fail at once pauses most of its time, so it was tried for ever: 110 s of 15 s were seen.
 *
 * An attempt after which no other could begin in time fails for good, with its own reason. Core obeys the delay that a failure names
 * without asking whether it ends in time: a throttled reading slept for an hour.
 *
 * @param longestPauseMs the `maximumInterval` of the proxy's retries, milliseconds
 */
export function withinScheduleToClose<Given extends unknown[], Result>(
  longestPauseMs: number,
  act: (...given: Given) => Promise<Result>,
): (...given: Given) => Promise<Result> {
  return async (...given) => {
    const { scheduledTimestampMs, scheduleToCloseTimeoutMs } = Context.current().info;
    const endAtMs = scheduleToCloseTimeoutMs > 0 ? scheduledTimestampMs + scheduleToCloseTimeoutMs : Infinity;
    if (Date.now() >= endAtMs)
      throw failure('Unreachable', `No attempt succeeded within ${scheduleToCloseTimeoutMs} ms`, { final: true });
    try {
      return await act(...given);
    } catch (error) {
      if (error instanceof CancelledFailure) throw error;
      throw Date.now() + Math.max(longestPauseMs, ownDelayMs(error)) < endAtMs ? error : final(error);
    }
  };
}

/** The pause that the failure itself asks for. Ours are made by `failure`, in milliseconds. */
function ownDelayMs(error: unknown): number {
  const delay = error instanceof ApplicationFailure ? error.nextRetryDelay : undefined;
  return typeof delay === 'number' ? delay : 0;
}

function final(error: unknown): ApplicationFailure {
  return ApplicationFailure.fromError(error, { nonRetryable: true });
}
