/** `CloudJobWatcher`: every cloud job followed in this process, looked at when pacing says. One per worker process. */
import { cloudJobPhase, type CloudJob } from '../domain/cloud-job.js';
import { unknownCloudJobMs, type Limits } from '../domain/once/limits.js';
import { nextLookDelayMs } from '../domain/once/pacing.js';
import { ServiceStageError } from '../servicestage/errors.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { orAborted, orDeadline, pause } from './pause.js';

export interface FollowRequest {
  readonly cloudJobId: string;
  /** Epoch milliseconds; for an adopted cloud job the time of its first task. */
  readonly submittedAtMs: number;
  readonly usualDurationMs: number;
  readonly deadlineAtMs: number;
  readonly limits: Limits;
  /** Its reason is rethrown; it stops the waiting, never the cloud job. */
  readonly signal: AbortSignal;
  /** Called after each poll: with what it failed by, or `null`. */
  readonly onPoll?: (error: ServiceStageError | null) => void;
}

/** How following ended. `overdue` covers a deadline that passed and a cloud job that stays unknown to the API. */
export type FollowEnd =
  | { readonly kind: 'succeeded' | 'failed'; readonly job: CloudJob }
  | { readonly kind: 'overdue'; readonly why: string };

interface Look {
  readonly job: CloudJob | null;
  readonly problem: string | null;
  readonly error: ServiceStageError | null;
}

const NOT_ANSWERED: Look = { job: null, problem: 'no look was answered in time', error: null };

export class CloudJobWatcher {
  /** Looks under way, shared by everybody who follows the same cloud job at that moment. */
  readonly #looksUnderWay = new Map<string, Promise<Look>>();
  #looksMade = 0;
  #following = 0;

  constructor(private readonly serviceStage: ServiceStage) {}

  /** Looks made and cloud jobs followed right now, for metrics and benchmarks. */
  get statistics(): { readonly looksMade: number; readonly following: number } {
    return { looksMade: this.#looksMade, following: this.#following };
  }

  /** Resolves when the cloud job has ended or its deadline has passed. Readings that fail are counted and tolerated. */
  async follow(request: FollowRequest): Promise<FollowEnd> {
    this.#following++;
    try {
      return await this.#untilItEnds(request);
    } finally {
      this.#following--;
    }
  }

  async #untilItEnds(request: FollowRequest): Promise<FollowEnd> {
    const { cloudJobId, submittedAtMs, usualDurationMs, deadlineAtMs, signal } = request;
    const beganAtMs = Date.now();
    let failedLooks = 0;
    let unknownSinceMs: number | null = null;
    for (let looks = 0; ; looks++) {
      const nowMs = Date.now();
      const delayMs = nextLookDelayMs({
        looks,
        followedForMs: nowMs - beganAtMs,
        elapsedMs: nowMs - submittedAtMs,
        usualDurationMs,
      });
      await pause(Math.max(0, Math.min(delayMs, deadlineAtMs - nowMs)), signal);
      const lastLookAtMs = Math.max(deadlineAtMs, Date.now() + request.limits.readTimeoutMs);
      const { job, problem, error } = (await orDeadline(this.#look(request), lastLookAtMs)) ?? NOT_ANSWERED;
      request.onPoll?.(error);
      const phase = job === null ? null : cloudJobPhase(job.status);
      if (job !== null && (phase === 'succeeded' || phase === 'failed')) return { kind: phase, job };
      if (problem !== null) failedLooks++;
      unknownSinceMs = error?.code === 'NotFound' ? (unknownSinceMs ?? Date.now()) : null;
      if (unknownSinceMs !== null && Date.now() - unknownSinceMs > unknownCloudJobMs(request.limits)) {
        return { kind: 'overdue', why: `the API does not know cloud job ${cloudJobId}` };
      }
      if (Date.now() >= deadlineAtMs) {
        const seen = job === null ? (problem ?? 'it was not seen') : `its status is ${job.status}`;
        const failed = failedLooks === 0 ? '' : ` (${failedLooks} of ${looks + 1} looks failed)`;
        return { kind: 'overdue', why: `cloud job ${cloudJobId} has not ended by the deadline: ${seen}${failed}` };
      }
    }
  }

  async #look({ cloudJobId, limits, signal }: FollowRequest): Promise<Look> {
    let underWay = this.#looksUnderWay.get(cloudJobId);
    if (underWay === undefined) {
      underWay = this.#readOnce(cloudJobId, limits.readTimeoutMs).finally(() => this.#looksUnderWay.delete(cloudJobId));
      this.#looksUnderWay.set(cloudJobId, underWay);
    }
    // A look may wait long for the budget; who is told to end does not wait with it.
    return orAborted(underWay, signal);
  }

  /** Without a signal, since others may be waiting for the same look; its time-out bounds it. */
  async #readOnce(cloudJobId: string, timeoutMs: number): Promise<Look> {
    this.#looksMade++;
    try {
      return { job: await this.serviceStage.readCloudJob(cloudJobId, { timeoutMs }), problem: null, error: null };
    } catch (error) {
      if (!(error instanceof ServiceStageError)) throw error;
      return { job: null, problem: error.message, error };
    }
  }
}
