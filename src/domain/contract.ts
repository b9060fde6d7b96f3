/** The hinge: the activities a workflow may call, with their exact shapes, and the names a run answers to. */
import type { Action } from './target/actions.js';
import type { Closing, ReadFreezes } from './gates/gates.js';
import type { Limits } from './once/limits.js';
import type { OnCancel, Plan, TargetPlan } from './plan/plan.js';
import type { OnceRules } from './once/events.js';
import type { Ending, OnceState } from './once/state.js';
import type { Observation, Target } from './target/target.js';

/** Start arguments, the same from every side. `targets` by name or id. */
export interface StartArguments {
  readonly targets: readonly string[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly requestedBy?: string;
  readonly reason?: string;
  /** Plan only: the run ends after planning, with the plan as its result. */
  readonly dryRun?: boolean;
  /** No new target is begun outside it. */
  readonly window?: WindowArguments;
  /** Names of calendars, beside those of the runbook's own guards: no new target is begun while one of them is frozen. */
  readonly freeze?: readonly string[];
  /** How long a start outside its window or inside a freeze waits, such as `4h`. Default: the runbook's own, else it is refused at once. */
  readonly waitAtMost?: string;
}

/** A maintenance window. Durations are text with a unit, such as `2h`. */
export interface WindowArguments {
  readonly duration: string;
  /** No new target is begun that long before the window's end. Default: the runbook's own, else none. */
  readonly cutoff?: string;
  /** ISO 8601 with an offset. Default: the time for which a schedule started the run, else the run's own start. */
  readonly opensAt?: string;
}

/** What is known of an instance before a step: recorded in history before anything is sent. */
export interface Baseline {
  readonly observation: Observation;
  /** The newest cloud job known before the step. */
  readonly lastJobId: string | null;
  /** Every cloud job this run followed on the target, and every baseline. */
  readonly knownCloudJobIds: readonly string[];
  /** The workflow run in which the first reading was taken: the original one, unless a reset went back to before it. */
  readonly readInRunId?: string;
  /** It was taken after a reset: what was sent before is in no step of this run. */
  readonly readAfterReset?: true;
}

/** One step's action, carried out at most once. */
export interface PerformActionArguments extends OnceRules {
  readonly stepId: string;
  readonly action: Action;
  readonly before: Baseline;
  /** The run that made the decision, `Baseline.readInRunId`: differs from the activity's run id in a reset run. */
  readonly decidedInRunId: string;
}

/** What is to be settled: what a step left, or an instance before its first step. */
export interface SettleTargetArguments extends OnceRules {
  readonly left: OnceState;
  /** How the step ended; `null` before a first step. */
  readonly prior: Ending | null;
}

/** What `run` hands to the child that acts on one target. */
export interface TargetRunArguments {
  readonly runbook: string;
  readonly targetPlan: TargetPlan;
  readonly onCancel: OnCancel;
  /** Of the whole run; kept inside the workflow. */
  readonly deadlineAtMs: number;
  readonly limits: Limits;
  /** `OnceState.clearAtMs` of whoever held the lease before and ended without an answer; 0 where nothing is out there. */
  readonly clearAtMs: number;
  /** Of the gate that was passed; absent where it stays open. */
  readonly closing?: Closing;
  /** How long its report may be, bytes as JSON; absent in what older runs started. */
  readonly reportBytes?: number;
}

/** The newest execution that held a lease. Times are epoch milliseconds. */
export interface LeaseHolder {
  /** Workflow id of the run that started it; `null` where it has no parent. */
  readonly runWorkflowId: string | null;
  readonly runId: string;
  readonly open: boolean;
  /** `RUNNING`, `COMPLETED`, `FAILED`, `CANCELLED`, `TERMINATED`, `TIMED_OUT`, … as Temporal says. */
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | null;
  readonly requestedBy: string | null;
  /** What it was handed by the holder before (`OnceState.clearAtMs`); 0 where nothing was out there. */
  readonly clearAtMs: number;
}

/** Which runs to tell of: some by their workflow ids, and all that act or acted on some targets since a time. */
export interface RunsAsked {
  readonly runIds: readonly string[];
  /** `application/component/instance` */
  readonly targets: readonly string[];
  /** Runs on the targets that ended before are left out. Epoch milliseconds. */
  readonly sinceMs: number;
}

export interface RunSeen {
  /** Workflow id. */
  readonly runId: string;
  /** Of those asked; empty while it plans. */
  readonly targets: readonly string[];
  /** `null`: it is open. 0: nothing is known of it any more. */
  readonly endedAtMs: number | null;
}

/** The reading under the lease, before a first step. */
export interface FirstReading extends Observation {
  readonly readInRunId: string;
  /** `OnceState.clearAtMs` of an attempt before a reset of the workflow; 0 where it was not reset. */
  readonly clearAtMs: number;
}

/** Activities, as workflows call them and `createActivities` satisfies them. */
export interface Activities {
  makePlan(runbook: string, startArguments: unknown): Promise<Plan>;
  describeLease(leaseId: string): Promise<LeaseHolder | null>;
  /** Those asked by their ids as they are; those on targets by the listing, which may lag some seconds behind. */
  findRuns(asked: RunsAsked): Promise<readonly RunSeen[]>;
  /** What the named calendars say of `[fromMs, toMs)`. Never fails for a calendar: one that cannot be read is told as such. */
  readFreezes(names: readonly string[], fromMs: number, toMs: number): Promise<ReadFreezes>;
  /** `originalRunId` is `workflowInfo().originalExecutionRunId`. */
  observeTarget(target: Target, limits: Limits, originalRunId: string): Promise<FirstReading>;
  /** @throws a failure of the table whose `details[0]` is an `OnceState`; one without it means that anything may have been sent */
  performAction(request: PerformActionArguments): Promise<OnceState>;
  /** Resolves with an `OnceState` that has ended for good, however clear it is. */
  settleTarget(request: SettleTargetArguments): Promise<OnceState>;
}

/** Query name of `run` and `targetRun`. */
export const PROGRESS_QUERY = 'progress';
/** Memo key a run writes its report to before it closes. */
export const REPORT_MEMO = 'report';
/** Memo key of a lease's holder: `LeaseHolder.clearAtMs`. */
export const CLEAR_AT_MEMO = 'clearAtMs';
/** Workflow type of a target's own workflow. */
export const TARGET_RUN_WORKFLOW = 'targetRun';
/** Search attributes; the runbook is the workflow type. The first holds what `listedTargets` makes of the paths. */
export const TARGET_SEARCH_ATTRIBUTE = 'RunbookTarget';
export const OUTCOME_SEARCH_ATTRIBUTE = 'RunbookOutcome';
export const SEARCH_ATTRIBUTES = [
  { name: TARGET_SEARCH_ATTRIBUTE, type: 'KeywordList' },
  { name: OUTCOME_SEARCH_ATTRIBUTE, type: 'Keyword' },
] as const;
export const DEFAULT_TASK_QUEUE = 'runbooks';
