/** Settling sends nothing. It waits until no cloud job is in flight on the instance and it is clear whether the action was carried out. */
import type { FailureName } from '../failures.js';
import { describeAction, ruleOf, desiredStateHolds } from '../target/actions.js';
import { isAtRest } from '../target/cloud-job.js';
import { describeObservation, statusMeaning, type Observation } from '../target/target.js';
import { end } from './ending.js';
import { readingAge } from './entry.js';
import type { At, AttemptFacts, EventOf, ReadingEvent, RequestFailed, Step } from './events.js';
import { adopt, failedJob, howItEnded, polled, readAfter, startPolling, withReadFailure } from './following.js';
import { inspect, judge, mayShowTasks, whyNotOurs } from './evidence.js';
import { unseenAttemptMs, type Limits } from './limits.js';
import { retryDelayMs } from './retrying.js';
import { finalFailure, type Ending, type OnceState, type PhaseOf } from './state.js';

/**
 * What an attempt to settle before the first step has to wait for. If the workflow was reset to within that wait, the run before the reset may
 * have begun its steps and may still be sending. Neither `left` nor a wait that was over in that run knows of it.
 *
 * @param facts `decidedInRunId`: the run that made the first reading
 */
export function leftBeforeFirstStep(
  left: OnceState,
  { runId, decidedInRunId }: Pick<AttemptFacts, 'runId' | 'decidedInRunId'>,
  limits: Limits,
  nowMs: number,
): OnceState {
  if (runId === decidedInRunId) return left;
  return { ...left, sent: 'unknown', clearAtMs: Math.max(left.clearAtMs, nowMs + unseenAttemptMs(limits)) };
}

/** Follows the cloud job of the decision to its end if one is known; otherwise reads the instance. */
export function startSettling(state: OnceState, at: At): Step {
  if (state.cloudJob !== null) return startPolling(state, at);
  return readAfter(0, state, { name: 'settling', quietSinceMs: null, jobEnd: null }, at);
}

/** The phase `following` of a settle: after the end of the cloud job the instance must come to rest. */
export function followingToSettle(
  state: OnceState,
  phase: PhaseOf<'following'>,
  event: EventOf<'polled' | 'failed' | 'timeUp'>,
  at: At,
): Step {
  const after = polled(state, phase, event, at);
  if ('state' in after) return after;
  if (after.kind === 'overdue')
    return readAfter(0, state, { name: 'lastReading', ending: unclear(state, after.why, at) }, at);
  const jobEnd = { atMs: at.nowMs, failure: after.kind === 'failed' ? howItEnded(after.job) : null };
  return readAfter(0, state, { name: 'settling', quietSinceMs: null, jobEnd }, at);
}

/** The phase `settling`. A failed reading decides nothing; the deadline of the settle ends it. */
export function settling(
  state: OnceState,
  phase: PhaseOf<'settling'>,
  event: EventOf<'reading' | 'inspected' | 'failed' | 'timeUp'>,
  at: At,
): Step {
  switch (event.kind) {
    case 'failed':
    case 'timeUp':
      return afterFailure(state, phase, event.kind === 'failed' ? event : null, at);
    case 'inspected':
      return afterInspection(state, phase, event, at);
    case 'reading': {
      const read = { ...state, seen: event.reading };
      return state.sent === 'unknown'
        ? whileUnclear(read, phase, event, at)
        : untilAtRest(withReadFailure(read, null, at), phase, event, at);
    }
  }
}

function afterFailure(state: OnceState, phase: PhaseOf<'settling'>, error: RequestFailed | null, at: At): Step {
  const failed = error === null ? state : withReadFailure(state, error, at);
  return proceed(failed, { ...phase, quietSinceMs: null }, at);
}

/** It is known what was sent, so the instance only has to come to rest. A deleted instance is at rest. */
function untilAtRest(state: OnceState, phase: PhaseOf<'settling'>, event: ReadingEvent, at: At): Step {
  if (isAtRest(event.reading) && !isOlderThanJob(state, phase, event, at)) {
    const ending = clear(state, at);
    // If the cloud job was somebody else's, ours may still appear.
    if (ending.kind !== 'indeterminate' || at.nowMs >= state.clearAtMs) return end(state, ending, at);
  }
  return proceed(state, phase, at);
}

/**
 * True if a reading may show the instance as it was before our cloud job: it shows an older cloud job, or nothing of what our successful one
 * did. An effect that is not seen would not be undone. An unknown cloud job may be older than ours, too; if ours showed only after the lease is
 * released, the next run would report it as somebody else's.
 */
function isOlderThanJob(
  { cloudJob }: OnceState,
  { jobEnd }: PhaseOf<'settling'>,
  { reading, askedAtMs }: ReadingEvent,
  at: At,
): boolean {
  if (cloudJob === null || jobEnd === null) return false;
  const { before, action, limits } = at.rules;
  const age = readingAge({ ...before, lastJobId: cloudJob.id }, reading);
  if (age === 'new' && askedAtMs - cloudJob.submittedAtMs < limits.visibilityWindowMs) return true;
  if (askedAtMs - jobEnd.atMs >= limits.visibilityWindowMs) return false;
  return age === 'stale' || (jobEnd.failure === null && action !== null && !desiredStateHolds(action, reading));
}

/** Something may have been sent and no cloud job is known: reads until nothing that was sent can still be invisible. */
function whileUnclear(state: OnceState, phase: PhaseOf<'settling'>, event: ReadingEvent, at: At): Step {
  const { reading, askedAtMs } = event;
  const { before, action, limits } = at.rules;
  const isNew = readingAge(before, reading) === 'new';
  if (isNew && action !== null) {
    return inspect({ ...state, phase }, Math.max(at.rules.deadlineAtMs, at.nowMs + limits.readTimeoutMs));
  }
  const read = withReadFailure(state, null, at);
  const isClear = askedAtMs >= state.clearAtMs;
  // Before a first step nothing can be adopted: the cloud job belongs to the run before and only has to end.
  if (isNew)
    return isAtRest(reading) && isClear
      ? end(read, clear(read, at), at)
      : proceed(read, { ...phase, quietSinceMs: null }, at);
  const quietSinceMs = isAtRest(reading) ? (phase.quietSinceMs ?? at.nowMs) : null;
  const isQuiet = quietSinceMs !== null && askedAtMs - quietSinceMs >= limits.quietMs;
  return isQuiet && isClear ? nothingNew(read, reading, at) : proceed(read, { ...phase, quietSinceMs }, at);
}

/** Reads again, or ends unclear once the time to settle is over. */
function proceed(state: OnceState, phase: PhaseOf<'settling'>, at: At): Step {
  return isOver(state, at) ? end(state, unclear(state, notAtRest(state), at), at) : readAgain(state, phase, at);
}

function afterInspection(state: OnceState, phase: PhaseOf<'settling'>, event: EventOf<'inspected'>, at: At): Step {
  const read = withReadFailure(state, null, at);
  const verdict = judge(read, event, at);
  if (verdict.kind === 'fits') return adopt(read, verdict.evidence, at);
  // The lease on the instance is kept while an earlier attempt may still send: the verdict comes only when nothing can follow it.
  if (at.nowMs < state.clearAtMs) return proceed(read, { ...phase, quietSinceMs: null }, at);
  if (mayShowTasks(verdict, read, at) && !isOver(read, at))
    return readAgain(read, { ...phase, quietSinceMs: null }, at);
  return end(read, unclear(read, whyNotOurs(read, verdict), at), at);
}

/**
 * No new cloud job appeared. If the state is as before, nothing happened, unless the step saw it as done; another state under the same cloud job
 * has no explanation.
 */
function nothingNew(state: OnceState, reading: Observation, at: At): Step {
  const { before, action } = at.rules;
  if (before.observation === null || action === null) return end(state, clear(state, at), at);
  const isAsBefore = isSameState(before.observation, reading);
  const isDone = desiredStateHolds(action, reading);
  const sawItDone = state.goal.kind === 'settle' && state.goal.prior?.kind === 'succeeded';
  if (isAsBefore && (isDone || !sawItDone)) return end({ ...state, sent: 'no' }, clear(state, at), at);
  if (isDone) return end(state, clear(state, at), at);
  const [from, to] = [describeObservation(before.observation), describeObservation(reading)];
  const change = isAsBefore ? `became as desired, and then ${to} again` : `changed from ${from} to ${to}`;
  return end(state, unclear(state, `the state ${change} without a new cloud job`, at), at);
}

function isSameState(before: Observation, after: Observation): boolean {
  return (
    statusMeaning(before.status) === statusMeaning(after.status) &&
    before.version === after.version &&
    before.replicaCount === after.replicaCount
  );
}

/** Failures that report what came of the cloud job. */
const JUDGED: readonly FailureName[] = [
  'CloudJobFailed',
  'CloudJobOverdue',
  'NotConverged',
  'TargetChanged',
  'TargetNotFound',
];

/** It is clear what happened: the step ends as it had before, unless its cloud job was not judged yet and shows something else. */
function clear({ goal, cloudJob, seen, phase }: OnceState, { rules: { action } }: At): Ending {
  const prior = goal.kind === 'settle' ? goal.prior : null;
  if (prior === null) return { kind: 'succeeded' };
  const isJudged = prior.kind === 'failed' && JUDGED.includes(prior.failure);
  if (isJudged || cloudJob === null || action === null) return prior;
  const before = 'message' in prior ? `${prior.message}; ` : `${describeAction(action)}: `;
  const failure = phase.name === 'settling' ? (phase.jobEnd?.failure ?? null) : null;
  if (failure !== null) return failedJob(cloudJob, `${before}cloud job ${cloudJob.id} ended ${failure}`);
  if (seen === null || desiredStateHolds(action, seen)) return prior;
  const message = `${before}expected ${ruleOf(action).desiredState(action)}, saw ${describeObservation(seen)} once it was settled`;
  // An adopted cloud job may not have been ours after all.
  return cloudJob.evidence === undefined
    ? finalFailure('NotConverged', message)
    : { kind: 'indeterminate', failure: 'Indeterminate', message };
}

/** The verdict when the deadline of the settle passed, or when a cloud job appeared that may not be ours. */
function unclear(state: OnceState, why: string, { rules }: At): Ending {
  const { goal, seen } = state;
  if (goal.kind === 'settle' && goal.prior !== null) return unsettled(state, goal.prior, why);
  const saw = seen === null ? '' : ` (${describeObservation(seen)}, cloud job ${seen.lastJobId ?? 'none'})`;
  const message = `${rules.target.path} did not come to rest before the first step${saw}: ${why}`;
  return finalFailure('TargetBusy', message);
}

/** The verdict on a step if settling did not make clear what happened. */
export function unsettled({ sent, cloudJob }: OnceState, prior: Ending, why: string): Ending {
  const before = 'message' in prior ? prior.message : 'The step is not clear';
  const message = `${before}; settling it did not help: ${why}`;
  // An operator needs other advice for a known cloud job that does not end than for a POST with an unknown result.
  const isOwn = sent === 'yes' && cloudJob?.evidence === undefined;
  return { kind: 'indeterminate', failure: isOwn ? 'CloudJobOverdue' : 'Indeterminate', message };
}

/** While it is not clear what was sent, settling lasts at least until nothing can be invisible, whatever the deadline. */
function isOver({ sent, clearAtMs }: OnceState, { nowMs, rules }: At): boolean {
  const { deadlineAtMs, limits } = rules;
  return nowMs >= (sent === 'unknown' ? Math.max(deadlineAtMs, clearAtMs + 4 * limits.quietMs) : deadlineAtMs);
}

function notAtRest({ seen, retrying }: OnceState): string {
  const last = seen === null ? 'no reading succeeded' : `last seen ${describeObservation(seen)}`;
  return `not settled within the limit: ${last}${retrying === undefined ? '' : `; ${retrying.reason}`}`;
}

function readAgain(state: OnceState, phase: PhaseOf<'settling'>, at: At): Step {
  const { limits, deadlineAtMs } = at.rules;
  if (state.retrying === undefined) return readAfter(limits.quietMs, state, phase, at);
  const { failure, failures } = state.retrying;
  const leftMs = deadlineAtMs - at.nowMs;
  return readAfter(retryDelayMs({ failure, failures, firstDelayMs: limits.quietMs, leftMs, limits }), state, phase, at);
}
