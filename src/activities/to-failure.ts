/** The only mapping from facts of the API client to failures of the failure table. */
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, type FailureName } from '../domain/failures.js';
import { ServiceStageError, type ServiceStageErrorCode } from '../servicestage/errors.js';

/** A closed `Record`: a code without a name will not compile. */
const FAILURE_OF_CODE: Readonly<Record<ServiceStageErrorCode, FailureName>> = {
  InvalidRequest: 'InvalidStep',
  NotAllowed: 'NotAllowed',
  NotFound: 'TargetNotFound',
  Busy: 'TargetBusy',
  Throttled: 'Throttled',
  BudgetExhausted: 'Throttled',
  TokenExpired: 'Unreachable',
  Unreachable: 'Unreachable',
  Unanswered: 'Unanswered',
  UnreadableAnswer: 'UnreadableAnswer',
};

export function failureNameOf(error: ServiceStageError): FailureName {
  return FAILURE_OF_CODE[error.code];
}

export interface FailureOptions {
  /** `details[0]`: one small typed object. */
  readonly details?: unknown;
  readonly cause?: unknown;
  /** Set it to end the step although the name may be retried, at a deadline. */
  readonly final?: boolean;
  readonly nextRetryDelayMs?: number;
}

/** An `ApplicationFailure` with a name of the table; retryable as the table says. */
export function failure(name: FailureName, message: string, options: FailureOptions = {}): ApplicationFailure {
  const { details, cause, final = false, nextRetryDelayMs } = options;
  return ApplicationFailure.create({
    type: name,
    message,
    nonRetryable: final || !FAILURES[name].retryable,
    ...(details === undefined ? {} : { details: [details] }),
    ...(cause instanceof Error ? { cause } : {}),
    ...(nextRetryDelayMs === undefined ? {} : { nextRetryDelay: Math.max(1, Math.round(nextRetryDelayMs)) }),
  });
}

/** Turns what a read threw into a failure. What is no `ServiceStageError` passes unwrapped: cancellation is Temporal's own. */
export function toFailure(error: unknown): unknown {
  if (!(error instanceof ServiceStageError)) return error;
  const delay = error.retryAfterMs === undefined ? {} : { nextRetryDelayMs: error.retryAfterMs };
  return failure(failureNameOf(error), error.message, { ...delay, cause: error });
}
