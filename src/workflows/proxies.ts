/** The activities as workflows call them, each with its time limits; a step's own limits come from the plan. */
import {
  ActivityCancellationType,
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities, PerformActionArguments, SettleTargetArguments } from '../domain/contract.js';
import type { OnceState } from '../domain/once/state.js';
import { clippedSummary } from '../domain/text/json-bytes.js';
import { PLANNING_HEARTBEAT_TIMEOUT_MS, SHORT_READ_LIMITS, type Limits } from '../domain/once/limits.js';

/** Planning reads the API a few times; when it cannot for this long, the run is refused and nothing was touched. */
export const { makePlan } = proxyActivities<Pick<Activities, 'makePlan'>>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '3m',
  heartbeatTimeout: PLANNING_HEARTBEAT_TIMEOUT_MS,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
  summary: 'Plan: runbook, inputs, targets, versions',
});

/** Short reads: a local activity costs one marker instead of three events. The activities themselves keep the time of all attempts (`withinScheduleToClose`). */
const looks = proxyLocalActivities<Pick<Activities, 'describeLease' | 'observeTarget' | 'readFreezes'>>({
  startToCloseTimeout: SHORT_READ_LIMITS.attemptMs,
  scheduleToCloseTimeout: SHORT_READ_LIMITS.totalMs,
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: SHORT_READ_LIMITS.longestPauseMs },
});

export const describeLease: Activities['describeLease'] = (...given) => look(() => looks.describeLease(...given));
export const readFreezes: Activities['readFreezes'] = (...given) => look(() => looks.readFreezes(...given));
/**
 * An alarm's sender waits for the answer, and asks again: what cannot be found out soon is given up. By attempts, since a local activity
 * whose attempts fail one after another is tried beyond its schedule-to-close time (SDK 1.24).
 */
const quickLooks = proxyLocalActivities<Pick<Activities, 'findRuns'>>({
  startToCloseTimeout: '3s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumAttempts: 5 },
});

export const findRuns: Activities['findRuns'] = (...given) => look(() => quickLooks.findRuns(...given));
export const observeTarget: Activities['observeTarget'] = (...given) => look(() => looks.observeTarget(...given));

/** A worker that evicts a workflow from its cache while it looks records the look as cancelled, though nobody asked for that (SDK 1.24). */
async function look<Value>(ask: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
    }
  }
}

/** Unlimited attempts: crash recovery is the next attempt. The step's deadline is kept inside; schedule-to-close is only a net. */
export function performAction(request: PerformActionArguments, summary: string): Promise<OnceState> {
  const { deadlineAtMs, limits } = request;
  const proxy = proxyActivities<Pick<Activities, 'performAction'>>({
    ...longRunning(limits, deadlineAtMs - Date.now()),
    summary: clippedSummary(summary),
  });
  return proxy.performAction(request);
}

export function settleTarget(request: SettleTargetArguments, summary: string): Promise<OnceState> {
  const { deadlineAtMs, left, limits } = request;
  const proxy = proxyActivities<Pick<Activities, 'settleTarget'>>({
    ...longRunning(limits, Math.max(deadlineAtMs, left.clearAtMs) - Date.now() + limits.heartbeatTimeoutMs),
    summary: clippedSummary(summary),
  });
  return proxy.settleTarget(request);
}

/** Chosen: a net of 5 minutes with the defaults, since no worker may run for a while. Nothing waits for it while an attempt lives. */
const NET_IN_HEARTBEAT_TIMEOUTS = 20;

function longRunning(limits: Limits, durationMs: number) {
  return {
    scheduleToCloseTimeout: Math.max(durationMs, 0) + NET_IN_HEARTBEAT_TIMEOUTS * limits.heartbeatTimeoutMs,
    heartbeatTimeout: limits.heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // Almost every failure names its own delay; this one is for attempts that are lost.
    retry: {
      initialInterval: Math.max(50, Math.round(limits.quietMs / 5)),
      backoffCoefficient: 1.5,
      maximumInterval: Math.max(100, 2 * limits.quietMs),
    },
  };
}
