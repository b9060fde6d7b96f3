/** The hinge: the activities a workflow may call, with their exact shapes, and the names a run answers to. */
import type { Action } from './actions.js';
import type { Sent } from './failures.js';
import type { Closing, ReadFreezes } from './gates.js';
import type { Limits } from './once/limits.js';
import type { OnCancel, Plan, TargetPlan } from './plan.js';
import type { Retrying } from './once/retrying.js';
import type { Observation, Target } from './target.js';

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

/** Why a cloud job that was found by reading is taken as ours. */
export interface AdoptionEvidence {
  readonly cloudJobId: string;
  readonly instanceId: string | null;
  readonly jobType: string | null;
  readonly createdBy: string | null;
  readonly firstTaskAtMs: number;
  /** The step was scheduled then; the first task is not older than that, less the clock skew. */
  readonly scheduledAtMs: number;
  /** True only where the job's creator is known to be our own user. */
  readonly createdByUs: boolean;
}

/** What an attempt decided, in the order of the protocol. */
export type Decision =
  | 'entered'
  | 'sent'
  | 'accepted'
  | 'refused'
  | 'notSent'
  | 'unanswered'
  | 'followed'
  | 'adopted'
  | 'skipped'
  | 'alreadyDone'
  | 'verified'
  | 'fenced'
  | 'stopped'
  /** The attempt ended and is tried again; the note says why. */
  | 'failed'
  | 'leftNoTrace';

/** What an attempt decided; what later attempts repeat is counted here. Times are epoch milliseconds. */
export interface TrailEntry {
  /** Of the first, where it is counted. */
  readonly attempt: number;
  readonly atMs: number;
  readonly decision: Decision;
  /** The newest, where it is counted. */
  readonly note?: string;
  /** How often it was decided; absent for once. */
  readonly count?: number;
  /** When it was decided last, where it is counted. */
  readonly lastAtMs?: number;
}

/** Heartbeat details of `performAction`: the only state that outlives an attempt. */
export interface HeartbeatDetails {
  readonly attempt: number;
  readonly atMs: number;
  /** After a reset: an attempt before it may still be alive and send, or what it sent be unseen, until then. */
  readonly predecessorUntilMs?: number;
  readonly state:
    /** Something may have been sent from here on. */
    | { readonly kind: 'entered' }
    /** A first-like attempt ended before the first byte of its POST; the next was due after `retryDelayMs`. */
    | { readonly kind: 'notSent'; readonly retryDelayMs: number }
    /** Accepted or adopted: only to be followed from now on. */
    | {
        readonly kind: 'following';
        readonly cloudJobId: string;
        readonly submittedAtMs: number;
        readonly evidence?: AdoptionEvidence;
      };
  readonly trail: readonly TrailEntry[];
  /** Why it is tried again, or read again; absent while nothing fails. */
  readonly retrying?: Retrying;
}

export interface PerformActionArguments {
  readonly stepId: string;
  readonly target: Target;
  readonly action: Action;
  readonly before: Baseline;
  /** The run that made the decision, `Baseline.readInRunId`: differs from the activity's run id in a reset run. */
  readonly originalRunId: string;
  readonly deadlineAtMs: number;
  /** Only until a first action was sent on the target: from `closing.atMs` on it is not begun. */
  readonly closing?: Closing;
  readonly verify: { readonly withinMs: number; readonly stableMs: number };
  readonly usualDurationMs: number;
  /** After a cancel: verify the wished state too (needed to compensate), or only follow the cloud job to its end. */
  readonly verifyAfterCancel: boolean;
  readonly limits: Limits;
}

export interface PerformActionResult {
  readonly result: 'succeeded' | 'skipped';
  readonly sent: Sent;
  readonly cloudJobId: string | null;
  /** The newest reading, with `lastJobId` set to the cloud job that was followed. */
  readonly after: Observation;
  readonly evidence?: AdoptionEvidence;
  readonly trail: readonly TrailEntry[];
  readonly attempts: number;
  /** How long from now on something that an unseen attempt sent may still become visible. */
  readonly unseenForMs: number;
}

/** `details[0]` of every failure of `performAction`. A failure without it counts as `sent: 'unknown'`. */
export interface PerformActionFailureDetails {
  readonly sent: Sent;
  readonly cloudJobId: string | null;
  readonly lastObservation: Observation | null;
  readonly evidence?: AdoptionEvidence;
  readonly trail: readonly TrailEntry[];
  readonly attempts: number;
  readonly unseenForMs: number;
}

export interface SettleTargetArguments {
  readonly target: Target;
  readonly baseline: Pick<Baseline, 'lastJobId' | 'knownCloudJobIds'>;
  /** The reading before the step that is being settled; `null` before a first step. */
  readonly before: Observation | null;
  /** The action that may have been sent; `null` before a first step. */
  readonly action: Action | null;
  readonly cloudJobId: string | null;
  readonly sent: Sent;
  /** When the step was scheduled, for the evidence. */
  readonly scheduledAtMs: number;
  /** How long a POST that nobody saw may still become visible, counted from the start of this settle. */
  readonly unseenForMs: number;
  /** The limit of the settle itself. */
  readonly deadlineAtMs: number;
  readonly usualDurationMs: number;
  readonly limits: Limits;
}

export interface SettleTargetResult {
  /** `false`: the limit ran out, or a cloud job appeared that cannot be told to be ours. */
  readonly clear: boolean;
  readonly why: string;
  readonly observation: Observation | null;
  readonly sent: Sent;
  readonly cloudJobId: string | null;
  readonly evidence?: AdoptionEvidence;
}

/** What `run` hands to the child that acts on one target. */
export interface TargetRunArguments {
  readonly runbook: string;
  readonly targetPlan: TargetPlan;
  readonly onCancel: OnCancel;
  /** Of the whole run; kept inside the workflow. */
  readonly deadlineAtMs: number;
  readonly limits: Limits;
  /** The holder before ended without an answer: until then something it sent may still become visible. */
  readonly unseenUntilMs: number | null;
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
  /** What an earlier holder sent may still become visible until then; absent where there was none. */
  readonly unseenUntilMs?: number;
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
  readonly readInRunId?: string;
  /** Taken after a reset of the workflow: what an attempt before it sent may stay unseen that long. */
  readonly unseenForMs?: number;
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
  performAction(request: PerformActionArguments): Promise<PerformActionResult>;
  settleTarget(request: SettleTargetArguments): Promise<SettleTargetResult>;
}

/** Type of the failure by which an attempt that learns of a cancel from the server, before its worker does, says so. */
export const CANCELLED_AT_BARRIER = 'cancelled';
/** Query name of `run` and `targetRun`. */
export const PROGRESS_QUERY = 'progress';
/** Memo key a run writes its report to before it closes. */
export const REPORT_MEMO = 'report';
/** Memo key of a lease's holder: `LeaseHolder.unseenUntilMs`. */
export const UNSEEN_UNTIL_MEMO = 'unseenUntilMs';
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
