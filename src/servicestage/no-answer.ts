/** Sorts what a question to ServiceStage throws. The usual one is `listApplications`: planning needs it too, and only good credentials get an answer. */
import type { Cause, NoAnswer } from '../domain/no-answer.js';
import { ServiceStageError, type ServiceStageErrorCode } from './errors.js';

const CAUSES: Partial<Record<ServiceStageErrorCode, Cause>> = {
  Unreachable: 'unreachable',
  NotAllowed: 'denied',
  TokenExpired: 'denied',
  NotFound: 'missing',
};

/** Why there is no answer. */
export function noAnswerOf(error: unknown): NoAnswer {
  const reason = error instanceof Error ? error.message : String(error);
  return { cause: (error instanceof ServiceStageError && CAUSES[error.code]) || 'other', reason };
}
