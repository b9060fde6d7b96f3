/** The contract between workflows, activities and clients: the activities with their arguments and results, and the names that runs answer to. */
import type { CheckEvidence, HttpCheck } from './checks/check.js';
import type { Action } from './target/actions.js';
import type { Closing, ReadFreezes } from './gates/gates.js';
import type { Delivery } from './notifications/delivery.js';
import type { Notification } from './notifications/notification.js';
import type { Limits } from './once/limits.js';
import type { OnCancel, Plan, TargetPlan } from './plan/plan.js';
import type { OnceRules } from './once/events.js';
import type { Ending, OnceState } from './once/state.js';
import type { ApprovalVote, RunName } from './report/report.js';
import type { ApprovalProgress, BlockedProgress } from './report/progress.js';
import type { Observation, Target } from './target/target.js';

/** What a run is started with, by any client, schedule or alarm rule. `targets` are names or ids of instances. */
export interface StartArguments {
  readonly targets: readonly string[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly requestedBy?: string;
  readonly reason?: string;
  /** The run only plans, and ends with the plan as its result. */
  readonly dryRun?: boolean;
  /** No new target is started outside it. */
  readonly window?: WindowArguments;
  /** Names of calendars, in addition to the runbook's own. No new target is started while one of them is frozen. */
  readonly freeze?: readonly string[];
  /** How long the run may wait outside its window or inside a freeze, such as `4h`. Default: the runbook's own, else it is refused at once. */
  readonly waitAtMost?: string;
  /** The run continues where this one failed, on `targets` of it that did not succeed and with its inputs, so that `inputs` must be left out. */
  readonly resumes?: RunName;
}

/** A maintenance window. Durations are text with a unit, such as `2h`. */
export interface WindowArguments {
  /** How long the window lasts. */
  readonly duration: string;
  /** How long before the end of the window the last target may be started. Default: the runbook's own, else `0s`. */
  readonly cutoff?: string;
  /** When the window opens, in ISO 8601 with an offset. Default: the time for which a schedule started the run, else the start of the run. */
  readonly opensAt?: string;
  /** `false`: targets are started even if their steps do not usually fit before the end. Default: the runbook's own, else they must fit. */
  readonly fit?: boolean;
}

/** What is known of an instance before a step. It is recorded in history before anything is sent. */
export interface Baseline {
  readonly observation: Observation;
  /** The newest cloud job known before the step. */
  readonly lastJobId: string | null;
  /** Every cloud job that this run followed on the target, and the newest one before each step. */
  readonly knownCloudJobIds: readonly string[];
  /** The workflow run that took the first reading: the original one, unless it was reset to before that reading. */
  readonly readInRunId?: string;
  /** The last action sent to this target reached its state, and no step has seen that state hold since. */
  readonly notHeld?: true;
  /** The first reading was taken after a reset, so that no step of this run shows what was sent before. */
  readonly readAfterReset?: true;
}

/** The arguments of `performAction`: one step's action, to be carried out at most once. */
export interface PerformActionArguments extends OnceRules {
  readonly stepId: string;
  readonly action: Action;
  readonly before: Baseline;
  /** The run that decided on the step, `Baseline.readInRunId`. In a reset run it differs from the activity's own run id. */
  readonly decidedInRunId: string;
}

/** The arguments of `settleTarget`: a step whose end is unclear, or an instance before its first step. */
export interface SettleTargetArguments extends OnceRules {
  /** The state in which the step was left. */
  readonly left: OnceState;
  /** How the step ended; `null` before a first step. */
  readonly prior: Ending | null;
  /** Before a first step: the run of the workflow that made the first reading. Absent for a step, and where an older version asked. */
  readonly readInRunId?: string;
}

/** The result of `settleTarget`. */
export interface Settled extends OnceState {
  /** Before a first step: the run of the workflow that waited, since `seen` is a reading of that run. Absent where an older version asked. */
  readonly settledInRunId?: string;
}

/** The arguments of `performCheck`. */
export interface PerformCheckArguments {
  readonly stepId: string;
  readonly check: HttpCheck;
  /** When the time of the run is over, epoch milliseconds. */
  readonly deadlineAtMs: number;
  /** `Limits.heartbeatTimeoutMs` of the plan. */
  readonly heartbeatTimeoutMs: number;
}

/** The arguments of `targetRun`: what a run hands to the child that acts on one target. */
export interface TargetRunArguments {
  readonly runbook: string;
  readonly targetPlan: TargetPlan;
  readonly onCancel: OnCancel;
  /** When the time of the whole run is over, epoch milliseconds. Undos may take longer. */
  readonly deadlineAtMs: number;
  readonly limits: Limits;
  /** Until when something sent by an earlier holder of the lease, or before a reset, may still appear, epoch milliseconds; 0 if nothing can. */
  readonly clearAtMs: number;
  /** When the gate that the target has passed closes; absent where it stays open. */
  readonly closing?: Closing;
  /** `Plan.operatorWaitMs`. Absent: the target waits for no one. */
  readonly operatorWaitMs?: number;
  /** What an approval is judged by. Only where a step asks for one. */
  readonly approval?: ApprovalFacts;
  /** The run wants to know of steps that take unusually long. Absent: no timer is started for them. */
  readonly reportLate?: true;
  /** How long the report may be, in bytes of JSON. Absent where an older version started the run. */
  readonly reportBytes?: number;
}

/** The newest workflow execution that held a lease. Times are epoch milliseconds. */
export interface LeaseHolder {
  /** Workflow id of the run that started it; `null` if it has no parent. */
  readonly runWorkflowId: string | null;
  readonly runId: string;
  readonly open: boolean;
  /** `RUNNING`, `COMPLETED`, `FAILED`, `CANCELLED`, `TERMINATED`, `TIMED_OUT` or another status of Temporal's. */
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | null;
  readonly requestedBy: string | null;
  /** The `TargetRunArguments.clearAtMs` that it was started with. */
  readonly clearAtMs: number;
  /** When the reset was that started it; absent if none did. */
  readonly resetAtMs?: number;
  /** `unseenAttemptMs` of its plan, milliseconds: another worker may have planned it. Absent before version 0.1. */
  readonly unseenMs?: number;
}

/** The arguments of `findRuns`: some runs by their workflow ids, and all runs that have acted on some targets since a given time. */
export interface RunsAsked {
  readonly runIds: readonly string[];
  /** `application/component/instance` */
  readonly targets: readonly string[];
  /** Runs on the targets that ended before this are left out. Epoch milliseconds. */
  readonly sinceMs: number;
}

/** A run that `findRuns` found. */
export interface RunSeen {
  /** Workflow id. */
  readonly runId: string;
  /** Those of the targets asked for that it acts on; empty while it plans. */
  readonly targets: readonly string[];
  /** Epoch milliseconds. `null`: it is open. 0: the server no longer knows it. */
  readonly endedAtMs: number | null;
}

/** The result of `observeTarget`: the reading under the lease, before the first step. */
export interface FirstReading extends Observation {
  readonly readInRunId: string;
  /** `OnceState.clearAtMs` of attempts from before a reset of the workflow; 0 where it was not reset. */
  readonly clearAtMs: number;
}

/** The arguments of `verifyApproval`. */
export interface ApprovalProofAsked {
  readonly token: string;
  /** `Plan.approvalIssuer` */
  readonly issuer: string;
  readonly planHash: string;
  /** When the run received the token, epoch milliseconds. */
  readonly receivedAtMs: number;
}

/** What a token proves. */
export type ApprovalProof =
  | { readonly kind: 'proved'; readonly actor: string; readonly roles: readonly string[] }
  | { readonly kind: 'refused'; readonly why: string };

/** The activities, as workflows call them and `createActivities` implements them. */
export interface Activities {
  /** @throws `InvalidPlan`, `UnknownRunbook`, or the failure of a read: nothing was sent */
  makePlan(runbook: string, startArguments: unknown): Promise<Plan>;
  /** @returns `null` if the server does not know that anyone has held the lease */
  describeLease(leaseId: string): Promise<LeaseHolder | null>;
  /** Runs asked for by id are up to date. Runs on targets come from the server's listing, which may lag some seconds behind. */
  findRuns(asked: RunsAsked): Promise<readonly RunSeen[]>;
  /** The freezes of the named calendars from `fromMs` to just before `toMs`. A calendar that cannot be read is part of the result, not an error. */
  readFreezes(names: readonly string[], fromMs: number, toMs: number): Promise<ReadFreezes>;
  /** Whether the token of an approval counts, and whose it is. A token that does not count is part of the result, not an error. */
  verifyApproval(asked: ApprovalProofAsked): Promise<ApprovalProof>;
  /** @param originalRunId `workflowInfo().originalExecutionRunId` */
  observeTarget(target: Target, limits: Limits, originalRunId: string): Promise<FirstReading>;
  /**
   * The run of the workflow that asks: after a reset, another one than before.
   * @param originalRunId `workflowInfo().originalExecutionRunId`
   */
  currentRunId(originalRunId: string): Promise<string>;
  /** @throws a failure of the failure table with an `OnceState` as `details[0]`. A failure without it means that the action may have been sent */
  performAction(request: PerformActionArguments): Promise<OnceState>;
  /** @returns a state that has ended for good, `indeterminate` if readings do not show what happened */
  settleTarget(request: SettleTargetArguments): Promise<Settled>;
  /** @throws `CheckFailed` or `DeadlinePassed` with the evidence as `details[0]` */
  performCheck(request: PerformCheckArguments): Promise<CheckEvidence>;
  /**
   * Notifies webhooks. Scheduled with `NOTIFY_LIMITS`, it fails only while no worker runs it.
   * @param names webhooks that the runbook names. Default: all that the event concerns
   */
  notify(notification: Notification, names?: readonly string[]): Promise<readonly Delivery[]>;
}

/** The query that `run` and `targetRun` answer with their progress. */
export const PROGRESS_QUERY = 'progress';
/** The memo key under which a run stores its report before it closes. */
export const REPORT_MEMO = 'report';
/** The memo key with who asked for a run, from its start. Optional: lists of runs show it before there is a report. */
export const REQUESTER_MEMO = 'requestedBy';
/** The memo key of a target's workflow that holds `LeaseHolder.clearAtMs`. */
export const CLEAR_AT_MEMO = 'clearAtMs';
/** The memo key of a target's workflow that holds `LeaseHolder.unseenMs`. */
export const UNSEEN_MEMO = 'unseenMs';
/** The workflow type of a target's own workflow. */
export const TARGET_RUN_WORKFLOW = 'targetRun';
/** The search attribute with the targets of a run, as `listedTargets` makes it. The runbook needs none: it is the workflow type. */
export const TARGET_SEARCH_ATTRIBUTE = 'RunbookTarget';
/** The search attribute with the outcome of a run that has ended. */
export const OUTCOME_SEARCH_ATTRIBUTE = 'RunbookOutcome';
/** Temporal's own search attribute, on what a schedule started: the schedule's id. */
export const SCHEDULED_BY_SEARCH_ATTRIBUTE = 'TemporalScheduledById';
/** The signal from a run to the workflow of its target: whether steps may begin. */
export const STEER_SIGNAL = 'steer';
/** The signal from a run to the workflow of its target: a person's vote on its approval. */
export const APPROVAL_SIGNAL = 'approval';
/** The signal from a target's workflow to its run: what it waits for. */
export const TARGET_STATE_SIGNAL = 'targetState';
/** The search attribute that shows why an open run needs a person, such as `paused`; see domain/run/attention.ts. A namespace may lack it. */
export const STATE_SEARCH_ATTRIBUTE = 'RunbookState';
/** Search attributes that a namespace may lack; `Plan.hasStateAttribute` shows whether it does. */
export const OPTIONAL_SEARCH_ATTRIBUTES = [{ name: STATE_SEARCH_ATTRIBUTE, type: 'Keyword' }] as const;

/** The argument of the signal `steer`. */
export interface SteerOrder {
  readonly paused: boolean;
  /** Grows with each order; the answer names it. */
  readonly order: number;
  /** When the run gave it, epoch milliseconds. */
  readonly atMs: number;
}

/** The argument of the signal `approval`. */
export interface ApprovalOrder {
  readonly step: string;
  /** `ApprovalProgress.askedAtMs` of the approval that is meant. */
  readonly askedAtMs: number;
  readonly vote: ApprovalVote;
  /** Only for a signed one. The target verifies it as well, because anybody can send a signal. */
  readonly token?: string;
}

/** What approvals of a run are judged by. */
export interface ApprovalFacts {
  /** `null` if it is not known. */
  readonly requestedBy: string | null;
  readonly planHash: string;
  /** `null`: an approval need not be signed. */
  readonly issuer: string | null;
}

/** The argument of the signal `targetState`. */
export interface TargetState {
  readonly path: string;
  readonly state: 'running' | 'paused' | 'blocked' | 'waitingForApproval';
  /** The newest order that the target has received; 0 before the first. */
  readonly order: number;
  /** How long the target has waited for people so far, milliseconds. It counts against no deadline. */
  readonly heldMs: number;
  readonly blocked?: BlockedProgress;
  readonly approval?: ApprovalProgress;
  /** Only while a step takes unusually long. */
  readonly late?: LateStep;
}

/** A step that takes unusually long. */
export interface LateStep {
  readonly step: string;
  /** How long it has taken when that was noticed, milliseconds. */
  readonly afterMs: number;
}

/** Every search attribute that the namespace needs. */
export const SEARCH_ATTRIBUTES = [
  { name: TARGET_SEARCH_ATTRIBUTE, type: 'KeywordList' },
  { name: OUTCOME_SEARCH_ATTRIBUTE, type: 'Keyword' },
] as const;
/** The task queue of workers and clients that are configured with no other one. */
export const DEFAULT_TASK_QUEUE = 'runbooks';
