/** One attempt of `performAction`: what it knows of the attempts before it, and what it leaves for the next one. */
import { CompleteAsyncError, Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import {
  CANCELLED_AT_BARRIER,
  type AdoptionEvidence,
  type Decision,
  type HeartbeatDetails,
  type PerformActionArguments,
  type PerformActionFailureDetails,
  type TrailEntry,
} from '../domain/contract.js';
import { isFirstLike, needsBarrier, predecessorUntilMs, type AttemptFacts } from '../domain/once/entry.js';
import { FAILURES, type FailureName, type Sent } from '../domain/failures.js';
import { jsonBytes } from '../domain/json-bytes.js';
import { fenceMs } from '../domain/once/limits.js';
import { countsAsFailure, describeRetrying, failedAgain, retryDelayMs, type Retrying } from '../domain/once/retrying.js';
import type { Observation } from '../domain/target.js';
import { extendTrail, trailWithin } from '../domain/once/trail.js';
import { describeTime } from '../domain/utc-time.js';
import { ServiceStageError } from '../servicestage/errors.js';
import { abortedAfter } from './pause.js';
import { failure, failureNameOf } from './to-failure.js';

/** Chosen: an API that changed its shape does not change back within a step. */
const UNREADABLE_ATTEMPTS = 5;

/** Decisions whose note says why the attempt ended. */
const SAYS_WHY: readonly Decision[] = ['notSent', 'unanswered', 'fenced', 'stopped'];

export type AttemptState = HeartbeatDetails['state'];

/** What an attempt ends with that comes too late to send. */
export interface Fenced {
  readonly name: FailureName;
  readonly why: string;
}

interface Delays {
  readonly retryDelayMs?: number;
  readonly firstDelayMs?: number;
  readonly tokenExpired?: true;
}

export class Attempt {
  readonly context = Context.current();
  readonly facts: AttemptFacts;
  readonly firstLike: boolean;
  /** Ends when the attempt is cancelled, its worker stops, or its time to send is over. For everything before the send. */
  readonly unsentSignal: AbortSignal;
  readonly #stop = new AbortController();
  /** Epoch milliseconds until which an attempt from before a reset may still send, or what it sent be unseen. */
  readonly #predecessorUntilMs: number | null;
  /** What the age is counted from, on both clocks. */
  #young: { readonly atMs: number; readonly monotonicMs: number };
  #trail: readonly TrailEntry[];
  #retrying: Retrying | undefined;
  #state: AttemptState;
  #maySent = false;
  /** Our own, with details; Temporal's, which the signals carry, has none. */
  #cancelled: Error | undefined;
  #evidence: AdoptionEvidence | undefined;
  lastObservation: Observation | null = null;

  constructor(readonly request: PerformActionArguments) {
    const { info } = this.context;
    const details = (info.heartbeatDetails as HeartbeatDetails | undefined) ?? null;
    this.facts = {
      attempt: info.attempt,
      runId: info.workflowExecution?.runId ?? '',
      originalRunId: request.originalRunId,
      scheduledAtMs: info.scheduledTimestampMs,
      attemptScheduledAtMs: info.currentAttemptScheduledTimestampMs,
      enteredAtMs: Date.now(),
      details,
    };
    this.firstLike = isFirstLike(this.facts, request.limits);
    this.#predecessorUntilMs = predecessorUntilMs(this.facts, this.firstLike, request.limits);
    this.#young = youngSince(this.facts);
    this.unsentSignal = AbortSignal.any([this.context.cancellationSignal, abortedAfter(fenceMs(request.limits))]);
    this.#stopUnlessCancelled();
    this.#state = details?.state.kind === 'following' ? details.state : { kind: 'entered' };
    if (this.#state.kind === 'following') this.#evidence = this.#state.evidence;
    this.#trail = trailBefore(this.facts);
    this.#retrying = details?.retrying;
    this.note('entered', this.firstLike ? undefined : 'an earlier attempt may have sent');
  }

  /** For everything after the send: a cancel is not obeyed there, since the cloud job cannot be stopped; all else ends the attempt. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  get cancelRequested(): boolean {
    return this.context.cancellationDetails?.cancelRequested === true;
  }

  #stopUnlessCancelled(): void {
    const { cancellationSignal } = this.context;
    const onAbort = () => {
      if (!this.cancelRequested) this.#stop.abort(cancellationSignal.reason);
    };
    if (cancellationSignal.aborted) onAbort();
    else cancellationSignal.addEventListener('abort', onAbort, { once: true });
  }

  /** Nothing sent for this decision is older. A reset schedules a decision anew that was made when its baseline was read. */
  get decidedAtMs(): number {
    const { scheduledAtMs, runId, originalRunId } = this.facts;
    const { observedAtMs } = this.request.before.observation;
    return runId === originalRunId ? scheduledAtMs : Math.min(scheduledAtMs, observedAtMs);
  }

  get needsBarrier(): boolean {
    return needsBarrier(this.facts, this.request.limits);
  }

  get following(): Extract<AttemptState, { kind: 'following' }> | null {
    return this.#state.kind === 'following' ? this.#state : null;
  }

  get trail(): readonly TrailEntry[] {
    return this.#trail;
  }

  /**
   * The server's patience begins when it hands the attempt out, which may be well before the attempt begins here: counted from when
   * it was scheduled, or from a barrier. The larger of two clocks: a frozen process or a clock that jumped must not look young.
   */
  get ageMs(): number {
    return Math.max(performance.now() - this.#young.monotonicMs, Date.now() - this.#young.atMs);
  }

  /** The server took a beat and named this attempt the current one at some time after `atMs`: its patience begins anew there. */
  passedBarrier(since: { readonly atMs: number; readonly monotonicMs: number }): void {
    this.#young = since;
  }

  /** How long an attempt from before a reset may still send, or what it sent be unseen; 0 where there is none. */
  get predecessorForMs(): number {
    return Math.max(0, (this.#predecessorUntilMs ?? 0) - Date.now());
  }

  get details(): HeartbeatDetails {
    return {
      attempt: this.facts.attempt,
      atMs: Date.now(),
      ...(this.#predecessorUntilMs === null ? {} : { predecessorUntilMs: this.#predecessorUntilMs }),
      state: this.#state,
      trail: this.trail,
      ...(this.#retrying === undefined ? {} : { retrying: this.#retrying }),
    };
  }

  note(decision: Decision, note?: string): void {
    this.#trail = extendTrail(this.#trail, {
      attempt: this.facts.attempt,
      atMs: Date.now(),
      decision,
      ...(note === undefined ? {} : { note }),
    });
  }

  /** From here on nobody may say that nothing was sent, unless the answer proves it. */
  sending(): void {
    this.#maySent = true;
    this.note('sent');
  }

  provedNotSent(note: string): void {
    this.#maySent = false;
    this.note('notSent', note);
  }

  /** Beats the cloud job id at once: the first plain beat of an attempt goes out without delay. */
  follow(cloudJobId: string, submittedAtMs: number, evidence?: AdoptionEvidence): void {
    this.#evidence = evidence;
    this.#state = { kind: 'following', cloudJobId, submittedAtMs, ...(evidence === undefined ? {} : { evidence }) };
    this.#retrying = undefined;
    this.context.heartbeat(this.details);
  }

  /** The cloud job is new and the evidence fits: an earlier attempt sent it. */
  adopt(evidence: AdoptionEvidence): void {
    this.note('adopted', evidence.cloudJobId);
    this.follow(evidence.cloudJobId, evidence.firstTaskAtMs, evidence);
  }

  beat(): void {
    this.context.heartbeat(this.details);
  }

  /** A reading after the send: its failure is tolerated, and shown by the next beat. `null`: it succeeded. */
  noteReading(error: ServiceStageError | null): void {
    this.#retrying = error === null ? undefined : this.#failedAgain(failureNameOf(error), error.message);
  }

  #failedAgain(failure: FailureName, reason: string): Retrying {
    const { deadlineAtMs: untilMs } = this.request;
    return failedAgain(this.#retrying, { failure, reason, nowMs: Date.now(), untilMs });
  }

  /** Why nothing may be sent any more, or `null`. Asked directly before the send. */
  fence(): Fenced | null {
    const { closing, deadlineAtMs } = this.request;
    const nowMs = Date.now();
    if (this.context.cancellationSignal.aborted) return { name: 'Throttled', why: 'the attempt was told to end' };
    if (closing !== undefined && nowMs >= closing.atMs) return { name: closing.failure, why: closing.why };
    if (nowMs >= deadlineAtMs) return { name: 'DeadlinePassed', why: 'the deadline of the step has passed' };
    return this.ageMs > fenceMs(this.request.limits)
      ? { name: 'Throttled', why: 'too long ago since the attempt began: another one may be at work' }
      : null;
  }

  get sent(): Sent {
    if (this.#state.kind === 'following') return 'yes';
    const { heartbeatTimeoutMs, marginMs } = this.request.limits;
    return this.firstLike && !this.#maySent && this.ageMs <= heartbeatTimeoutMs - marginMs ? 'no' : 'unknown';
  }

  /** A predecessor that may be alive has its fence, its POST and the visibility window left; any other only the window. */
  get unseenForMs(): number {
    return Math.max(this.predecessorForMs, this.request.limits.visibilityWindowMs);
  }

  get failureDetails(): PerformActionFailureDetails {
    return {
      sent: this.sent,
      cloudJobId: this.following?.cloudJobId ?? null,
      lastObservation: this.lastObservation,
      ...(this.#evidence === undefined ? {} : { evidence: this.#evidence }),
      trail: this.trail,
      attempts: this.facts.attempt,
      unseenForMs: this.unseenForMs,
    };
  }

  /**
   * The failure this attempt ends with. A retryable one leaves what the next attempt needs, and is final at the deadline.
   * `retryDelayMs` is kept as it is; `firstDelayMs` (default: quiet) grows with each failure in a row.
   */
  end(name: FailureName, message: string, delays: Delays = {}): Error {
    // The lease is let go after it: not while somebody may still send. The next attempt says it again, once that is over.
    if (name === 'Indeterminate' && this.predecessorForMs > 0)
      return this.end('Unanswered', `${message}; an attempt from before a reset may still send`, {
        retryDelayMs: this.predecessorForMs,
      });
    if (countsAsFailure(name))
      this.#retrying = {
        ...this.#failedAgain(name, message),
        ...(delays.tokenExpired === true ? { tokenExpired: true } : {}),
      };
    const retryDelayMs = this.#retryDelayMs(name, delays);
    const final = !FAILURES[name].retryable || Date.now() + retryDelayMs >= this.request.deadlineAtMs;
    if (this.#state.kind !== 'following')
      this.#state = this.sent === 'no' ? { kind: 'notSent', retryDelayMs } : { kind: 'entered' };
    if (final) return failure(name, this.#finalMessage(name, message), { details: this.failureDetails, final });
    if (!SAYS_WHY.includes(this.#trail.at(-1)?.decision ?? 'entered')) this.note('failed', `${name}: ${message}`);
    // Travels inside the failure, in one piece with it.
    this.context.heartbeat(this.details);
    const why = name === 'WorkerStopped' || this.#retrying === undefined ? message : describeRetrying(this.#retrying);
    return failure(name, why, { details: smallDetails(this.failureDetails), nextRetryDelayMs: retryDelayMs });
  }

  #retryDelayMs(failure: FailureName, delays: Delays): number {
    const { limits, deadlineAtMs } = this.request;
    if (delays.retryDelayMs !== undefined) return Math.max(1, Math.round(delays.retryDelayMs));
    return retryDelayMs({
      failure,
      failures: this.#retrying?.failures ?? 1,
      firstDelayMs: delays.firstDelayMs ?? limits.quietMs,
      leftMs: deadlineAtMs - Date.now(),
      limits,
    });
  }

  #finalMessage(name: FailureName, message: string): string {
    if (!FAILURES[name].retryable) return message;
    const { failures = 1, sinceMs = 0 } = this.#retrying ?? {};
    const since = failures === 1 ? '' : `; it failed ${failures} times since ${describeTime(sinceMs)}`;
    return `${message} (the deadline of the step has passed${since})`;
  }

  /** Turns whatever ended the attempt into its failure; a failure made by `end` passes as it is. */
  endFrom(error: unknown): Error {
    if (error instanceof CompleteAsyncError || error instanceof ApplicationFailure) return error;
    if (this.#cancelled !== undefined) return this.#cancelled;
    if (this.context.cancellationSignal.aborted) return this.#endInterrupted();
    if (this.following === null && this.unsentSignal.aborted)
      return this.end('Throttled', 'The attempt waited too long to be allowed to send');
    if (error instanceof ServiceStageError) return this.#endFromServiceStage(error);
    return error instanceof Error ? error : new Error(String(error));
  }

  /** The run was cancelled, and this attempt has nothing to follow. Whether one before it sent stands in the details. */
  endCancelled(): Error {
    this.note('stopped', 'cancel requested');
    const message = 'Cancelled before this attempt sent anything';
    const details = [this.failureDetails];
    // The server takes a cancellation only from a worker that was told of the cancel; at the barrier only the client was.
    this.#cancelled = this.context.cancellationSignal.aborted
      ? new CancelledFailure(message, details)
      : ApplicationFailure.create({ type: CANCELLED_AT_BARRIER, message, details, nonRetryable: true });
    return this.#cancelled;
  }

  #endInterrupted(): Error {
    if (this.cancelRequested && this.following === null) return this.endCancelled();
    this.note('stopped', this.cancelRequested ? 'cancel requested' : 'the worker stops, or the attempt is superseded');
    // An ordinary failure waits for an asynchronous payload codec; a cancellation would lose the details there.
    return this.end('WorkerStopped', 'The worker stopped while this attempt ran', { retryDelayMs: 1 });
  }

  #endFromServiceStage(error: ServiceStageError): Error {
    const name = failureNameOf(error);
    const { quietMs } = this.request.limits;
    if (name === 'UnreadableAnswer' && this.facts.attempt >= UNREADABLE_ATTEMPTS) {
      return failure(name, error.message, { details: this.failureDetails, final: true });
    }
    if (error.retryAfterMs !== undefined) return this.end(name, error.message, { retryDelayMs: error.retryAfterMs });
    const slowly = name === 'TargetBusy' || name === 'UnreadableAnswer' ? 2 * quietMs : quietMs;
    if (error.code !== 'TokenExpired') return this.end(name, error.message, { firstDelayMs: slowly });
    // The next attempt has a new token, whatever failed before; one that is refused as well is no reason to hurry.
    const again = this.#retrying?.tokenExpired === true;
    return this.end(name, error.message, { tokenExpired: true, ...(again ? {} : { retryDelayMs: 1 }) });
  }
}

function youngSince({ enteredAtMs, attemptScheduledAtMs }: AttemptFacts): { atMs: number; monotonicMs: number } {
  const atMs = Math.min(enteredAtMs, attemptScheduledAtMs);
  return { atMs, monotonicMs: performance.now() - (enteredAtMs - atMs) };
}

/** The trail so far; attempts between that left no trace are named, since nobody may take them for nothing. */
function trailBefore({ attempt, details, enteredAtMs }: AttemptFacts): readonly TrailEntry[] {
  let trail = details?.trail ?? [];
  const lastSeen = details?.attempt ?? 0;
  for (let lost = Math.max(lastSeen + 1, attempt - 3); lost < attempt; lost++) {
    trail = extendTrail(trail, { attempt: lost, atMs: enteredAtMs, decision: 'leftNoTrace' });
  }
  return trail;
}

/** As JSON: with the longest message and what an encrypting codec adds they stay below the 4 KB that the server keeps. */
const SMALL_DETAILS_BYTES = 1_500;

/**
 * Details of a failure that is tried again. Only the server's list of pending activities shows them: what the next attempt needs is in the
 * heartbeat, and the workflow gets the details of a final failure, which are whole.
 */
export function smallDetails(details: PerformActionFailureDetails): PerformActionFailureDetails {
  const bare = { ...details, trail: [] };
  const small = jsonBytes(bare) > SMALL_DETAILS_BYTES / 2 ? { ...bare, lastObservation: null } : bare;
  return { ...small, trail: trailWithin(details.trail, SMALL_DETAILS_BYTES - jsonBytes(small)) };
}
