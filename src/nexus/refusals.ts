/** What a caller of an operation gets for each of our errors. Pure. */
import { ApplicationFailure } from '@temporalio/common';
import { HandlerError, type HandlerErrorType } from 'nexus-rpc';
import {
  AccessDenied,
  InvalidRequest,
  NotARun,
  RunIdTaken,
  RunNotFound,
  ServerUnreachable,
} from '../temporal/errors.js';

/** An error, and whether the same call can succeed later. */
interface Refusal {
  readonly error: abstract new (...args: never[]) => Error;
  readonly type: HandlerErrorType;
  readonly isTriedAgain: boolean;
}

const REFUSALS: readonly Refusal[] = [
  { error: InvalidRequest, type: 'BAD_REQUEST', isTriedAgain: false },
  // `CONFLICT` would say it better. Server 1.29 does not know it, makes an internal error of it, and tries it again until the operation times out.
  { error: RunIdTaken, type: 'BAD_REQUEST', isTriedAgain: false },
  { error: RunNotFound, type: 'NOT_FOUND', isTriedAgain: false },
  { error: NotARun, type: 'NOT_FOUND', isTriedAgain: false },
  { error: ServerUnreachable, type: 'UNAVAILABLE', isTriedAgain: true },
  // Our own credentials, which somebody corrects; those of the caller were checked by its server.
  { error: AccessDenied, type: 'INTERNAL', isTriedAgain: true },
];

/**
 * @returns the error that ends the operation, or has the server try it again. Its cause has the name of ours as its type, by
 * which callers distinguish them. Other errors are returned unchanged, for the SDK to judge
 */
export function refusalOf(error: unknown): unknown {
  const refusal = REFUSALS.find((each) => error instanceof each.error);
  if (refusal === undefined || !(error instanceof Error)) return error;
  const { type, isTriedAgain } = refusal;
  const cause = ApplicationFailure.create({ type: error.name, message: error.message, nonRetryable: !isTriedAgain });
  return new HandlerError(type, error.message, { cause, retryableOverride: isTriedAgain });
}
