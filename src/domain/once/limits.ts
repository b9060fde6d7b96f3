/** The time limits of one step. They are data in the plan, so that workers with different configuration cannot disagree. */

/** Milliseconds throughout. */
export interface ChosenLimits {
  /** One GET. */
  readonly readTimeoutMs: number;
  /** The POST of an action; it has its own connection and no retry. */
  readonly postTimeoutMs: number;
  /** Between two readings that must agree. */
  readonly quietMs: number;
  /** How long ServiceStage may take to show an accepted cloud job in `last_job_id`: an assumption, see docs/guarantees.md. */
  readonly visibilityWindowMs: number;
  /** Longest wait for the request budget before an attempt gives up unsent. */
  readonly budgetWaitMs: number;
  /** Longest wait for a token before an attempt gives up unsent. */
  readonly credentialsWaitMs: number;
  /** Clocks of the cloud and of this worker may differ by this much when the age of a cloud job is judged. */
  readonly clockSkewMs: number;
  /** An attempt that begins later than this after it was scheduled may already be superseded. */
  readonly lateStartMs: number;
  readonly marginMs: number;
}

export interface Limits extends ChosenLimits {
  /** Computed: longer than the longest silent path of an attempt. */
  readonly heartbeatTimeoutMs: number;
}

export const DEFAULT_LIMITS: ChosenLimits = {
  readTimeoutMs: 5_000,
  postTimeoutMs: 10_000,
  quietMs: 5_000,
  visibilityWindowMs: 15_000,
  budgetWaitMs: 5_000,
  credentialsWaitMs: 5_000,
  clockSkewMs: 5_000,
  lateStartMs: 20_000,
  marginMs: 5_000,
};

/** Of planning, which has no plan to take its limits from yet. Chosen: a worker that is lost while it plans costs little of the three minutes. */
export const PLANNING_HEARTBEAT_TIMEOUT_MS = 15_000;

/** Of one short read in a workflow (a local activity), milliseconds. Chosen: a read that fails for three minutes decides nothing sooner by trying on. */
export const SHORT_READ_LIMITS = { attemptMs: 15_000, totalMs: 180_000, longestPauseMs: 10_000 };

/** Budget + token + read + window + read + POST + quiet + read + cloud job read + margin: 65 s with the defaults. */
export function withHeartbeatTimeout(chosen: ChosenLimits): Limits {
  const { budgetWaitMs, credentialsWaitMs, readTimeoutMs, visibilityWindowMs, postTimeoutMs, quietMs, marginMs } =
    chosen;
  return {
    ...chosen,
    heartbeatTimeoutMs:
      budgetWaitMs + credentialsWaitMs + 4 * readTimeoutMs + visibilityWindowMs + postTimeoutMs + quietMs + marginMs,
  };
}

/** An attempt older than this (since its schedule, or the barrier it passed) may no longer send: another one may be at work. */
export function fenceMs(limits: Limits): number {
  return limits.heartbeatTimeoutMs - limits.postTimeoutMs - limits.marginMs;
}

/** Until then an attempt that was born at `bornAtMs` may send. */
export function sendableUntilMs(bornAtMs: number, limits: Limits): number {
  return bornAtMs + fenceMs(limits);
}

/** After this long nothing that an unseen attempt sent can still be invisible: fence + POST + visibility window (75 s). */
export function unseenAttemptMs(limits: Limits): number {
  return fenceMs(limits) + limits.postTimeoutMs + limits.visibilityWindowMs;
}

/** How long the API may say that it does not know a cloud job which it handed out itself. */
export function unknownCloudJobMs(limits: Limits): number {
  return Math.max(limits.visibilityWindowMs, 4 * limits.quietMs);
}
