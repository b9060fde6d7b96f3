/** After the send: the cloud job is polled to its end, then the instance must reach the desired state and hold it. */
import { describeAction, ruleOf, desiredStateHolds } from '../target/actions.js';
import { cloudJobPhase, failureReason, isAtRest, type CloudJob } from '../target/cloud-job.js';
import type { FailureName } from '../failures.js';
import { describeObservation, statusMeaning, type Observation } from '../target/target.js';
import { actionIn, end, endInterrupted, fail, indeterminate, note } from './ending.js';
import { readingAge } from './entry.js';
import type { At, EventOf, PollCommand, ReadingEvent, RequestFailed, Step } from './events.js';
import { unknownCloudJobMs } from './limits.js';
import { nextHoldDelayMs, nextReadingDelayMs } from './pacing.js';
import { failedAgain } from './retrying.js';
import {
  finalFailure,
  type AdoptionEvidence,
  type Ending,
  type FollowedJob,
  type OnceState,
  type Phase,
  type PhaseOf,
} from './state.js';

/** The cloud job is known: from now on it is only followed. Its id reaches the server first, because the next attempt must find it. */
export function follow(state: OnceState, cloudJob: FollowedJob, at: At): Step {
  const { retrying: _over, ...known } = state;
  const followed: OnceState = { ...known, sent: 'yes', cloudJob };
  const { interrupted } = state;
  if (interrupted === 'stop' || interrupted === 'superseded')
    return { ...endInterrupted(followed, interrupted, at), record: true };
  return { ...startPolling(followed, at), record: true };
}

/** Follows a cloud job that was found by reading: an earlier attempt sent it, or this one did and the answer was lost. */
export function adopt(state: OnceState, evidence: AdoptionEvidence, at: At): Step {
  const { cloudJobId: id, firstTaskAtMs: submittedAtMs } = evidence;
  return follow(note(state, 'adopted', at, id), { id, submittedAtMs, evidence }, at);
}

/** Makes the first poll of an attempt. */
export function startPolling(state: OnceState, at: At): Step {
  return poll(state, { name: 'following', sinceMs: at.nowMs, polls: 0, failedPolls: 0, unknownSinceMs: null }, at);
}

function poll(state: OnceState, phase: PhaseOf<'following'>, { nowMs, rules }: At): Step {
  const { id, submittedAtMs, runningAtMs } = jobOf(state);
  const { sinceMs, polls } = phase;
  const latestAtMs = Math.max(nowMs, rules.deadlineAtMs);
  const command: PollCommand = {
    kind: 'poll',
    cloudJobId: id,
    submittedAtMs,
    sinceMs,
    polls,
    lastRunningAtMs: runningAtMs ?? null,
    latestAtMs,
    giveUpAtMs: latestAtMs + rules.limits.readTimeoutMs,
  };
  return { state: { ...state, phase }, command };
}

/**
 * Records at which age a poll found the cloud job running, or ended: this decides nothing, later workers learn from it. A poll that failed and an
 * unclear status show neither. The age of an adopted cloud job is known only by the cloud's clock, so it is not recorded.
 */
export function withAgeSeen(state: OnceState, event: EventOf<'polled' | 'failed' | 'timeUp'>): OnceState {
  const { cloudJob } = state;
  if (event.kind !== 'polled' || cloudJob === null || cloudJob.evidence !== undefined) return state;
  const jobPhase = cloudJobPhase(event.job.status);
  if (jobPhase === 'unclear' || cloudJob.endedByMs !== undefined) return state;
  const ageMs = Math.max(0, cloudJob.runningAtMs ?? 0, event.askedAtMs - cloudJob.submittedAtMs);
  const seen = jobPhase === 'inFlight' ? { runningAtMs: ageMs } : { endedByMs: ageMs };
  return { ...state, cloudJob: { ...cloudJob, ...seen } };
}

/** How polling a cloud job ended. `overdue`: the deadline passed, or the API still does not know the cloud job. */
export type PollingEnd =
  | { readonly kind: 'succeeded' | 'failed'; readonly job: CloudJob }
  | { readonly kind: 'overdue'; readonly why: string };

/** Takes the answer to a poll. Failed polls are counted and tolerated. @returns how the cloud job ended, or the next poll */
export function polled(
  state: OnceState,
  phase: PhaseOf<'following'>,
  event: EventOf<'polled' | 'failed' | 'timeUp'>,
  at: At,
): PollingEnd | Step {
  const { nowMs, rules } = at;
  const { id } = jobOf(state);
  const job = event.kind === 'polled' ? event.job : null;
  const jobPhase = job === null ? null : cloudJobPhase(job.status);
  if (job !== null && (jobPhase === 'succeeded' || jobPhase === 'failed')) return { kind: jobPhase, job };
  const isUnknown = event.kind === 'failed' && event.failure === 'TargetNotFound';
  const unknownSinceMs = isUnknown ? (phase.unknownSinceMs ?? nowMs) : null;
  const polls = phase.polls + 1;
  const failedPolls = phase.failedPolls + (job === null ? 1 : 0);
  if (unknownSinceMs !== null && nowMs - unknownSinceMs > unknownCloudJobMs(rules.limits))
    return { kind: 'overdue', why: `the API does not know cloud job ${id}` };
  if (nowMs >= rules.deadlineAtMs) {
    const seen = job === null ? whyNoAnswer(event) : `its status is ${job.status}`;
    const failed = failedPolls === 0 ? '' : ` (${failedPolls} of ${polls} polls failed)`;
    return { kind: 'overdue', why: `cloud job ${id} has not ended by the deadline: ${seen}${failed}` };
  }
  const read = withReadFailure(state, event.kind === 'failed' ? event : null, at);
  return poll(read, { ...phase, polls, failedPolls, unknownSinceMs }, at);
}

function whyNoAnswer(event: EventOf<'polled' | 'failed' | 'timeUp'>): string {
  return event.kind === 'failed' ? event.message : 'no poll was answered in time';
}

/** The phase `following` of an attempt that acts: after the end of the cloud job the instance is verified, or read once more for the report. */
export function following(
  state: OnceState,
  phase: PhaseOf<'following'>,
  event: EventOf<'polled' | 'failed' | 'timeUp'>,
  at: At,
): Step {
  const after = polled(state, phase, event, at);
  if ('state' in after) return after;
  const { id } = jobOf(state);
  const { verify, deadlineAtMs } = at.rules;
  const what = actionIn(at.rules);
  if (after.kind === 'succeeded') {
    const untilMs = Math.min(at.nowMs + verify.withinMs, deadlineAtMs);
    const verifying: PhaseOf<'verifying'> = {
      name: 'verifying',
      untilMs,
      readings: 0,
      heldSinceMs: null,
      wasSeen: false,
    };
    return readAfter(0, state, verifying, at);
  }
  if (after.kind === 'overdue') return lastReading(state, finalFailure('CloudJobOverdue', `${what}: ${after.why}`), at);
  const ending = failedJob(jobOf(state), `${what}: cloud job ${id} ended ${howItEnded(after.job)}`);
  return lastReading(state, ending, at);
}

/** For messages: the status of a cloud job that did not succeed, and why. */
export function howItEnded(job: CloudJob): string {
  const reason = failureReason(job);
  return reason === null ? job.status : `${job.status} (${reason})`;
}

/** How a step ends whose cloud job did not succeed. An adopted one may not have been ours after all, unless our own user created it. */
export function failedJob({ evidence }: FollowedJob, message: string): Ending {
  return evidence?.createdByUs === false
    ? { kind: 'indeterminate', failure: 'Indeterminate', message }
    : finalFailure('CloudJobFailed', message);
}

function lastReading(state: OnceState, ending: Ending, at: At): Step {
  return readAfter(0, state, { name: 'lastReading', ending }, at);
}

/** The phase `lastReading`: the step ends as already decided, with what was read, if anything, in the report. */
export function afterLastReading(
  state: OnceState,
  { ending }: PhaseOf<'lastReading'>,
  event: EventOf<'reading' | 'failed' | 'timeUp'>,
  at: At,
): Step {
  const read = event.kind === 'reading' ? { ...state, seen: event.reading } : state;
  const isUnsure = ending.kind === 'indeterminate' && state.goal.kind === 'act';
  return isUnsure ? indeterminate(read, ending.message, at) : end(read, ending, at);
}

/** The phase `verifying`. Every reading must show our own cloud job, and the desired state must hold for a while. */
export function verifying(
  state: OnceState,
  phase: PhaseOf<'verifying'>,
  event: EventOf<'reading' | 'failed' | 'timeUp'>,
  at: At,
): Step {
  if (event.kind !== 'reading') return afterFailedReading(state, phase, event.kind === 'failed' ? event : null, at);
  const read = { ...withReadFailure(state, null, at), seen: event.reading };
  return afterReading(read, { ...phase, wasSeen: true }, event, at);
}

function afterReading(
  state: OnceState,
  phase: PhaseOf<'verifying'>,
  { reading, askedAtMs }: ReadingEvent,
  at: At,
): Step {
  const { action, target, verify, before, limits } = at.rules;
  const { id, submittedAtMs } = jobOf(state);
  const known = before.lastJobId === null ? before.knownCloudJobIds : [...before.knownCloudJobIds, before.lastJobId];
  const age = readingAge({ lastJobId: id, knownCloudJobIds: known }, reading);
  if (age === 'new')
    return doubt(
      state,
      'TargetChanged',
      `Cloud job ${reading.lastJobId} appeared on ${target.path} after ours (${id})`,
      at,
    );
  if (statusMeaning(reading.status) === 'deleted')
    return doubt(state, 'TargetNotFound', `${target.path} is ${reading.status}`, at);
  const holds = age === 'baseline' && isAtRest(reading) && action !== null && desiredStateHolds(action, reading);
  const heldSinceMs = holds ? (phase.heldSinceMs ?? at.nowMs) : null;
  if (skipsVerification(state, at)) {
    // The next run must not start from a reading that is older than our cloud job: it would take ours, which shows later, for somebody else's.
    const hasShown = age === 'baseline' || askedAtMs - submittedAtMs >= limits.visibilityWindowMs;
    return hasShown
      ? verified(state, reading, 'not verified: the run was cancelled', at)
      : readAgain(state, { ...phase, heldSinceMs }, at);
  }
  // The reading shows a moment before its answer came, so the state held at least until it was asked for.
  if (heldSinceMs !== null && Math.max(0, askedAtMs - heldSinceMs) >= verify.stableMs)
    return verified(
      state,
      reading,
      `${describeObservation(reading)}${verify.stableMs > 0 ? '' : '; reached, not held'}`,
      at,
    );
  if (heldSinceMs === null && at.nowMs >= phase.untilMs && action !== null) {
    const saw = describeObservation(reading);
    return doubt(
      state,
      'NotConverged',
      `${describeAction(action)}: expected ${ruleOf(action).desiredState(action)}, saw ${saw}`,
      at,
    );
  }
  return readAgain(state, { ...phase, heldSinceMs }, at);
}

/** A failed read proves nothing, so reading continues until the step's deadline. */
function afterFailedReading(state: OnceState, phase: PhaseOf<'verifying'>, error: RequestFailed | null, at: At): Step {
  const { target, deadlineAtMs } = at.rules;
  if (at.nowMs < (skipsVerification(state, at) ? phase.untilMs : deadlineAtMs))
    return readAgain(error === null ? state : withReadFailure(state, error, at), phase, at);
  const last =
    phase.wasSeen && state.seen !== null ? `last seen ${describeObservation(state.seen)}` : 'it was not seen since';
  const why = error === null ? 'no answer in time' : error.message;
  const message = `${actionIn(at.rules)}: its cloud job succeeded, and ${target.path} could not be read (${why}): ${last}`;
  return doubt(state, 'Unreachable', message, at);
}

/** True if the run was cancelled and its runbook does not want the desired state verified then. */
function skipsVerification({ interrupted }: OnceState, { rules }: At): boolean {
  return interrupted === 'cancel' && !rules.verifyAfterCancel;
}

/** Ends with a failure, or with `Indeterminate` if the cloud job was adopted: it may not have been ours after all. */
function doubt(state: OnceState, failure: FailureName, message: string, at: At): Step {
  return jobOf(state).evidence === undefined ? fail(state, failure, message, at) : indeterminate(state, message, at);
}

function verified(state: OnceState, reading: Observation, remark: string, at: At): Step {
  // The next step starts from the cloud job that was followed, whatever this reading happened to show.
  const seen = { ...reading, lastJobId: jobOf(state).id };
  return end(note({ ...state, seen }, 'verified', at, remark), { kind: 'succeeded' }, at);
}

function readAgain(state: OnceState, phase: PhaseOf<'verifying'>, at: At): Step {
  const { heldSinceMs, readings, untilMs } = phase;
  const next = { ...phase, readings: readings + 1 };
  if (heldSinceMs !== null)
    return readAfter(nextHoldDelayMs(at.nowMs - heldSinceMs, at.rules.verify.stableMs), state, next, at);
  const delayMs = nextReadingDelayMs(readings);
  const leftMs = untilMs - at.nowMs;
  return readAfter(leftMs > 0 ? Math.min(delayMs, leftMs) : delayMs, state, next, at);
}

/** Reads the instance after `inMs`, when nothing will be sent any more: until the deadline of the step, and at least once. */
export function readAfter(inMs: number, state: OnceState, phase: Phase, { nowMs, rules }: At): Step {
  const giveUpAtMs = Math.max(rules.deadlineAtMs, nowMs + inMs + rules.limits.readTimeoutMs);
  return { state: { ...state, phase }, command: { kind: 'read', inMs, giveUpAtMs } };
}

/** Keeps for the next heartbeat why nothing can be read; `null` for a reading that succeeded. */
export function withReadFailure(state: OnceState, error: RequestFailed | null, at: At): OnceState {
  const { retrying, ...rest } = state;
  if (error === null) return rest;
  const { failure, message: reason } = error;
  return {
    ...rest,
    retrying: failedAgain(retrying, { failure, reason, nowMs: at.nowMs, untilMs: at.rules.deadlineAtMs }),
  };
}

function jobOf({ cloudJob }: OnceState): FollowedJob {
  if (cloudJob === null) throw new TypeError('There is no cloud job to follow');
  return cloudJob;
}
