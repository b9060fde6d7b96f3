/** The one POST of an attempt: the fence before it, and what each kind of answer means. */
import { describeAction } from '../domain/actions.js';
import { readingAge } from '../domain/once/entry.js';
import type { Observation } from '../domain/target.js';
import { ServiceStageError } from '../servicestage/errors.js';
import type { PostReservation, ServiceStage } from '../servicestage/service-stage.js';
import type { Attempt } from './attempt.js';
import { inspectNewCloudJob } from './inspect-cloud-job.js';
import { pause } from './pause.js';

/** Resolves when a cloud job is there to be followed; every other answer ends the attempt. An attempt never sends twice. */
export async function submitAction(
  { serviceStage }: { readonly serviceStage: ServiceStage },
  attempt: Attempt,
  reservation: PostReservation,
): Promise<void> {
  const { target, action, limits } = attempt.request;
  try {
    // No cancellation signal: cutting the connection would not take back what the server already reads.
    const { cloudJobId } = await reservation.submitAction(target, action, {
      timeoutMs: limits.postTimeoutMs,
      beforeFirstByte: () => passFence(attempt),
    });
    attempt.note('accepted', cloudJobId);
    attempt.follow(cloudJobId, Date.now());
  } catch (error) {
    if (!(error instanceof ServiceStageError)) throw error;
    await afterNoCloudJob(serviceStage, attempt, error);
  }
}

/** Asked when the connection stands: a process that is frozen while it connects must not send when it wakes. */
function passFence(attempt: Attempt): void {
  const fenced = attempt.fence();
  if (fenced === null) {
    attempt.sending();
    return;
  }
  const { name, why } = fenced;
  attempt.note('fenced', why);
  attempt.unsentSignal.throwIfAborted();
  const notSent = attempt.firstLike ? 'was not sent' : 'was not sent any more';
  throw attempt.end(name, `${describeAction(attempt.request.action)} ${notSent}: ${why}`);
}

async function afterNoCloudJob(serviceStage: ServiceStage, attempt: Attempt, error: ServiceStageError): Promise<void> {
  const { quietMs, visibilityWindowMs } = attempt.request.limits;
  if (error.sent === 'no' || (error.sent === 'refused' && attempt.firstLike)) {
    attempt.provedNotSent(error.message);
    throw error;
  }
  if (error.sent === 'refused') {
    // The refusal may be due to our own cloud job, sent by an earlier attempt: it proves nothing about that one.
    attempt.note('refused', error.message);
    if (await adoptWithin(serviceStage, attempt, visibilityWindowMs)) return;
    throw attempt.end(
      'Indeterminate',
      `An earlier attempt may have sent it, and this one was refused: ${error.message}`,
    );
  }
  attempt.note('unanswered', error.message);
  if (await adoptWithin(serviceStage, attempt, quietMs)) return;
  throw attempt.end('Unanswered', error.message);
}

/** Reads on for `durationMs`, at least once after a quiet pause; adopts a new cloud job whose evidence fits. */
async function adoptWithin(serviceStage: ServiceStage, attempt: Attempt, durationMs: number): Promise<boolean> {
  const { target, before, limits } = attempt.request;
  const endsAtMs = Date.now() + durationMs;
  for (;;) {
    try {
      await pause(limits.quietMs, attempt.stopSignal);
      const reading = await serviceStage.readInstance(target, {
        timeoutMs: limits.readTimeoutMs,
        signal: attempt.stopSignal,
      });
      attempt.lastObservation = reading;
      if (
        readingAge(before, reading) === 'new' &&
        (await adopted(serviceStage, attempt, reading, Date.now() >= endsAtMs))
      )
        return true;
    } catch (error) {
      if (!(error instanceof ServiceStageError)) throw error;
    }
    if (Date.now() >= endsAtMs) return false;
  }
}

async function adopted(
  serviceStage: ServiceStage,
  attempt: Attempt,
  reading: Observation,
  windowIsOver: boolean,
): Promise<boolean> {
  const evidence = await inspectNewCloudJob(serviceStage, attempt, reading, windowIsOver && !attempt.firstLike);
  if (evidence === null) return false;
  attempt.adopt(evidence);
  return true;
}
