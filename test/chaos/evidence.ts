/** What is known of a seed once it is over, gathered from the outside: the simulator's record, Temporal's histories, and what chaos did. */
import type { PerformActionArguments, TargetRunArguments } from '../../src/domain/contract.js';
import type { Limits } from '../../src/domain/once/limits.js';
import type { RunReport, TargetReport } from '../../src/domain/report/report.js';
import type { AcceptedAction, InstanceState } from '../support/simulator.js';
import type { Link } from './schedule.js';

/** All times are epoch milliseconds of this machine, which simulator, server and workers share. */
export interface Evidence {
  readonly seed: number;
  readonly limits: Limits;
  readonly scenes: readonly SceneEvidence[];
  /** What chaos did to everybody; each scene has its own beside it. */
  readonly disturbances: readonly Disturbance[];
}

export interface SceneEvidence {
  readonly name: string;
  readonly instanceId: string;
  readonly initial: InstanceState;
  readonly final: InstanceState;
  /** Every cloud job accepted for the instance, in order: ours and those of the console. */
  readonly accepted: readonly AcceptedAction[];
  readonly runs: readonly RunEvidence[];
  /** Every `targetRun` on the instance, whatever its id, in order of its start; a reset makes a further one. */
  readonly holders: readonly HolderEvidence[];
  /** What the simulator's faults, the console and the operator did to this scene. */
  readonly disturbances: readonly Disturbance[];
}

export interface RunEvidence {
  readonly workflowId: string;
  readonly runbook: string;
  /** `RUNNING` means that it did not end in time. */
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | null;
  /** Time of the first cancel request in its history; `null` where there is none. */
  readonly cancelRequestedAtMs: number | null;
  /** As a caller gets it: result, failure details, memo. `null` only where somebody terminated the run. */
  readonly report: RunReport | null;
  /** The workflow task fails again and again: a stuck run. */
  readonly workflowTaskFailures: readonly string[];
}

/** One execution of `targetRun`. */
export interface HolderEvidence {
  readonly workflowId: string;
  readonly runId: string;
  /** Of the first execution in its chain of resets; its own `runId` where nobody reset it. */
  readonly originalRunId: string;
  readonly parentWorkflowId: string | null;
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | null;
  /** Time of the first cancel request in its history, an operator's or its parent's; `null` where there is none. */
  readonly cancelRequestedAtMs: number | null;
  /** The input of its first event: what was planned, `onFailure` of each step, `onCancel`. */
  readonly run: TargetRunArguments;
  /** `null` where it closed without one. */
  readonly report: TargetReport | null;
  /** Every `performAction` that its history schedules, in order; an undo is one too. */
  readonly decisions: readonly Decision[];
  /** Every `settleTarget` after an action that its history schedules, in order; the one before a first step, which a cancel may end, is none of them. */
  readonly settles: readonly Settle[];
  readonly workflowTaskFailures: readonly string[];
}

/** A `performAction` as scheduled. */
export interface Decision {
  readonly request: PerformActionArguments;
  readonly scheduledAtMs: number;
  /** `null` while it has not ended, or where its workflow was closed over it. */
  readonly endedAtMs: number | null;
  /**
   * History says that an attempt was lost: the activity's start event has a time-out as `lastFailure`, or its end is a time-out.
   * On a machine under load that happens without anything that chaos did.
   */
  readonly lostAttempt?: boolean;
}

/** A `settleTarget` as scheduled. */
export interface Settle {
  readonly scheduledAtMs: number;
  /** `open` while it has not ended, or where its workflow was closed over it. */
  readonly end: 'completed' | 'failed' | 'timedOut' | 'cancelled' | 'open';
}

export interface Disturbance {
  /** An event's or a fault's kind. */
  readonly kind: string;
  readonly atMs: number;
  /** When it was over. */
  readonly untilMs: number;
  /** For a fault: the route it hit. */
  readonly route?: string;
  /** For a cut or a stall: where. */
  readonly link?: Link;
}

/** A promise that did not hold. */
export interface Violation {
  readonly promise: 'once' | 'known' | 'undone' | 'alone' | 'ends';
  readonly scene: string;
  readonly what: string;
}
