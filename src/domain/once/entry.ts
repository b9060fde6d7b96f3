/** What an attempt may conclude when it begins, and from a reading before a send. `docs/once-machine.md` has the readings as a table. */
import { ruleOf, desiredStateHolds, type Action } from '../target/actions.js';
import { isAtRest } from '../target/cloud-job.js';
import { statusMeaning, type Observation } from '../target/target.js';
import type { AttemptFacts, Known } from './events.js';
import { unseenAttemptMs, type Limits } from './limits.js';
import type { OnceState, PhaseName } from './state.js';

/**
 * True if it is proved that no earlier attempt sent anything for this decision. The send lease, an acknowledged heartbeat before the first byte, carries
 * `sent: 'unknown'`. So if the last heartbeat of an earlier attempt carries `no`, that is true.
 */
export function isProvenUnsent(facts: AttemptFacts, previous: OnceState | null, limits: Limits): boolean {
  if (previous !== null) return previous.sent === 'no' && isDirectlyBefore(facts, previous, limits);
  return facts.attempt === 1 && !wasReset(facts, previous);
}

/**
 * True if no other attempt ran between the one that wrote `previous` and this one. The number alone does not prove it, because numbers begin again
 * after a reset. But then `previous` is older than a retry, or the loss of one attempt, explains.
 */
function isDirectlyBefore(facts: AttemptFacts, previous: OnceState, limits: Limits): boolean {
  const { attempt, atMs, phase } = previous;
  if (attempt !== facts.attempt - 1) return false;
  // Heartbeats of both phases are written only after the server named the attempt, and a later lease would have overwritten them.
  if (phase.name === 'barrier' || phase.name === 'unleased')
    return facts.attemptScheduledAtMs <= atMs + 2 * limits.heartbeatTimeoutMs;
  return phase.name === 'ended' && phase.ending.kind === 'failed' && !isReceivedLate(facts, previous, limits);
}

/**
 * True if an attempt ended too long before this one was scheduled: the server received its end late, or another attempt was between them. After a
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
 * True if no attempt of this decision is known to have asked for the send lease. An end that was received late may hide a lease, unless the
 * attempts after it were lost without any heartbeat, which explains why it is old. A reset explains nothing.
 */
export function isUnleasedOnEntry(facts: AttemptFacts, previous: OnceState | null, limits: Limits): boolean {
  if (isProvenUnsent(facts, previous, limits)) return true;
  if (previous?.isUnleased !== true) return false;
  return previous.attempt < facts.attempt - 1 || !isReceivedLate(facts, previous, limits);
}

/**
 * True if this attempt must ask the server before it reads: it may already be superseded, which a plain heartbeat would not reveal, or only the
 * server knows whether the attempt before was lost.
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

/** True after a reset, which numbers attempts from 1 again and may leave an older attempt alive. An unpause before the first start does the same. */
function wasReset(
  { attempt, scheduledAtMs, attemptScheduledAtMs, runId, decidedInRunId }: AttemptFacts,
  previous: OnceState | null,
): boolean {
  if (previous !== null) return previous.attempt >= attempt;
  return runId !== decidedInRunId || (attempt === 1 && attemptScheduledAtMs !== scheduledAtMs);
}

/**
 * False where a lost attempt whose last heartbeat names the phase may have got the send lease later: the SDK's heartbeats can arrive late. A phase
 * that only a newer version knows is not listed, so it may have sent as well.
 */
const SENDS_NO_MORE: Readonly<Record<PhaseName, boolean>> = {
  barrier: true,
  reserving: false,
  observing: false,
  connecting: false,
  leasing: false,
  unleased: true,
  sending: false,
  confirming: false,
  following: true,
  lastReading: true,
  verifying: true,
  settling: true,
  ended: true,
};

/**
 * `OnceState.clearAtMs` when an attempt begins. Whatever a lost attempt sent was accepted before this attempt was scheduled. After a reset, and if
 * heartbeats may have been cleared, an older attempt may still be alive beside this one.
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
  // A heartbeat that proves nothing may hide that of an attempt that is still alive.
  if (wasReset(facts, previous) || previous.sent === 'no' || isReceivedLate(facts, previous, limits))
    return Math.max(clearAtMs, nowMs + unseenAttemptMs(limits));
  if (SENDS_NO_MORE[phase.name]) return clearAtMs;
  return Math.max(clearAtMs, facts.attemptScheduledAtMs + limits.visibilityWindowMs);
}

/** What a reading before a send leads to. */
export type EntryMove =
  /** Nothing was sent and the desired state does not hold. */
  | 'send'
  /** The desired state holds and nothing was sent: done, with this reading as proof. */
  | 'skip'
  /** The instance is not at rest: the attempt ends with `TargetBusy`, and the next one reads again. */
  | 'busy'
  /** A cloud job that is not ours appeared, and nothing was sent. */
  | 'changed'
  | 'deleted'
  /** The reading shows a cloud job older than the baseline: read again. */
  | 'stale'
  /** Something may have been sent and the desired state holds: not sent again; read on, the id usually shows. */
  | 'alreadyDone'
  /** Something may have been sent and nothing shows: quiet readings for the whole visibility window come first. */
  | 'quiet'
  /** Something may have been sent and a new cloud job is there: is it ours? */
  | 'inspect';

/** @param provenUnsent nothing was sent for this decision before */
export function entryMove(provenUnsent: boolean, action: Action, before: Known, reading: Observation): EntryMove {
  if (statusMeaning(reading.status) === 'deleted') return 'deleted';
  switch (readingAge(before, reading)) {
    case 'stale':
      return 'stale';
    case 'new':
      return provenUnsent ? 'changed' : 'inspect';
    case 'baseline': {
      const { kind } = ruleOf(action);
      if (!isAtRest(reading)) return 'busy';
      // An edge action's desired state needs a new cloud job, so under the baseline's id it never holds.
      const holds = kind === 'state' && desiredStateHolds(action, reading);
      if (provenUnsent) return holds ? 'skip' : 'send';
      return holds ? 'alreadyDone' : 'quiet';
    }
  }
}

/** Compares the newest cloud job of a reading with what is known: the baseline itself, an older one, or a new one. */
export function readingAge(
  before: Pick<Known, 'lastJobId' | 'knownCloudJobIds'>,
  reading: Observation,
): 'baseline' | 'stale' | 'new' {
  if (reading.lastJobId === before.lastJobId) return 'baseline';
  // An id that was there and has disappeared can only be an old reading.
  if (reading.lastJobId === null || before.knownCloudJobIds.includes(reading.lastJobId)) return 'stale';
  return 'new';
}
