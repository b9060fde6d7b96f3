/** The entry table of `performAction`: from what earlier attempts left and what a reading shows, to the next move. Pure. */
import { ruleOf, wishedStateHolds, type Action } from '../actions.js';
import { isAtRest } from '../cloud-job.js';
import type { Baseline, HeartbeatDetails } from '../contract.js';
import { unseenAttemptMs, type Limits } from './limits.js';
import { statusMeaning, type Observation } from '../target.js';

/** What Temporal says of an attempt, and what the attempts before it left. Times are epoch milliseconds. */
export interface AttemptFacts {
  readonly attempt: number;
  readonly runId: string;
  readonly originalRunId: string;
  /** When the step's activity was first scheduled. */
  readonly scheduledAtMs: number;
  /** When this attempt was scheduled; a reset or an unpause moves it. */
  readonly attemptScheduledAtMs: number;
  readonly enteredAtMs: number;
  readonly details: HeartbeatDetails | null;
}

/** True when it is proved that nothing was sent for this step before this attempt. */
export function isFirstLike(facts: AttemptFacts, limits: Limits): boolean {
  const { attempt, runId, originalRunId, scheduledAtMs, attemptScheduledAtMs, details } = facts;
  if (details === null) return attempt === 1 && runId === originalRunId && attemptScheduledAtMs === scheduledAtMs;
  if (details.state.kind !== 'notSent' || details.attempt !== attempt - 1) return false;
  // Scheduled later than that, an attempt between has been lost, and it may have sent.
  return attemptScheduledAtMs <= details.atMs + details.state.retryDelayMs + limits.heartbeatTimeoutMs / 2;
}

/** True when this attempt may already be superseded, which a plain heartbeat would not tell: it must ask before it reads. */
export function needsBarrier({ details, enteredAtMs, attemptScheduledAtMs }: AttemptFacts, limits: Limits): boolean {
  return details !== null || enteredAtMs - attemptScheduledAtMs > limits.lateStartMs;
}

/**
 * Until when an attempt from before a reset may still be alive between its reading and its POST, or what it sent be unseen;
 * `null` where no reset put this attempt beside one. An attempt that is lost holds up the next one for longer than that by itself.
 */
export function predecessorUntilMs(facts: AttemptFacts, firstLike: boolean, limits: Limits): number | null {
  const { attempt, attemptScheduledAtMs, details } = facts;
  const known = details?.predecessorUntilMs ?? null;
  const wasReset = !firstLike && (attempt === 1 || (details !== null && details.attempt >= attempt));
  return wasReset ? Math.max(known ?? 0, attemptScheduledAtMs + unseenAttemptMs(limits)) : known;
}

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

export function entryMove(firstLike: boolean, action: Action, before: Baseline, reading: Observation): EntryMove {
  if (statusMeaning(reading.status) === 'gone') return 'gone';
  switch (readingAge(before, reading)) {
    case 'stale':
      return 'stale';
    case 'new':
      return firstLike ? 'changed' : 'inspect';
    case 'baseline': {
      const { kind } = ruleOf(action);
      if (!isAtRest(reading)) return firstLike ? 'busy' : 'wait';
      // An edge action's wished state needs a new cloud job, so under the baseline's id it never holds.
      const holds = kind === 'state' && wishedStateHolds(action, reading);
      if (firstLike) return holds ? 'skip' : 'send';
      return holds ? 'alreadyDone' : 'quiet';
    }
  }
}

/** How a reading's newest cloud job stands to what is known: the baseline itself, an older one, or one nobody told us of. */
export function readingAge(
  before: Pick<Baseline, 'lastJobId' | 'knownCloudJobIds'>,
  reading: Observation,
): 'baseline' | 'stale' | 'new' {
  if (reading.lastJobId === before.lastJobId) return 'baseline';
  // An id that was there and is gone again can only be an old reading.
  if (reading.lastJobId === null || before.knownCloudJobIds.includes(reading.lastJobId)) return 'stale';
  return 'new';
}
