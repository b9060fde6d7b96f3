/** What an attempt may conclude when it begins, and from a reading before a send. Pure; `docs/guarantees.md` shows the table that these functions make. */
import { ruleOf, desiredStateHolds, type Action } from '../target/actions.js';
import { isAtRest } from '../target/cloud-job.js';
import { statusMeaning, type Observation } from '../target/target.js';
import type { AttemptFacts, Known } from './events.js';
import { unseenAttemptMs, type Limits } from './limits.js';
import type { OnceState, PhaseName } from './state.js';

/**
 * True when it is proved that nothing was sent for this decision before this attempt. A send lease is a heartbeat that says `sent: 'unknown'` and is
 * acknowledged before the first byte, so that what heartbeats of an earlier attempt say of it holds.
 */
export function isProvenUnsent(facts: AttemptFacts, previous: OnceState | null, limits: Limits): boolean {
  if (previous !== null) return previous.sent === 'no' && isDirectlyBefore(facts, previous, limits);
  return facts.attempt === 1 && !wasReset(facts, previous);
}

/**
 * True when no attempt was between the one that wrote `previous` and this one. Words of an older one can be taken for the newer's, since a reset
 * begins to number anew; they are older than a retry, or the loss of an attempt, explains.
 */
function isDirectlyBefore(facts: AttemptFacts, previous: OnceState, limits: Limits): boolean {
  const { attempt, atMs, phase } = previous;
  if (attempt !== facts.attempt - 1) return false;
  // Both say what is believed once the server has named the attempt; a lease after them would have overwritten them.
  if (phase.name === 'barrier' || phase.name === 'unleased')
    return facts.attemptScheduledAtMs <= atMs + 2 * limits.heartbeatTimeoutMs;
  return phase.name === 'ended' && phase.ending.kind === 'failed' && !isReceivedLate(facts, previous, limits);
}

/**
 * True where an attempt ended too long before this one was scheduled: the server received its end late, or another attempt was between them. After a
 * reset it may have been treated as the end of a later attempt that has sent.
 */
function isReceivedLate(
  { attemptScheduledAtMs }: AttemptFacts,
  { atMs, phase }: OnceState,
  { heartbeatTimeoutMs }: Limits,
): boolean {
  if (phase.name !== 'ended') return false;
  const retryInMs = phase.ending.kind === 'failed' ? (phase.ending.retryInMs ?? 0) : 0;
  return attemptScheduledAtMs > atMs + retryInMs + heartbeatTimeoutMs;
}

/**
 * True when no attempt of this decision is known to have asked for the send lease. An end that was received late and has the number of the attempt
 * directly before may hide a lease.
 */
export function isUnleasedOnEntry(facts: AttemptFacts, previous: OnceState | null, limits: Limits): boolean {
  if (isProvenUnsent(facts, previous, limits)) return true;
  if (previous?.isUnleased !== true) return false;
  return previous.attempt !== facts.attempt - 1 || !isReceivedLate(facts, previous, limits);
}

/**
 * True when this attempt may already be superseded, which a plain heartbeat would not tell, or where only the server knows whether the attempt
 * before was lost: it must ask before it reads.
 */
export function needsBarrier(
  facts: AttemptFacts,
  previous: OnceState | null,
  nowMs: number,
  { lateStartMs }: Limits,
): boolean {
  if (previous !== null || facts.attempt > 1 || wasReset(facts, previous)) return true;
  return nowMs - facts.attemptScheduledAtMs > lateStartMs;
}

/** A reset begins with number 1 again, and may leave an attempt from before it alive. So does an unpause before the first start. */
function wasReset(
  { attempt, scheduledAtMs, attemptScheduledAtMs, runId, decidedInRunId }: AttemptFacts,
  previous: OnceState | null,
): boolean {
  if (previous !== null) return previous.attempt >= attempt;
  return runId !== decidedInRunId || (attempt === 1 && attemptScheduledAtMs !== scheduledAtMs);
}

/** Of a lost attempt these may be its last words although it got the send lease after them: the SDK's heartbeats can come late. */
const MAY_HAVE_SENT: readonly PhaseName[] = [
  'reserving',
  'observing',
  'connecting',
  'leasing',
  'sending',
  'confirming',
];

/**
 * `OnceState.clearAtMs` as an attempt begins. What an attempt that was lost may have sent was accepted before this one was scheduled. After a
 * reset, and where heartbeats may have been cleared, one may be alive beside this one; it began before.
 */
export function clearAtMsOnEntry(
  facts: AttemptFacts,
  previous: OnceState | null,
  nowMs: number,
  limits: Limits,
): number {
  if (isProvenUnsent(facts, previous, limits)) return previous?.clearAtMs ?? 0;
  if (previous === null) return nowMs + unseenAttemptMs(limits);
  const { clearAtMs, phase } = previous;
  // Words that are not believed may hide those of an attempt that is alive.
  if (wasReset(facts, previous) || previous.sent === 'no' || isReceivedLate(facts, previous, limits))
    return Math.max(clearAtMs, nowMs + unseenAttemptMs(limits));
  if (!MAY_HAVE_SENT.includes(phase.name)) return clearAtMs;
  return Math.max(clearAtMs, facts.attemptScheduledAtMs + limits.visibilityWindowMs);
}

/** What a reading before a send leads to. */
export type EntryMove =
  /** Nothing was sent and the desired state does not hold. */
  | 'send'
  /** The desired state holds and nothing was sent: done, with this reading as proof. */
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
  /** Something may have been sent and the desired state holds: not sent again; read on, the id usually shows. */
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
      // An edge action's desired state needs a new cloud job, so under the baseline's id it never holds.
      const holds = kind === 'state' && desiredStateHolds(action, reading);
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
