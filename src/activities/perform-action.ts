/** `performAction`: one step's action, sent at most once per decision, followed to its end and verified. Reads like the protocol. */
import { CompleteAsyncError } from '@temporalio/activity';
import { describeAction, ruleOf, wishedStateHolds } from '../domain/actions.js';
import type { AdoptionEvidence, PerformActionArguments, PerformActionResult } from '../domain/contract.js';
import { entryMove, type EntryMove } from '../domain/once/entry.js';
import { describeObservation, type Observation } from '../domain/target.js';
import { ServiceStageError } from '../servicestage/errors.js';
import type { PostReservation, ServiceStage } from '../servicestage/service-stage.js';
import { Attempt } from './attempt.js';
import type { CloudJobWatcher } from './cloud-job-watcher.js';
import { followAction } from './follow-action.js';
import { inspectNewCloudJob } from './inspect-cloud-job.js';
import { orDeadline, pause } from './pause.js';
import { submitAction } from './submit-action.js';
import type { TemporalAccess } from './temporal-access.js';

export interface PerformActionDependencies {
  readonly serviceStage: ServiceStage;
  readonly watcher: CloudJobWatcher;
  readonly temporal: TemporalAccess;
}

/** What to do once the readings have been taken. */
type EntryDecision =
  | { readonly kind: 'send' }
  | { readonly kind: 'adopt'; readonly evidence: AdoptionEvidence }
  | { readonly kind: 'done'; readonly result: PerformActionResult };

/** Readings older than the baseline in a row before the step gives way: chosen, a replica that lags catches up sooner. */
const STALE_READINGS = 4;

export async function performAction(
  dependencies: PerformActionDependencies,
  request: PerformActionArguments,
): Promise<PerformActionResult> {
  const attempt = new Attempt(request);
  if (attempt.following !== null) {
    attempt.note('followed', 'known from an earlier attempt');
    attempt.beat();
    return followAction(dependencies, attempt);
  }
  let reservation: PostReservation | undefined;
  try {
    await passBarrier(dependencies, attempt);
    // Budget and credentials come before the reading: nothing waits between the last reading and the send.
    reservation = await dependencies.serviceStage.reservePost({ ...request.limits, signal: attempt.unsentSignal });
    const decision = await decide(dependencies, attempt);
    if (decision.kind === 'done') return decision.result;
    if (decision.kind === 'adopt') attempt.adopt(decision.evidence);
    else await submitAction(dependencies, attempt, reservation);
  } catch (error) {
    throw attempt.endFrom(error);
  } finally {
    reservation?.release();
  }
  return followAction(dependencies, attempt);
}

type Standing = 'current' | 'cancelled' | 'superseded';

/** An attempt that may be superseded asks the server before it reads; without a clear answer it leaves without a word. */
async function passBarrier({ temporal }: PerformActionDependencies, attempt: Attempt): Promise<void> {
  if (!attempt.needsBarrier) return;
  const { info } = attempt.context;
  const since = { atMs: Date.now(), monotonicMs: performance.now() };
  const asked = (async (): Promise<Standing> => {
    const cancelRequested = await temporal.recordHeartbeat(info.taskToken, attempt.details);
    if (!(await temporal.isCurrentAttempt(info))) return 'superseded';
    return cancelRequested ? 'cancelled' : 'current';
  })();
  const answered = asked.catch((): Standing => 'superseded');
  const standing = (await orDeadline(answered, since.atMs + attempt.request.limits.readTimeoutMs)) ?? 'superseded';
  if (standing === 'superseded') throw new CompleteAsyncError();
  if (standing === 'cancelled') throw attempt.endCancelled();
  attempt.passedBarrier(since);
}

async function decide({ serviceStage }: PerformActionDependencies, attempt: Attempt): Promise<EntryDecision> {
  const { action, before, limits } = attempt.request;
  const since: Since = { staleReadings: 0, quietMs: null, newMs: null };
  let missingReadings = 0;
  for (;;) {
    const reading = await readUnlessMissing(serviceStage, attempt, missingReadings++ === 0);
    if (reading !== null) {
      missingReadings = 0;
      attempt.lastObservation = reading;
      const move = entryMove(attempt.firstLike, action, before, reading);
      const decision = await decisionOn(move, serviceStage, attempt, reading, since);
      if (decision !== null) return decision;
    }
    await pause(limits.quietMs, attempt.unsentSignal);
  }
}

/** What the readings of an attempt showed so far; epoch milliseconds of the first of an unbroken row. */
interface Since {
  staleReadings: number;
  quietMs: number | null;
  newMs: number | null;
}

/** `null`: read again after a pause. */
async function decisionOn(
  move: EntryMove,
  serviceStage: ServiceStage,
  attempt: Attempt,
  reading: Observation,
  since: Since,
): Promise<EntryDecision | null> {
  const { target, limits } = attempt.request;
  const { readTimeoutMs, quietMs, visibilityWindowMs } = limits;
  if (move !== 'quiet' && move !== 'alreadyDone') since.quietMs = null;
  switch (move) {
    case 'send':
      return { kind: 'send' };
    case 'skip':
      attempt.note('skipped', describeObservation(reading));
      return done(attempt, 'skipped', reading);
    case 'gone':
      throw attempt.end('TargetNotFound', `${target.path} is ${reading.status}`);
    case 'busy':
      throw attempt.end('TargetBusy', busyMessage(attempt, reading), { firstDelayMs: 2 * quietMs });
    case 'changed':
      throw attempt.end('TargetChanged', changedMessage(attempt, reading));
    case 'stale':
      if (++since.staleReadings >= STALE_READINGS) throw attempt.end('TargetBusy', staleMessage(attempt, reading));
      return null;
    case 'wait':
      // This attempt could not send any more after waiting that long; the next one starts its clock anew.
      if (attempt.ageMs + quietMs + 2 * readTimeoutMs > limits.heartbeatTimeoutMs / 2)
        throw attempt.end('TargetBusy', busyMessage(attempt, reading));
      return null;
    case 'inspect': {
      since.newMs ??= Date.now();
      const isOverdue = Date.now() - since.newMs >= visibilityWindowMs;
      const evidence = await inspectNewCloudJob(serviceStage, attempt, reading, isOverdue);
      return evidence === null ? null : { kind: 'adopt', evidence };
    }
    case 'alreadyDone':
    case 'quiet':
      since.quietMs ??= Date.now();
      return Date.now() - since.quietMs >= visibilityWindowMs ? afterQuiet(attempt, move, reading) : null;
  }
}

/** `null` for a target that is not found where once may be a slip of the API: only two readings that agree say that it is gone. */
async function readUnlessMissing(
  serviceStage: ServiceStage,
  { request, unsentSignal }: Attempt,
  mayBeMissing: boolean,
): Promise<Observation | null> {
  const { target, limits } = request;
  try {
    return await serviceStage.readInstance(target, { timeoutMs: limits.readTimeoutMs, signal: unsentSignal });
  } catch (error) {
    if (mayBeMissing && error instanceof ServiceStageError && error.code === 'NotFound') return null;
    throw error;
  }
}

/** Nothing showed for the whole visibility window, though something may have been sent. */
function afterQuiet(attempt: Attempt, move: 'alreadyDone' | 'quiet', reading: Observation): EntryDecision {
  const { action, before } = attempt.request;
  if (move === 'alreadyDone') {
    const heldBefore = wishedStateHolds(action, before.observation);
    attempt.note(heldBefore ? 'skipped' : 'alreadyDone', describeObservation(reading));
    return done(attempt, heldBefore ? 'skipped' : 'succeeded', reading);
  }
  if (ruleOf(action).kind === 'edge') {
    throw attempt.end(
      'Indeterminate',
      `A ${action.action} may have been sent before and nothing shows it; it is never sent twice`,
    );
  }
  if (attempt.predecessorForMs > 0) {
    throw attempt.end('Unanswered', 'An attempt from before a reset may still be about to send', {
      retryDelayMs: attempt.predecessorForMs,
    });
  }
  return { kind: 'send' };
}

function done(attempt: Attempt, result: 'skipped' | 'succeeded', reading: Observation): EntryDecision {
  const { sent, trail, facts, unseenForMs } = attempt;
  return {
    kind: 'done',
    result: { result, sent, cloudJobId: null, after: reading, trail, attempts: facts.attempt, unseenForMs },
  };
}

function busyMessage({ request }: Attempt, reading: Observation): string {
  return `${request.target.path} is busy: ${describeObservation(reading)}, cloud job ${reading.lastJobId ?? 'unknown'} ${reading.lastJobStatus ?? ''}`.trim();
}

function staleMessage({ request }: Attempt, reading: Observation): string {
  return `Readings of ${request.target.path} stay older than what is known (${reading.lastJobId ?? 'no cloud job'})`;
}

function changedMessage({ request }: Attempt, reading: Observation): string {
  const { target, before, action } = request;
  return `${describeAction(action)} was not sent: cloud job ${reading.lastJobId ?? 'none'} appeared on ${target.path} after ${before.lastJobId ?? 'none'}, and it is not ours (${describeObservation(reading)})`;
}
