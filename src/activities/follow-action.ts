/** After the send: follow the cloud job to its end, then see the instance reach the wished state and hold it. */
import { describeAction, ruleOf, wishedStateHolds } from '../domain/actions.js';
import { failureReason, isAtRest } from '../domain/cloud-job.js';
import type { PerformActionResult } from '../domain/contract.js';
import { readingAge } from '../domain/once/entry.js';
import type { FailureName } from '../domain/failures.js';
import { nextReadingDelayMs } from '../domain/once/pacing.js';
import { describeObservation, statusMeaning, type Observation } from '../domain/target.js';
import { ServiceStageError } from '../servicestage/errors.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import type { Attempt, AttemptState } from './attempt.js';
import type { CloudJobWatcher } from './cloud-job-watcher.js';
import { orDeadline, pause } from './pause.js';

type Following = Extract<AttemptState, { kind: 'following' }>;

export async function followAction(
  dependencies: { readonly serviceStage: ServiceStage; readonly watcher: CloudJobWatcher },
  attempt: Attempt,
): Promise<PerformActionResult> {
  const { following, request } = attempt;
  if (following === null) throw new TypeError('There is no cloud job to follow');
  // Beats come from a timer and not from looks: looks are rare, and a 429 stops them.
  const beats = setInterval(() => attempt.beat(), request.limits.heartbeatTimeoutMs / 3);
  try {
    await untilCloudJobEnds(dependencies, attempt, following);
    return await verify(dependencies.serviceStage, attempt, following);
  } catch (error) {
    throw attempt.endFrom(error);
  } finally {
    clearInterval(beats);
  }
}

async function untilCloudJobEnds(
  { serviceStage, watcher }: { readonly serviceStage: ServiceStage; readonly watcher: CloudJobWatcher },
  attempt: Attempt,
  { cloudJobId, submittedAtMs, evidence }: Following,
): Promise<void> {
  const { action, limits, deadlineAtMs, usualDurationMs } = attempt.request;
  const end = await watcher.follow({
    cloudJobId,
    submittedAtMs,
    usualDurationMs,
    deadlineAtMs,
    limits,
    signal: attempt.stopSignal,
    onPoll: (error) => attempt.noteReading(error),
  });
  if (end.kind === 'succeeded') return;
  await readIfPossible(serviceStage, attempt);
  if (end.kind === 'overdue') throw attempt.end('CloudJobOverdue', `${describeAction(action)}: ${end.why}`);
  const reason = failureReason(end.job);
  const message = `${describeAction(action)}: cloud job ${cloudJobId} ended ${end.job.status}${reason === null ? '' : ` (${reason})`}`;
  // An adopted cloud job may not have been ours after all, unless our own user asked for it.
  throw attempt.end(evidence?.createdByUs === false ? 'Indeterminate' : 'CloudJobFailed', message);
}

/** Each verifying reading must show our own cloud job; a wished state seen once is not enough. */
async function verify(
  serviceStage: ServiceStage,
  attempt: Attempt,
  { cloudJobId, evidence }: Following,
): Promise<PerformActionResult> {
  const { action, target, verify: wish, deadlineAtMs, verifyAfterCancel, before } = attempt.request;
  const endsAtMs = Math.min(Date.now() + wish.withinMs, deadlineAtMs);
  const doubt = (name: FailureName, message: string) =>
    attempt.end(evidence === undefined ? name : 'Indeterminate', message);
  const nobodyWantsToKnow = () => attempt.cancelRequested && !verifyAfterCancel;
  let heldSinceMs: number | null = null;
  let seen: Observation | null = null;
  for (let readings = 0; ; readings++) {
    const reading = await readIfPossible(serviceStage, attempt);
    if (reading !== null) {
      seen = reading;
      const age = readingAge(
        { lastJobId: cloudJobId, knownCloudJobIds: [...before.knownCloudJobIds, ...knownBaseline(before.lastJobId)] },
        reading,
      );
      if (age === 'new')
        throw doubt(
          'TargetChanged',
          `Cloud job ${reading.lastJobId} appeared on ${target.path} after ours (${cloudJobId})`,
        );
      if (statusMeaning(reading.status) === 'gone')
        throw doubt('TargetNotFound', `${target.path} is ${reading.status}`);
      const holds = age === 'baseline' && isAtRest(reading) && wishedStateHolds(action, reading);
      heldSinceMs = holds ? (heldSinceMs ?? Date.now()) : null;
      if (nobodyWantsToKnow()) return succeeded(attempt, reading, cloudJobId, 'not verified: the run was cancelled');
      if (heldSinceMs !== null && Date.now() - heldSinceMs >= wish.stableMs)
        return succeeded(attempt, reading, cloudJobId);
    }
    const nowMs = Date.now();
    // A reading that failed tells nothing of the instance: only the deadline of the step ends the waiting for one that does not.
    if (reading === null && nowMs >= (nobodyWantsToKnow() ? endsAtMs : deadlineAtMs)) {
      const last = seen === null ? 'it was not seen since' : `last seen ${describeObservation(seen)}`;
      throw doubt(
        'Unreachable',
        `${describeAction(action)}: its cloud job succeeded, and ${target.path} could not be read: ${last}`,
      );
    }
    if (reading !== null && heldSinceMs === null && nowMs >= endsAtMs) {
      const saw = describeObservation(reading);
      throw doubt('NotConverged', `${describeAction(action)}: wished for ${ruleOf(action).wish(action)}, saw ${saw}`);
    }
    const delayMs = nextReadingDelayMs(readings, wish.stableMs);
    const leftMs = (heldSinceMs === null ? endsAtMs : heldSinceMs + wish.stableMs) - nowMs;
    await pause(leftMs > 0 ? Math.min(delayMs, leftMs) : delayMs, attempt.stopSignal);
  }
}

function succeeded(attempt: Attempt, reading: Observation, cloudJobId: string, remark?: string): PerformActionResult {
  const { following, facts } = attempt;
  attempt.note('verified', remark ?? describeObservation(reading));
  return {
    result: 'succeeded',
    sent: 'yes',
    cloudJobId,
    // What the next step starts from is the cloud job that was followed, not what a reading happened to show.
    after: { ...reading, lastJobId: cloudJobId },
    ...(following?.evidence === undefined ? {} : { evidence: following.evidence }),
    trail: attempt.trail,
    attempts: facts.attempt,
    unseenForMs: 0,
  };
}

function knownBaseline(lastJobId: string | null): string[] {
  return lastJobId === null ? [] : [lastJobId];
}

/** `null` when the reading failed: failed readings are tolerated here, the deadline bounds them. */
async function readIfPossible(serviceStage: ServiceStage, attempt: Attempt): Promise<Observation | null> {
  const { target, limits, deadlineAtMs } = attempt.request;
  const { readTimeoutMs: timeoutMs } = limits;
  try {
    const reading = await orDeadline(
      serviceStage.readInstance(target, { timeoutMs, signal: attempt.stopSignal }),
      Math.max(deadlineAtMs, Date.now() + timeoutMs),
    );
    attempt.lastObservation = reading ?? attempt.lastObservation;
    if (reading !== null) attempt.noteReading(null);
    return reading;
  } catch (error) {
    if (!(error instanceof ServiceStageError)) throw error;
    attempt.noteReading(error);
    return null;
  }
}
