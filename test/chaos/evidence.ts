/** What is known of a seed once it is over, gathered from outside: the simulator's record, Temporal's histories, and what chaos did. */
import type { PerformActionArguments, TargetRunArguments } from '../../src/domain/contract.js';
import type { CommandName } from '../../src/domain/steering/command-names.js';
import type { Limits } from '../../src/domain/once/limits.js';
import type { RunReport, TargetReport } from '../../src/domain/report/report.js';
import type { AcceptedAction, InstanceState } from '../support/simulator.js';
import type { Link } from './schedule.js';

/** All times are epoch milliseconds of this machine, which simulator, server and workers share. */
export interface Evidence {
  readonly seed: number;
  readonly limits: Limits;
  readonly scenes: readonly SceneEvidence[];
  /** Disruptions of the whole arena; each scene has its own list as well. */
  readonly disturbances: readonly Disturbance[];
}

/** A command that was sent, and its answer. */
export interface Sending {
  readonly command: CommandName;
  /** `RunbookClient` makes one Update of all that it sends with one key. */
  readonly via: 'client' | 'update';
  readonly actor: string;
  readonly key: string;
  readonly workflowId: string;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** `unknown`: no answer came in time, so it may have been carried out. */
  readonly result: 'accepted' | 'repeated' | 'refused' | 'unknown';
  /** As answered, or the text of the error. */
  readonly state: string;
}

/** A webhook that the receiver got. */
export interface Received {
  readonly id: string;
  readonly event: string;
  readonly runId: string;
  readonly atMs: number;
  /** It was answered with 204. */
  readonly taken: boolean;
}

/** What a history has of steering. Times are its own. */
export interface Steered {
  /** Updates that were accepted, repeats of them too. */
  readonly accepted: readonly {
    readonly command: string;
    readonly actor: string;
    readonly atMs: number;
    readonly eventId: number;
  }[];
  /** `RunbookState` as a run wrote it. */
  readonly states: readonly { readonly state: string | null; readonly atMs: number }[];
  /** Orders that the workflow of a target received from its run. */
  readonly orders: readonly { readonly paused: boolean; readonly order: number; readonly eventId: number }[];
  readonly cancelRequestedEventId: number | null;
}

export interface SceneEvidence {
  readonly name: string;
  readonly instanceId: string;
  readonly initial: InstanceState;
  readonly final: InstanceState;
  /** Every cloud job accepted for the instance, in order: ours and those of the console. */
  readonly accepted: readonly AcceptedAction[];
  readonly runs: readonly RunEvidence[];
  /** Every `targetRun` on the instance, whatever its id, in order of its start; a reset adds another one. */
  readonly holders: readonly HolderEvidence[];
  /** What the simulator's faults, the console and the operator did to this scene. */
  readonly disturbances: readonly Disturbance[];
  readonly sendings: readonly Sending[];
  /** Webhooks about its runs. */
  readonly received: readonly Received[];
}

export interface RunEvidence {
  readonly workflowId: string;
  readonly runbook: string;
  /** `RUNNING` means that it did not end in time. */
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | null;
  /** Time of the first cancel request in its history; `null` if there is none. */
  readonly cancelRequestedAtMs: number | null;
  /** As a caller gets it: result, failure details, memo. `null` only if an operator terminated the run. */
  readonly report: RunReport | null;
  readonly steered: Steered;
  /** The workflow task fails again and again: a stuck run. */
  readonly workflowTaskFailures: readonly string[];
}

/** One execution of `targetRun`. */
export interface HolderEvidence {
  readonly workflowId: string;
  readonly runId: string;
  /** The id of the first execution in its chain of resets; its own `runId` if it was not reset. */
  readonly originalRunId: string;
  readonly parentWorkflowId: string | null;
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | null;
  /** Time of the first cancel request in its history, an operator's or its parent's; `null` if there is none. */
  readonly cancelRequestedAtMs: number | null;
  /** The input of its first event: the plan, `onFailure` of each step, `onCancel`. */
  readonly run: TargetRunArguments;
  /** `null` if it closed without a report. */
  readonly report: TargetReport | null;
  /** Every `performAction` that its history schedules, in order; undos included. */
  readonly decisions: readonly Decision[];
  /**
   * Every `settleTarget` after an action that its history schedules, in order. The one before a first step is not included, because a cancel
   * may end it.
   */
  readonly settles: readonly Settle[];
  readonly steered: Steered;
  readonly workflowTaskFailures: readonly string[];
}

/** A `performAction` as scheduled. */
export interface Decision {
  readonly request: PerformActionArguments;
  readonly scheduledAtMs: number;
  /** The event after which the workflow decided it. */
  readonly decidedAfterEventId: number;
  /** `null` while it has not ended, or if its workflow was closed before. */
  readonly endedAtMs: number | null;
  /**
   * History shows that an attempt was lost: the activity's start event has a timeout as `lastFailure`, or its end is a timeout. On a machine
   * under load that happens without chaos.
   */
  readonly lostAttempt?: boolean;
}

/** A `settleTarget` as scheduled. */
export interface Settle {
  readonly scheduledAtMs: number;
  /** `open` while it has not ended, or if its workflow was closed before. */
  readonly end: 'completed' | 'failed' | 'timedOut' | 'cancelled' | 'open';
}

export interface Disturbance {
  /** The kind of the event or fault. */
  readonly kind: string;
  readonly atMs: number;
  /** When it was over. */
  readonly untilMs: number;
  /** For a fault: the route that it hit. */
  readonly route?: string;
  /** For a cut or a stall: the link. */
  readonly link?: Link;
}

/** A promise that did not hold. */
export interface Violation {
  readonly promise: 'once' | 'known' | 'undone' | 'alone' | 'ends' | 'steered' | 'notified';
  readonly scene: string;
  readonly what: string;
}
