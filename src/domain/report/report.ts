/** The shape of the report: results of steps, outcomes of targets and runs. Users read it as JSON. */
import type { CheckEvidence } from '../checks/check.js';
import type { Action } from '../target/actions.js';
import type { UsualDuration } from '../durations/usual-duration.js';
import type { AdoptionEvidence } from '../once/state.js';
import type { TrailEntry } from '../once/trail.js';
import type { FailureRecord, Sent } from '../failures.js';
import type { ClosedGate } from '../gates/gates.js';
import type { Delivery } from '../notifications/delivery.js';
import type { RunEvent } from '../notifications/events.js';
import type { ApprovalCommandName, CommandName } from '../steering/command-names.js';
import type { Observation } from '../target/target.js';

/** How a step ended. `indeterminate`: readings do not show whether it was carried out. */
export type StepResult = 'succeeded' | 'skipped' | 'failed' | 'indeterminate' | 'cancelled';

/** Worst first. A run's outcome is the worst of its targets'. docs/guarantees.md explains each of them. */
export const OUTCOMES = [
  'indeterminate',
  'compensationFailed',
  'cancelled',
  'failed',
  'compensated',
  'refused',
  'expired',
  'succeeded',
] as const;
/** How a target, or a run, ended. */
export type Outcome = (typeof OUTCOMES)[number];

/** The worst of several outcomes; `succeeded` where there is none. */
export function worstOutcome(outcomes: readonly Outcome[]): Outcome {
  return OUTCOMES.find((outcome) => outcomes.includes(outcome)) ?? 'succeeded';
}

/** The command line's exit code for each outcome. 2 means wrong usage or configuration, 3 a server that cannot be reached. */
export const EXIT_CODES: Readonly<Record<Outcome, number>> = {
  succeeded: 0,
  failed: 10,
  compensated: 11,
  compensationFailed: 12,
  indeterminate: 13,
  cancelled: 14,
  refused: 15,
  expired: 16,
};

/** How long a step usually takes, from the POST until its desired state has held; `jobs` is 0 if that was declared. Milliseconds. */
export type UsualOfStep = Pick<UsualDuration, 'p50Ms' | 'p90Ms' | 'jobs'>;

/** How a step had ended when a person decided about it. Times are epoch milliseconds. */
export interface DecidedUpon {
  readonly result: StepResult;
  readonly sent: Sent;
  readonly cloudJobId: string | null;
  readonly endedAtMs: number;
  readonly failure?: FailureRecord;
  /** Only of a retry: what the attempts before it decided, oldest first. Cut to 2 KB; absent in short forms of the report. */
  readonly trail?: readonly TrailEntry[];
}

/** An accepted command, as the report keeps it. */
export interface CommandRecord {
  readonly command: CommandName;
  readonly actor: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly key?: string;
  /** The blocked step, or the step that asked for an approval. */
  readonly step?: string;
  /** The target whose step asked for an approval. */
  readonly target?: string;
  /** Roles that a signed approval proves. */
  readonly roles?: readonly string[];
  /** The issuer whose token proves the actor. Absent: the server proves nothing about the actor. */
  readonly signedBy?: string;
  /** What the instance was read to be before the decision was carried out, or why it could not be read. */
  readonly found?: string;
  readonly was?: DecidedUpon;
}

/** The vote of one person on an approval. */
export interface ApprovalVote extends Pick<CommandRecord, 'actor' | 'reason' | 'atMs' | 'roles' | 'signedBy'> {
  readonly command: ApprovalCommandName;
}

/** An approval that a run, or a step, asked for. Times are epoch milliseconds. */
export interface ApprovalReport {
  readonly result: 'approved' | 'rejected' | 'expired' | 'cancelled';
  readonly need: number;
  /** Empty: anybody. */
  readonly roles: readonly string[];
  readonly notRequester: boolean;
  readonly askedAtMs: number;
  readonly endedAtMs: number;
  /** Oldest first. */
  readonly votes: readonly ApprovalVote[];
}

/** How one step, or one undo, went. Times are epoch milliseconds. */
export interface StepReport {
  readonly id: string;
  /** `null` for a wait, a check and an approval. */
  readonly action: Action | null;
  readonly result: StepResult;
  readonly sent: Sent;
  /** The cloud job that was followed. */
  readonly cloudJobId: string | null;
  /**
   * Between these ages it ended, in milliseconds since its POST was accepted: the highest at which it was seen running (0 if never), and that at
   * which it had ended. Absent where its end was not seen, and where it was adopted.
   */
  readonly cloudJobTook?: { readonly runningAtMs: number; readonly endedByMs: number };
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly before: Observation | null;
  readonly after: Observation | null;
  /** How many attempts Temporal started; 0 where none was scheduled. */
  readonly attempts: number;
  /** What each attempt decided, oldest first. After a retry, that of the attempts since; `decisions` has those before. */
  readonly trail: readonly TrailEntry[];
  /** The newest action of the run reached its state, and by the end of this step no step had seen it hold, because another action was to follow at once. */
  readonly notHeld?: true;
  /** Why a cloud job that was found later counts as ours. */
  readonly evidence?: AdoptionEvidence;
  /** Only of a check: its last request. Absent where none was made, and in short forms of the report. */
  readonly check?: CheckEvidence;
  /** How long such a step usually took when the run was planned. Only where something was sent. */
  readonly usual?: UsualOfStep;
  readonly failure?: FailureRecord;
  /** What people decided about it while it was blocked, oldest first. Only then: its times include the waits for them. */
  readonly decisions?: readonly CommandRecord[];
  /** Only for a step that asks for an approval. */
  readonly approval?: ApprovalReport;
}

/** The effect of a step that stays: it is declared irreversible, or its undo was not sent. */
export interface RemainingEffect {
  readonly stepId: string;
  readonly action: Action;
  readonly why: string;
  readonly kind: 'irreversible' | 'declaredNone' | 'notUndone';
}

/**
 * What the report of a target leaves out, because Temporal limits sizes. `trails`: trails and long texts are cut. `short`: steps have no
 * readings and trails. `bare`: there are no steps. The last two occur only in a run's report; the target's own workflow has a longer one.
 */
export type TargetCut = 'trails' | 'short' | 'bare';

/** How much a run's report leaves out. `RunbookClient` reads the rest from the targets' own workflows. */
export interface ReportCut {
  /** How many targets are cut, each as its own `cut` describes. */
  readonly targets: number;
  /** How many of the oldest lines of `gates` are left out. */
  readonly gates: number;
  /** How many of the oldest `commands` are left out. Absent: none. */
  readonly commands?: number;
  /** How many of the oldest `notifications` are left out. Absent: none. */
  readonly notifications?: number;
  /** How many targets are in neither `targets` nor `notStarted`. */
  readonly dropped: number;
}

/** How one target went. */
export interface TargetReport {
  /** `application/component/instance`. */
  readonly path: string;
  readonly instanceId: string;
  readonly leaseId: string;
  readonly outcome: Outcome;
  readonly steps: readonly StepReport[];
  /** Ids of planned steps that were never begun. */
  readonly notReached: readonly string[];
  /** Ids of checks that the plan does not have, because the input that is their URL is empty. Absent: none. */
  readonly checksLeftOut?: readonly string[];
  /** Undos, in the order in which they were sent. */
  readonly compensations: readonly StepReport[];
  readonly remaining: readonly RemainingEffect[];
  /** Read at rest, under the lease, before the first step. `null` if there was none. */
  readonly captured: Observation | null;
  /** The newest reading of this run; `null` if there is none. */
  readonly lastSeen: Observation | null;
  readonly failure?: FailureRecord;
  /** Run id of the target's own workflow, whose workflow id is `leaseId` and whose result is this report. Absent where none was started. */
  readonly childRunId?: string;
  /** Absent where the report is whole. */
  readonly cut?: TargetCut;
}

/** Checks in a row that found a gate closed for the same reason, or the check that found it open after a wait. Times are epoch milliseconds. */
export interface GateReport {
  /** The target that was due. */
  readonly target: string;
  readonly firstLookAtMs: number;
  readonly lastLookAtMs: number;
  readonly looks: number;
  /** `null`: it was open, after a wait. */
  readonly failure: ClosedGate['failure'] | null;
  readonly why: string | null;
  /** The earliest moment at which it could open, as far as was known. */
  readonly opensAtMs: number | null;
}

/** What came of notifying one webhook of one event. */
export interface NotificationReport extends Omit<Delivery, 'detail'> {
  readonly event: RunEvent;
  /** When it happened, epoch milliseconds. */
  readonly atMs: number;
  /** Why it was not delivered. Absent if it was. */
  readonly detail?: string;
}

/** One execution of a run. */
export interface RunName {
  readonly workflowId: string;
  /** A run that was reset has several. */
  readonly runId: string;
}

/** How a run went: its result, or the details of its failure. Times are epoch milliseconds. */
export interface RunReport {
  readonly reportVersion: 1;
  readonly runbook: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly outcome: Outcome;
  /** One sentence for people. */
  readonly summary: string;
  readonly planHash: string | null;
  readonly requestedBy: string | null;
  readonly reason: string | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly targets: readonly TargetReport[];
  /** Paths of targets that were never started. */
  readonly notStarted: readonly string[];
  /** Only where a gate was closed. */
  readonly gates?: readonly GateReport[];
  /** Who called the run off before it started a target. Absent if it was not called off. */
  readonly withdrawnBy?: string;
  /** Commands to the run, oldest first. Those to its targets are with their steps. Absent if there was none. */
  readonly commands?: readonly CommandRecord[];
  /** The approval that the whole run asked for before it began. Those of steps are with their steps. */
  readonly approval?: ApprovalReport;
  /** What came of notifying webhooks, oldest first. Absent if none was notified. */
  readonly notifications?: readonly NotificationReport[];
  /** The earlier run that this one resumes. Absent if it resumes none, or could not be planned. */
  readonly resumes?: RunName;
  readonly failure?: FailureRecord;
  /** Absent where the report is whole. Long texts are cut as well. */
  readonly cut?: ReportCut;
}
