/** The log lines about an action: its cloud job, and how it ended. */
import { Context } from '@temporalio/activity';
import { endingOf, type OnceState } from '../domain/once/state.js';
import { recordCloudJob, subjectOf } from './subject.js';

/** Logs the cloud job of the attempt once, and remembers it for later lines. @param state the newest */
export function logCloudJob(context: Context, { cloudJob }: OnceState): void {
  if (cloudJob === null || subjectOf(context).cloudJobId === cloudJob.id) return;
  recordCloudJob(context, cloudJob.id);
  const { log } = context;
  if (cloudJob.evidence === undefined) log.info('cloud job accepted');
  else log.warn('cloud job adopted', { createdByUs: cloudJob.evidence.createdByUs });
}

/** Logs how an action ended for good. What is tried again is in the SDK's line `Activity failed`. */
export function logEnding(state: OnceState): void {
  const { log } = Context.current();
  const ending = endingOf(state);
  switch (ending.kind) {
    case 'succeeded':
    case 'skipped':
      return log.info('action done', { result: ending.kind });
    case 'cancelled':
      return log.info('action cancelled', { reason: ending.message });
    case 'indeterminate':
      return log.error('action indeterminate', { failure: ending.failure, reason: ending.message });
    case 'failed':
      if (ending.retryInMs === null)
        log.warn('action failed', { failure: ending.failure, reason: ending.message, sent: state.sent });
      return;
    case 'superseded':
      return;
  }
}

/** Logs what came of a step whose end was unclear. */
export function logSettled(state: OnceState): void {
  const { log } = Context.current();
  const ending = endingOf(state);
  if (ending.kind === 'indeterminate')
    log.error('action indeterminate', { failure: ending.failure, reason: ending.message });
  else log.info('action settled', { result: ending.kind });
}
