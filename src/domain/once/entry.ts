/** What an attempt may conclude when it begins, and from a reading before a send. Pure; `docs/guarantees.md` shows the table that these functions make. */
import { ruleOf, wishedStateHolds, type Action } from '../actions.js';
import { isAtRest } from '../cloud-job.js';
import { statusMeaning, type Observation } from '../target.js';
import type { AttemptFacts, Known } from './events.js';
import { unseenAttemptMs, type Limits } from './limits.js';
import type { OnceState } from './state.js';

/** True when it is proved that nothing was sent for this decision before this attempt. */
export function isProvenUnsent(facts: AttemptFacts, previous: OnceState | null, limits: Limits): boolean {
  if (previous !== null) return previous.sent === 'no' && isNextAttempt(facts, previous, limits);
  const { attempt, runId, decidedInRunId, scheduledAtMs, attemptScheduledAtMs } = facts;
  return attempt === 1 && runId === decidedInRunId && attemptScheduledAtMs === scheduledAtMs;
}

/** True when the attempt that left `previous` has ended and no attempt was lost between it and this one. */
function isNextAttempt(
  { attempt, attemptScheduledAtMs }: AttemptFacts,
  { attempt: previousAttempt, atMs, phase }: OnceState,
  limits: Limits,
): boolean {
  if (phase.name !== 'ended' || phase.ending.kind !== 'failed' || previousAttempt !== attempt - 1) return false;
  // Scheduled later than that, an attempt between has been lost, and it may have sent.
  return attemptScheduledAtMs <= atMs + (phase.ending.retryInMs ?? 0) + limits.heartbeatTimeoutMs / 2;
}

/** True when this attempt may already be superseded, which a plain heartbeat would not tell: it must ask before it reads. */
export function needsBarrier(
  { attemptScheduledAtMs }: AttemptFacts,
  previous: OnceState | null,
  nowMs: number,
  limits: Limits,
): boolean {
  return previous !== null || nowMs - attemptScheduledAtMs > limits.lateStartMs;
}

/**
 * `OnceState.clearAtMs` as an attempt begins. An attempt that ended said itself until when; what a lost one sent was accepted before this one
 * was scheduled. Only a reset puts this attempt beside one that may still send.
 */
export function clearAtMsOnEntry(
  facts: AttemptFacts,
  previous: OnceState | null,
  nowMs: number,
  limits: Limits,
): number {
  const known = previous?.clearAtMs ?? 0;
  if (previous !== null && isNextAttempt(facts, previous, limits)) return known;
  if (isProvenUnsent(facts, previous, limits)) return known;
  const { attempt, attemptScheduledAtMs } = facts;
  const wasReset = attempt === 1 || (previous !== null && previous.attempt >= attempt);
  const ownMs = wasReset ? attemptScheduledAtMs + unseenAttemptMs(limits) : nowMs + limits.visibilityWindowMs;
  return Math.max(known, ownMs);
}

/** What a reading before a send leads to. */
export type EntryMove =
  /** Nothing was sent and the wished state does not hold. */
  | 'send'
  /** The wished state holds and nothing was sent: done, with this reading as proof. */
  | 'skip'
  /** A cloud job is in flight and nothing was sent. */
  | 'busy'
  /** A cloud job that is not ours appeared, and nothing was sent. */
  | 'changed'
  | 'gone'
  /** The reading shows a cloud job older than the baseline: read again. */
  | 'stale'
  /** Something may have been sent and a cloud job is in flight: read again until it is at rest. */
  | 'wait'
  /** Something may have been sent and the wished state holds: not sent again; read on, the id usually shows. */
  | 'alreadyDone'
  /** Something may have been sent and nothing shows: quiet readings for the whole visibility window come first. */
  | 'quiet'
  /** Something may have been sent and a new cloud job is there: is it ours? */
  | 'inspect';

/** @param provenUnsent nothing was sent for this decision before */
export function entryMove(provenUnsent: boolean, action: Action, before: Known, reading: Observation): EntryMove {
  if (statusMeaning(reading.status) === 'gone') return 'gone';
  switch (readingAge(before, reading)) {
    case 'stale':
      return 'stale';
    case 'new':
      return provenUnsent ? 'changed' : 'inspect';
    case 'baseline': {
      const { kind } = ruleOf(action);
      if (!isAtRest(reading)) return provenUnsent ? 'busy' : 'wait';
      // An edge action's wished state needs a new cloud job, so under the baseline's id it never holds.
      const holds = kind === 'state' && wishedStateHolds(action, reading);
      if (provenUnsent) return holds ? 'skip' : 'send';
      return holds ? 'alreadyDone' : 'quiet';
    }
  }
}

/** How a reading's newest cloud job stands to what is known: the baseline itself, an older one, or one nobody told us of. */
export function readingAge(
  before: Pick<Known, 'lastJobId' | 'knownCloudJobIds'>,
  reading: Observation,
): 'baseline' | 'stale' | 'new' {
  if (reading.lastJobId === before.lastJobId) return 'baseline';
  // An id that was there and is gone again can only be an old reading.
  if (reading.lastJobId === null || before.knownCloudJobIds.includes(reading.lastJobId)) return 'stale';
  return 'new';
}
