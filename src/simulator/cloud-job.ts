/** A cloud job of the simulated cloud, and how far it is at a time. Times are epoch milliseconds. */
import type { ActionName, ActionParameters, InstanceState } from './effects.js';

/** A cloud job. */
export interface CloudJob {
  readonly id: string;
  readonly instanceId: string;
  readonly action: ActionName;
  readonly parameters: ActionParameters;
  readonly userId: string;
  readonly jobType: string;
  readonly byConsole: boolean;
  readonly acceptedAtMs: number;
  readonly durationMs: number;
  readonly visibleAtMs: number;
  /** Until then the instance still shows its earlier status. */
  readonly statusVisibleAtMs: number;
  readonly outcome: ArmedOutcome;
  readonly before: InstanceState;
  /** Accepted and finished without changing anything. */
  readonly isNoop: boolean;
  applied: boolean;
  /** Set by the tester to end it at that time, whatever its duration. */
  finishedAtMs?: number;
  /** The instance's state after the cloud job took effect. */
  after?: InstanceState;
}

/** How a cloud job should go; fields that are absent mean success. */
export interface ArmedOutcome {
  readonly executionStatus?: string | undefined;
  readonly instanceStatus?: string | undefined;
  readonly messages?: string | undefined;
  readonly durationMs?: number | undefined;
  /** `false`: the cloud job succeeds, but no replica becomes available. */
  readonly converges?: boolean | undefined;
  readonly neverEnds?: boolean | undefined;
}

/** The status with which it ends. */
export function executionEnd({ outcome }: CloudJob): string {
  return outcome.executionStatus ?? 'SUCCEEDED';
}

/** How far it is, 0 to 1. */
export function progressOf({ finishedAtMs, outcome, acceptedAtMs, durationMs }: CloudJob, nowMs: number): number {
  if (finishedAtMs !== undefined) return 1;
  return Math.min(outcome.neverEnds === true ? 0.9 : 1, (nowMs - acceptedAtMs) / durationMs);
}

/** The status that it shows. */
export function executionStatus(job: CloudJob, nowMs: number): string {
  const progress = progressOf(job, nowMs);
  if (progress >= 1) return executionEnd(job);
  return progress < 0.1 ? 'SUBMITTED' : 'RUNNING';
}

/** When it ends; infinite if it never does. */
export function endsAtMs({ finishedAtMs, outcome, acceptedAtMs, durationMs }: CloudJob): number {
  if (finishedAtMs !== undefined) return finishedAtMs;
  return outcome.neverEnds === true ? Number.POSITIVE_INFINITY : acceptedAtMs + durationMs;
}
