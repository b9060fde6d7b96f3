/** Answers that refuse our credentials: they may have been replaced since the request was made. */
import { ServiceStageError } from './errors.js';

/** A refusal. `expired`: it names the age of the token as the reason. */
export interface RefusedCredentials {
  readonly error: ServiceStageError;
  readonly reason: 'expired' | 'refused';
}

/** The refusal in an error; `null` if it is none. */
export function refusalOfCredentials(error: unknown): RefusedCredentials | null {
  if (!(error instanceof ServiceStageError)) return null;
  if (error.code === 'TokenExpired') return { error, reason: 'expired' };
  return error.code === 'NotAllowed' && error.httpStatus === 401 ? { error, reason: 'refused' } : null;
}

/** There are no other credentials to try. */
export function notAllowed({ facts }: ServiceStageError): ServiceStageError {
  return new ServiceStageError({ ...facts, code: 'NotAllowed', sent: 'no' });
}
