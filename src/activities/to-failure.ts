/** The only mapping from errors of the API client to failures of the failure table. */
import { CompleteAsyncError } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { FAILURES, type FailureName } from '../domain/failures.js';
import { clipText } from '../domain/text/text.js';
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

/** The name in the failure table for an error of the API client. */
export function failureNameOf(error: ServiceStageError): FailureName {
  return FAILURE_OF_CODE[error.code];
}

/** Of a failure that is tried again: the reason, and since when and until when. */
const LONGEST_MESSAGE_BYTES = 1_000;

/** What a failure carries besides its name and its message. */
export interface FailureOptions {
  /** `details[0]`: one small typed object. */
  readonly details?: unknown;
  /** Set it to end the step although the name may be retried, at a deadline. */
  readonly final?: boolean;
  readonly nextRetryDelayMs?: number;
}

/**
 * An `ApplicationFailure` with a name of the table; retryable as the table says. Without stack and cause: both would only take from the
 * 4 KB that the server keeps of a failure that is tried again.
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

/** Turns what a read threw into a failure. What is no `ServiceStageError` passes unwrapped: cancellation is Temporal's own. */
export function toFailure(error: unknown): unknown {
  if (!(error instanceof ServiceStageError)) return error;
  const delay = error.retryAfterMs === undefined ? {} : { nextRetryDelayMs: error.retryAfterMs };
  return failure(failureNameOf(error), error.message, delay);
}

/** Any activity may fail by an error that nobody expected: it is tried again, so message and stack are cut to what the server keeps. */
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

/** A new failure: the message of a `DOMException` cannot be set, nor anything of an error that is frozen. */
export function withinLimit(error: unknown): unknown {
  if (error instanceof TemporalFailure || error instanceof CompleteAsyncError || isAbort(error)) return error;
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const made = ApplicationFailure.create({ type: name, message: clipText(message, LONGEST_MESSAGE_BYTES) });
  made.stack = clipText(stack ?? '', LONGEST_MESSAGE_BYTES);
  return made;
}

/** The worker takes it for the cancellation that it is, by its name. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
