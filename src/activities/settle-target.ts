/** `settleTarget`: wait until no cloud job is in flight on the target and it is clear what a step may have sent. Read-only. */
import { Context } from '@temporalio/activity';
import { wishedStateHolds } from '../domain/actions.js';
import { isAtRest } from '../domain/cloud-job.js';
import type { AdoptionEvidence, SettleTargetArguments, SettleTargetResult } from '../domain/contract.js';
import { readingAge } from '../domain/once/entry.js';
import { failedAgain, retryDelayMs, type Retrying } from '../domain/once/retrying.js';
import { describeObservation, statusMeaning, type Observation } from '../domain/target.js';
import { ServiceStageError } from '../servicestage/errors.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { beating } from './beating.js';
import type { CloudJobWatcher } from './cloud-job-watcher.js';
import { judgeCloudJob } from './inspect-cloud-job.js';
import { orDeadline, pause } from './pause.js';
import { failureNameOf } from './to-failure.js';

export interface SettleTargetDependencies {
  readonly serviceStage: ServiceStage;
  readonly watcher: CloudJobWatcher;
}

export async function settleTarget(
  dependencies: SettleTargetDependencies,
  request: SettleTargetArguments,
): Promise<SettleTargetResult> {
  const settle = new Settle(dependencies, request, Context.current().cancellationSignal);
  return beating(
    request.limits.heartbeatTimeoutMs,
    () => settle.run(),
    () => settle.heartbeat,
  );
}

class Settle {
  #observation: Observation | null = null;
  #retrying: Retrying | undefined;
  readonly #beganAtMs = Date.now();

  constructor(
    private readonly dependencies: SettleTargetDependencies,
    private readonly request: SettleTargetArguments,
    private readonly signal: AbortSignal,
  ) {}

  /** Shown while it settles: why nothing can be read, where that is so. */
  get heartbeat(): { readonly retrying?: Retrying } {
    return this.#retrying === undefined ? {} : { retrying: this.#retrying };
  }

  async run(): Promise<SettleTargetResult> {
    const { cloudJobId, sent } = this.request;
    if (cloudJobId !== null) return this.#afterCloudJob(cloudJobId, this.request.scheduledAtMs);
    if (sent !== 'unknown') return this.#untilAtRest(sent, null);
    return this.#untilClear();
  }

  /** The step's cloud job is known: its end, then an instance at rest. */
  async #afterCloudJob(
    cloudJobId: string,
    submittedAtMs: number,
    evidence?: AdoptionEvidence,
  ): Promise<SettleTargetResult> {
    const { usualDurationMs, deadlineAtMs, limits } = this.request;
    const end = await this.dependencies.watcher.follow({
      cloudJobId,
      submittedAtMs,
      usualDurationMs,
      deadlineAtMs,
      limits,
      signal: this.signal,
      onPoll: (error) => this.#note(error),
    });
    if (end.kind === 'overdue') {
      await this.#read();
      return { ...this.#result(false, end.why, 'yes'), cloudJobId, ...(evidence === undefined ? {} : { evidence }) };
    }
    const rested = await this.#untilAtRest('yes', cloudJobId, end.kind === 'succeeded');
    return { ...rested, cloudJobId, ...(evidence === undefined ? {} : { evidence }) };
  }

  async #untilAtRest(sent: 'yes' | 'no', cloudJobId: string | null, succeeded = false): Promise<SettleTargetResult> {
    const { deadlineAtMs, limits, baseline, action } = this.request;
    const endedAtMs = Date.now();
    // A reading that shows an older cloud job than the one that has just ended may show the state before it, too. So may one that shows
    // nothing of what a successful one did; an effect that is not seen would not be undone.
    const isOld = (reading: Observation) =>
      cloudJobId !== null &&
      Date.now() - endedAtMs < limits.visibilityWindowMs &&
      (readingAge({ ...baseline, lastJobId: cloudJobId }, reading) === 'stale' ||
        (succeeded && action !== null && !wishedStateHolds(action, reading)));
    for (;;) {
      const reading = await this.#read();
      if (reading !== null) this.#note(null);
      if (reading !== null && isAtRest(reading) && !isOld(reading))
        return this.#result(true, `at rest: ${describeObservation(reading)}`, sent, cloudJobId);
      if (Date.now() >= deadlineAtMs) return this.#result(false, this.#notAtRest(), sent, cloudJobId);
      await pause(this.#delayMs, this.signal);
    }
  }

  /** Something may have been sent and no cloud job is known: read on until nothing that was sent can still be unseen. */
  async #untilClear(): Promise<SettleTargetResult> {
    const { baseline, limits, unseenForMs, deadlineAtMs } = this.request;
    let quietSinceMs: number | null = null;
    for (;;) {
      const reading = await this.#read();
      const isNew = reading !== null && readingAge(baseline, reading) === 'new';
      if (isNew) {
        const ruling = await this.#judge(reading);
        if (ruling !== null) return ruling;
      } else if (reading !== null) this.#note(null);
      const isQuiet = reading !== null && !isNew && isAtRest(reading);
      quietSinceMs = isQuiet ? (quietSinceMs ?? Date.now()) : null;
      const nowMs = Date.now();
      const seenEnough =
        quietSinceMs !== null && nowMs - quietSinceMs >= limits.quietMs && nowMs - this.#beganAtMs >= unseenForMs;
      if (seenEnough && reading !== null) return this.#nothingNew(reading);
      if (nowMs >= Math.max(deadlineAtMs, this.#beganAtMs + unseenForMs + 4 * limits.quietMs))
        return this.#result(false, this.#notAtRest(), 'unknown');
      await pause(this.#delayMs, this.signal);
    }
  }

  async #judge(reading: Observation): Promise<SettleTargetResult | null> {
    const { action, target, scheduledAtMs, limits, unseenForMs } = this.request;
    const cloudJobId = reading.lastJobId ?? '';
    // Before a first step nothing can be adopted: what is there belongs to the run before, and only has to end.
    if (action === null) {
      this.#note(null);
      return isAtRest(reading) && Date.now() - this.#beganAtMs >= unseenForMs
        ? this.#result(true, 'at rest', 'unknown')
        : null;
    }
    const options = { timeoutMs: limits.readTimeoutMs, signal: this.signal };
    try {
      const step = { action, instanceId: target.instanceId, scheduledAtMs, limits };
      const verdict = await judgeCloudJob(this.dependencies.serviceStage, cloudJobId, step, options);
      this.#note(null);
      if (verdict.kind === 'fits')
        return this.#afterCloudJob(cloudJobId, verdict.evidence.firstTaskAtMs, verdict.evidence);
      // Whoever may still send holds the lease with it: an answer is given only when nothing can come after it.
      if (Date.now() - this.#beganAtMs < unseenForMs) return null;
      if (verdict.kind === 'doesNotFit')
        return this.#result(
          false,
          `cloud job ${cloudJobId} appeared and cannot be told to be ours: ${verdict.why}`,
          'unknown',
        );
      return this.#result(false, `cloud job ${cloudJobId} appeared and shows no tasks`, 'unknown');
    } catch (error) {
      if (!(error instanceof ServiceStageError)) throw error;
      this.#note(error);
      return null;
    }
  }

  /** Nothing new at all: the state as before means that nothing happened; another state under the same cloud job is not explained. */
  #nothingNew(reading: Observation): SettleTargetResult {
    const { before, action } = this.request;
    if (before === null || action === null) return this.#result(true, 'nothing new', 'unknown');
    if (sameState(before, reading)) return this.#result(true, 'nothing new, the state as before', 'no');
    if (wishedStateHolds(action, reading))
      return this.#result(true, 'the wished state holds, without a cloud job to show for it', 'unknown');
    return this.#result(
      false,
      `the state changed from ${describeObservation(before)} to ${describeObservation(reading)} without a new cloud job`,
      'unknown',
    );
  }

  #notAtRest(): string {
    const seen =
      this.#observation === null ? 'no reading succeeded' : `last seen ${describeObservation(this.#observation)}`;
    const failed = this.#retrying === undefined ? '' : `; ${this.#retrying.reason}`;
    return `not settled within the limit: ${seen}${failed}`;
  }

  get #delayMs(): number {
    const { limits, deadlineAtMs } = this.request;
    if (this.#retrying === undefined) return limits.quietMs;
    const { failure, failures } = this.#retrying;
    return retryDelayMs({ failure, failures, firstDelayMs: limits.quietMs, leftMs: deadlineAtMs - Date.now(), limits });
  }

  /** `null`: what was asked was answered. */
  #note(error: ServiceStageError | null): void {
    const { deadlineAtMs: untilMs } = this.request;
    const failed = error === null ? null : { failure: failureNameOf(error), reason: error.message };
    this.#retrying =
      failed === null ? undefined : failedAgain(this.#retrying, { ...failed, nowMs: Date.now(), untilMs });
  }

  #result(
    clear: boolean,
    why: string,
    sent: SettleTargetResult['sent'],
    cloudJobId: string | null = null,
  ): SettleTargetResult {
    return { clear, why, observation: this.#observation, sent, cloudJobId };
  }

  /** `null` when the reading failed: tolerated, the limit of the settle bounds it. A deleted instance is at rest. */
  async #read(): Promise<Observation | null> {
    const { target, limits, deadlineAtMs } = this.request;
    const { readTimeoutMs: timeoutMs } = limits;
    try {
      const reading = await orDeadline(
        this.dependencies.serviceStage.readInstance(target, { timeoutMs, signal: this.signal }),
        Math.max(deadlineAtMs, Date.now() + timeoutMs),
      );
      this.#observation = reading ?? this.#observation;
      return reading;
    } catch (error) {
      if (!(error instanceof ServiceStageError)) throw error;
      this.#note(error);
      return null;
    }
  }
}

function sameState(before: Observation, after: Observation): boolean {
  return (
    statusMeaning(before.status) === statusMeaning(after.status) &&
    before.version === after.version &&
    before.replicaCount === after.replicaCount
  );
}
