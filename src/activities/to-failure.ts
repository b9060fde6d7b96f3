/** The only mapping from errors of the API client to failures of the failure table. */
import { CompleteAsyncError } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { FAILURES, type FailureName } from '../domain/failures.js';
import { clipText } from '../domain/text/text.js';
import { ServiceStageError, type ServiceStageErrorCode } from '../servicestage/errors.js';

/** A closed `Record`, so that a code without a name does not compile. */
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

/** The name in the failure table for an error of the API client. */
export function failureNameOf(error: ServiceStageError): FailureName {
  return FAILURE_OF_CODE[error.code];
}

/** For a failure that is retried: the reason, since when and until when. */
const LONGEST_MESSAGE_BYTES = 1_000;

/** What a failure carries besides its name and its message. */
export interface FailureOptions {
  /** `details[0]`: one small typed object. */
  readonly details?: unknown;
  /** Ends the step although the name may be retried, at a deadline for example. */
  readonly final?: boolean;
  readonly nextRetryDelayMs?: number;
}

/**
 * Creates an `ApplicationFailure` with a name of the table; it is retryable if the table allows it. It has no stack
 * and no cause, because the server keeps only 4 KB of a failure that is retried.
 */
export function failure(name: FailureName, message: string, options: FailureOptions = {}): ApplicationFailure {
  const { details, final = false, nextRetryDelayMs } = options;
  const nonRetryable = final || !FAILURES[name].retryable;
  const made = ApplicationFailure.create({
    type: name,
    message: nonRetryable ? message : clipText(message, LONGEST_MESSAGE_BYTES),
    nonRetryable,
    ...(details === undefined ? {} : { details: [details] }),
    ...(nextRetryDelayMs === undefined ? {} : { nextRetryDelay: Math.max(1, Math.round(nextRetryDelayMs)) }),
  });
  made.stack = '';
  return made;
}

/**
 * Turns an error of a read into a failure. Other errors than `ServiceStageError` pass unchanged, because
 * cancellation belongs to Temporal.
 */
export function toFailure(error: unknown): unknown {
  if (!(error instanceof ServiceStageError)) return error;
  const delay = error.retryAfterMs === undefined ? {} : { nextRetryDelayMs: error.retryAfterMs };
  return failure(failureNameOf(error), error.message, delay);
}

/**
 * Any activity may fail with an unexpected error and is then retried, so message and stack are shortened to what the
 * server keeps.
 */
export const failuresWithinLimit: ActivityInterceptorsFactory = () => ({
  inbound: {
    execute: async (input, next) => {
      try {
        return await next(input);
      } catch (error) {
        throw withinLimit(error);
      }
    },
  },
});

/**
 * Returns a new failure, because the message of a `DOMException` cannot be changed, and neither can a frozen error.
 */
export function withinLimit(error: unknown): unknown {
  if (error instanceof TemporalFailure || error instanceof CompleteAsyncError || isAbort(error)) return error;
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const made = ApplicationFailure.create({ type: name, message: clipText(message, LONGEST_MESSAGE_BYTES) });
  made.stack = clipText(stack ?? '', LONGEST_MESSAGE_BYTES);
  return made;
}

/** The worker recognizes cancellation by this name. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
