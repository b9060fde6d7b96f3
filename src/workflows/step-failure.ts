/** What the workflow may believe of a failed `performAction`: only what its details say; without them, anything may have been sent. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/workflow';
import { CANCELLED_AT_BARRIER, type HeartbeatDetails, type PerformActionFailureDetails } from '../domain/contract.js';
import { isFailureName, type FailureName } from '../domain/failures.js';
import { unseenAttemptMs, type Limits } from '../domain/once/limits.js';

export interface StepFailure {
  /** `cancelled` when the attempt ended because the run was cancelled. */
  readonly name: FailureName | 'cancelled';
  readonly message: string;
  readonly details: PerformActionFailureDetails;
}

export function readStepFailure(error: unknown, limits: Limits): StepFailure {
  // The scope was cancelled before the activity was scheduled.
  if (error instanceof CancelledFailure)
    return { name: 'cancelled', message: 'Cancelled before it began', details: neverBegan() };
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const details = readDetails(cause.details?.[0]) ?? noDetails(limits);
    if (cause.type === CANCELLED_AT_BARRIER) return { name: 'cancelled', message: cause.message, details };
    return { name: isFailureName(cause.type) ? cause.type : 'Unanswered', message: cause.message, details };
  }
  if (cause instanceof CancelledFailure) {
    return { name: 'cancelled', message: cause.message, details: readDetails(cause.details?.[0]) ?? noDetails(limits) };
  }
  if (cause instanceof TimeoutFailure) return fromTimeout(cause, limits);
  return {
    name: 'Unanswered',
    message: cause instanceof Error ? cause.message : String(cause),
    details: noDetails(limits),
  };
}

/** The last beat may hold the cloud job id. An older attempt's `notSent` in it never means that nothing was sent. */
function fromTimeout(cause: TimeoutFailure, limits: Limits): StepFailure {
  const beat = cause.lastHeartbeatDetails as HeartbeatDetails | undefined;
  const known = noDetails(limits);
  if (beat?.state?.kind === 'following') {
    const { cloudJobId, evidence } = beat.state;
    const details = {
      ...known,
      sent: 'yes' as const,
      cloudJobId,
      trail: beat.trail,
      attempts: beat.attempt,
      ...(evidence === undefined ? {} : { evidence }),
    };
    return {
      name: 'CloudJobOverdue',
      message: `No worker followed cloud job ${cloudJobId} to its end in time`,
      details,
    };
  }
  const trail = beat?.trail ?? [];
  return {
    name: 'Unanswered',
    message: 'No worker finished the step in time',
    details: { ...known, trail, attempts: beat?.attempt ?? 0 },
  };
}

function readDetails(value: unknown): PerformActionFailureDetails | null {
  if (typeof value !== 'object' || value === null || !('sent' in value) || !('trail' in value)) return null;
  return value as PerformActionFailureDetails;
}

/** Nothing is known: an attempt that nobody hears of may have sent. */
export function noDetails(limits: Limits): PerformActionFailureDetails {
  return {
    sent: 'unknown',
    cloudJobId: null,
    lastObservation: null,
    trail: [],
    attempts: 0,
    unseenForMs: unseenAttemptMs(limits),
  };
}

function neverBegan(): PerformActionFailureDetails {
  return { sent: 'no', cloudJobId: null, lastObservation: null, trail: [], attempts: 0, unseenForMs: 0 };
}
