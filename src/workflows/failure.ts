/** Failures in workflow code: only `ApplicationFailure`s with a name of the table leave it; anything else would retry for ever. */
import { ApplicationFailure, TemporalFailure } from '@temporalio/workflow';

export function invalidStart(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'InvalidStart', message, nonRetryable: true });
}

/** Of an update. Retryable: it can be sent again as it is. */
export function commandRejected(message: string, retryable: boolean): ApplicationFailure {
  return ApplicationFailure.create({ type: 'CommandRejected', message, nonRetryable: !retryable });
}

/** Name and message of what lies under Temporal's wrappers (activity, child). */
export function rootCause(error: unknown): { readonly name: string; readonly message: string } {
  let cause: unknown = error;
  while (cause instanceof TemporalFailure && cause.cause !== undefined && !(cause instanceof ApplicationFailure))
    cause = cause.cause;
  if (cause instanceof ApplicationFailure) return { name: cause.type ?? cause.name, message: cause.message };
  return cause instanceof Error
    ? { name: cause.name, message: cause.message }
    : { name: 'Error', message: String(cause) };
}
