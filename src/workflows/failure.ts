/**
 * Failures in workflow code. Only an `ApplicationFailure` with a name from the failure table may leave it: Temporal
 * would retry anything else for ever.
 */
import { ApplicationFailure, TemporalFailure } from '@temporalio/workflow';
import { failureRecord, isFailureName, type FailureRecord } from '../domain/failures.js';

/** Closes the workflow Failed: it was started in a way that bypasses the lease, or the memory of a rule. */
export function invalidStart(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'InvalidStart', message, nonRetryable: true });
}

/** Rejects an update, which changes nothing. @param retryable the sender may send the same update again */
export function commandRejected(message: string, retryable: boolean): ApplicationFailure {
  const rejection = ApplicationFailure.create({ type: 'CommandRejected', message, nonRetryable: !retryable });
  // The Temporal UI would show it below the reason.
  rejection.stack = '';
  return rejection;
}

/** Name and message of the error inside Temporal's wrappers for activities and children. */
export function rootCause(error: unknown): { readonly name: string; readonly message: string } {
  let cause: unknown = error;
  while (cause instanceof TemporalFailure && cause.cause !== undefined && !(cause instanceof ApplicationFailure))
    cause = cause.cause;
  if (cause instanceof ApplicationFailure) return { name: cause.type ?? cause.name, message: cause.message };
  return cause instanceof Error
    ? { name: cause.name, message: cause.message }
    : { name: 'Error', message: String(cause) };
}

/** The same as a failure of the table; an error with a name that is not in it, such as a time-out, counts as `Unreachable`. */
export function rootFailure(error: unknown): FailureRecord {
  const { name, message } = rootCause(error);
  return failureRecord(isFailureName(name) ? name : 'Unreachable', message);
}
