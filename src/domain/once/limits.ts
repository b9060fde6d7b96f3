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
  /** Longest time from the request for the send lease to the first byte of the POST. */
  readonly leaseMs: number;
  /** Slack for timers that fire late and clocks that differ. */
  readonly marginMs: number;
}

/** The limits of a step as its plan holds them. */
export interface Limits extends ChosenLimits {
  /** Computed: covers the only time in which an attempt is silent, from the send lease to the end of the POST. */
  readonly heartbeatTimeoutMs: number;
}

/** Used unless a variable of the worker overrides it (docs/configuration.md). */
export const DEFAULT_LIMITS: ChosenLimits = {
  readTimeoutMs: 5_000,
  postTimeoutMs: 10_000,
  quietMs: 5_000,
  visibilityWindowMs: 15_000,
  budgetWaitMs: 5_000,
  credentialsWaitMs: 5_000,
  clockSkewMs: 5_000,
  lateStartMs: 5_000,
  leaseMs: 2_000,
  marginMs: 3_000,
};

/** The heartbeat timeout while planning, when there is no plan to take limits from yet, milliseconds. Chosen: losing a worker then costs little of the three minutes. */
export const PLANNING_HEARTBEAT_TIMEOUT_MS = 10_000;

/** Limits of one short read in a workflow (a local activity), milliseconds. Chosen: a read that has failed for three minutes is unlikely to succeed soon. */
export const SHORT_READ_LIMITS = { attemptMs: 15_000, totalMs: 180_000, longestPauseMs: 10_000 };

/** Send lease + POST + margin: 15 s with the defaults. */
export function withHeartbeatTimeout(chosen: ChosenLimits): Limits {
  const { leaseMs, postTimeoutMs, marginMs } = chosen;
  return { ...chosen, heartbeatTimeoutMs: leaseMs + postTimeoutMs + marginMs };
}

/** How long after its last heartbeat everything that an attempt sent is visible: heartbeat timeout + visibility window (30 s). */
export function unseenAttemptMs({ heartbeatTimeoutMs, visibilityWindowMs }: Limits): number {
  return heartbeatTimeoutMs + visibilityWindowMs;
}

/** How long the API may say that it does not know a cloud job which it handed out itself. */
export function unknownCloudJobMs(limits: Limits): number {
  return Math.max(limits.visibilityWindowMs, 4 * limits.quietMs);
}
