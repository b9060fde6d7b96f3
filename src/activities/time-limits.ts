/** Time limits of activities: of local activities as a whole, and of calls to Temporal. */
import type { Client } from '@temporalio/client';
import { CancelledFailure, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { failure } from './to-failure.js';

/**
 * Enforces the schedule-to-close timeout of local activities, which the SDK loses.
 *
 * Core (1.24, `local_activities.rs`) keeps that time with a timer that fires once, and ignores it while no attempt
 * runs. A local activity whose attempts fail at once spends most of its time in pauses, so it was retried for ever:
 * 110 s instead of 15 s were measured.
 *
 * An attempt fails for good, with its own reason, if no other could begin in time. Core obeys the delay that a
 * failure requests without checking whether it ends in time: a throttled reading slept for an hour.
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

/** The pause that the failure requests; `failure` gives it in milliseconds. */
function ownDelayMs(error: unknown): number {
  const delay = error instanceof ApplicationFailure ? error.nextRetryDelay : undefined;
  return typeof delay === 'number' ? delay : 0;
}

function final(error: unknown): ApplicationFailure {
  return ApplicationFailure.fromError(error, { nonRetryable: true });
}

/** Limit of one call to Temporal, retries included. Chosen: below the time that a stopping worker waits for its activities (`worker.ts`). */
const CALL_MS = 10_000;

/** Makes a call to Temporal whose every request ends within 10 s. */
export function withinCallLimit<Answer>(client: Client, call: () => Promise<Answer>): Promise<Answer> {
  return client.withDeadline(Date.now() + CALL_MS, call);
}
