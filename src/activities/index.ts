/** Creates the activities of the contract from their dependencies. */
import { Context } from '@temporalio/activity';
import { verifyApproval } from '../approvers/verify-token.js';
import type { Activities } from '../domain/contract.js';
import { PLANNING_HEARTBEAT_TIMEOUT_MS, SHORT_READ_LIMITS } from '../domain/once/limits.js';
import type { ActivityDependencies } from './dependencies.js';
import { makePlan } from './make-plan.js';
import { notify } from './notify.js';
import { createNotifier } from '../notifications/notifier.js';
import { currentRunId, observeTarget } from './observe-target.js';
import { performCheck } from './perform-check.js';
import { RecentLists } from './recent-lists.js';
import { performAction, settleTarget } from './perform-action.js';
import { readFreezes } from './read-freezes.js';
import { withinScheduleToClose } from './time-limits.js';

/** Wraps a local activity of `proxies.ts` that has these retries. */
function shortRead<Given extends unknown[], Result>(act: (...given: Given) => Promise<Result>) {
  return withinScheduleToClose(SHORT_READ_LIMITS.longestPauseMs, act);
}

/** Creates the activities of one worker process. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  const { serviceStage, temporal, limits, notifier = createNotifier([]) } = dependencies;
  const planning = { ...dependencies, lists: new RecentLists(serviceStage, limits.readTimeoutMs) };
  return {
    makePlan: (runbook, startArguments) =>
      withHeartbeats(PLANNING_HEARTBEAT_TIMEOUT_MS, () => makePlan(planning, runbook, startArguments)),
    readFreezes: shortRead((names, fromMs, toMs) => readFreezes(dependencies.calendars, names, fromMs, toMs)),
    describeLease: shortRead((leaseId) => temporal.describeLease(leaseId)),
    findRuns: (asked) => temporal.findRuns(asked),
    verifyApproval: (asked) => verifyApproval(dependencies.approvers, asked, Date.now()),
    observeTarget: shortRead((target, limits, originalRunId) =>
      observeTarget(serviceStage, target, limits, originalRunId),
    ),
    currentRunId: async (originalRunId) => currentRunId(originalRunId),
    performAction: (request) => performAction(dependencies, request),
    settleTarget: (request) => settleTarget(dependencies, request),
    performCheck: (request) => performCheck(dependencies.checks, request),
    notify: (notification, names) =>
      notify(notifier, notification, names, (delivery) => dependencies.observer?.notified(delivery)),
  };
}

/** Runs `work` with three heartbeats per `timeoutMs`, the workflow's heartbeat timeout, so that the server soon notices a lost worker. */
async function withHeartbeats<Value>(timeoutMs: number, work: () => Promise<Value>): Promise<Value> {
  const context = Context.current();
  const heartbeats = setInterval(() => context.heartbeat(), timeoutMs / 3);
  try {
    return await work();
  } finally {
    clearInterval(heartbeats);
  }
}
