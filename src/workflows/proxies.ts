/** The activities as workflows call them, each with its time limits. The limits of a step come from its plan. */
import {
  ActivityCancellationType,
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import { longestCheckMs, type CheckEvidence } from '../domain/checks/check.js';
import type {
  Activities,
  PerformActionArguments,
  PerformCheckArguments,
  Settled,
  SettleTargetArguments,
} from '../domain/contract.js';
import type { OnceState } from '../domain/once/state.js';
import { clippedSummary } from '../domain/text/json-bytes.js';
import { NOTIFY_LIMITS, type Delivery } from '../domain/notifications/delivery.js';
import type { Notification } from '../domain/notifications/notification.js';
import { PLANNING_HEARTBEAT_TIMEOUT_MS, SHORT_READ_LIMITS, type Limits } from '../domain/once/limits.js';

/** Planning reads the API a few times. If that fails for this long, the run is refused, and nothing was touched. */
export const { makePlan } = proxyActivities<Pick<Activities, 'makePlan'>>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '3m',
  heartbeatTimeout: PLANNING_HEARTBEAT_TIMEOUT_MS,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
  summary: 'Plan: runbook, inputs, targets, versions',
});

/** A local activity costs one marker in history instead of three events. The activities themselves limit the time of all attempts (`withinScheduleToClose`). */
const shortReads = proxyLocalActivities<Pick<Activities, 'describeLease' | 'observeTarget' | 'readFreezes'>>({
  startToCloseTimeout: SHORT_READ_LIMITS.attemptMs,
  scheduleToCloseTimeout: SHORT_READ_LIMITS.totalMs,
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: SHORT_READ_LIMITS.longestPauseMs },
});

/** Who holds the lease, or held it last. */
export const describeLease: Activities['describeLease'] = (...given) =>
  uninterrupted(() => shortReads.describeLease(...given));
/** Reads the run's calendars. */
export const readFreezes: Activities['readFreezes'] = (...given) =>
  uninterrupted(() => shortReads.readFreezes(...given));
/** Reads the instance before its first step. */
export const observeTarget: Activities['observeTarget'] = (...given) =>
  uninterrupted(() => shortReads.observeTarget(...given));

/**
 * Given up soon, since the sender of an alarm waits for the answer and asks again. The attempts are counted, because the SDK (1.24) retries
 * a local activity beyond its schedule-to-close time when its attempts keep failing.
 */
const quickReads = proxyLocalActivities<Pick<Activities, 'findRuns'>>({
  startToCloseTimeout: '3s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumAttempts: 5 },
});

/** Given up soon, because a person waits for the answer. */
const verification = proxyLocalActivities<Pick<Activities, 'verifyApproval'>>({
  startToCloseTimeout: '5s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumAttempts: 3 },
});

/** Verifies the token of an approval. */
export const verifyApproval: Activities['verifyApproval'] = (...given) =>
  uninterrupted(() => verification.verifyApproval(...given));

/** Finds the runs that an alarm rule has to know of. */
export const findRuns: Activities['findRuns'] = (...given) => uninterrupted(() => quickReads.findRuns(...given));

/**
 * Runs a local activity again when it was cancelled without a cancel: the SDK (1.24) records that when a worker evicts the workflow from its
 * cache while the activity runs (docs/decisions/0016).
 */
async function uninterrupted<Value>(read: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
    }
  }
}

/** Harmless to repeat, and needed: tried for as long as a worker runs. */
const identity = proxyLocalActivities<Pick<Activities, 'currentRunId'>>({
  startToCloseTimeout: '5s',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '5s' },
});

/** The current run of this workflow, as a replay after a reset finds it again. */
export const currentRunId: Activities['currentRunId'] = (...given) =>
  uninterrupted(() => identity.currentRunId(...given));

/** Notifies webhooks. @param names as the plan has them */
export function notify(notification: Notification, names: readonly string[]): Promise<readonly Delivery[]> {
  const { attempts, firstPauseMs, backoff, longestPauseMs, startToCloseMs, scheduleToCloseMs } = NOTIFY_LIMITS;
  const proxy = proxyActivities<Pick<Activities, 'notify'>>({
    startToCloseTimeout: startToCloseMs,
    scheduleToCloseTimeout: scheduleToCloseMs,
    retry: {
      initialInterval: firstPauseMs,
      backoffCoefficient: backoff,
      maximumInterval: longestPauseMs,
      maximumAttempts: attempts,
    },
    summary: clippedSummary(`${notification.event}: notify ${names.join(', ')}`),
  });
  return proxy.notify(notification, names);
}

/** Carries out a step. Attempts are unlimited, since the next attempt recovers from a crash; the activity itself keeps the deadline. @param summary for the Temporal UI */
export function performAction(request: PerformActionArguments, summary: string): Promise<OnceState> {
  const { deadlineAtMs, limits } = request;
  const proxy = proxyActivities<Pick<Activities, 'performAction'>>({
    ...longRunning(limits, deadlineAtMs - Date.now()),
    summary: clippedSummary(summary),
  });
  return proxy.performAction(request);
}

/** Finds out what came of a step, or waits until an instance is at rest. @param summary for the Temporal UI */
export function settleTarget(request: SettleTargetArguments, summary: string): Promise<Settled> {
  const { deadlineAtMs, left, limits } = request;
  const proxy = proxyActivities<Pick<Activities, 'settleTarget'>>({
    ...longRunning(limits, Math.max(deadlineAtMs, left.clearAtMs) - Date.now() + limits.heartbeatTimeoutMs),
    summary: clippedSummary(summary),
  });
  return proxy.settleTarget(request);
}

/** Asks the URL of a check. Attempts are unlimited: a check changes nothing. @param summary for the Temporal UI */
export function performCheck(request: PerformCheckArguments, limits: Limits, summary: string): Promise<CheckEvidence> {
  const longestMs = Math.min(longestCheckMs(request.check), request.deadlineAtMs - Date.now());
  const proxy = proxyActivities<Pick<Activities, 'performCheck'>>({
    ...longRunning(limits, longestMs),
    summary: clippedSummary(summary),
  });
  return proxy.performCheck(request);
}

/** How long schedule-to-close allows beyond the deadline, for the case that no worker runs: 5 minutes with the defaults. Chosen. */
const NET_IN_HEARTBEAT_TIMEOUTS = 20;

function longRunning(limits: Limits, durationMs: number) {
  return {
    scheduleToCloseTimeout: Math.max(durationMs, 0) + NET_IN_HEARTBEAT_TIMEOUTS * limits.heartbeatTimeoutMs,
    heartbeatTimeout: limits.heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // Almost every failure brings its own delay. This one is for attempts that are lost.
    retry: {
      initialInterval: Math.max(50, Math.round(limits.quietMs / 5)),
      backoffCoefficient: 1.5,
      maximumInterval: Math.max(100, 2 * limits.quietMs),
    },
  };
}
