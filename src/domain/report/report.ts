/** Results of steps, outcomes of targets and runs, and the shapes of the report and of the progress query. */
import type { Action } from '../target/actions.js';
import type { AdoptionEvidence } from '../once/evidence.js';
import type { TrailEntry } from '../once/trail.js';
import type { FailureRecord, Sent } from '../failures.js';
import type { ClosedGate, WaitingForGate } from '../gates/gates.js';
import type { Observation } from '../target/target.js';

export type StepResult = 'succeeded' | 'skipped' | 'failed' | 'indeterminate' | 'cancelled';

/** In order of severity, worst first; `succeeded` last. A run's outcome is the worst of its targets'. */
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
export type Outcome = (typeof OUTCOMES)[number];

/** Exit code of the command line, by outcome. 2 is usage or configuration, 3 a server that cannot be reached. */
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

/** One step, or one undo, as it went. Times are epoch milliseconds. */
export interface StepReport {
  readonly id: string;
  /** `null` for a wait. */
  readonly action: Action | null;
  readonly result: StepResult;
  readonly sent: Sent;
  /** The cloud job that was followed. */
  readonly cloudJobId: string | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly before: Observation | null;
  readonly after: Observation | null;
  /** How many attempts Temporal made; 0 where none was scheduled. */
  readonly attempts: number;
  /** What each attempt decided, oldest first. */
  readonly trail: readonly TrailEntry[];
  /** Why a cloud job found later was taken as ours. */
  readonly evidence?: AdoptionEvidence;
  readonly failure?: FailureRecord;
}

/** An effect that stays: declared irreversible, or one whose undo was not sent. */
export interface RemainingEffect {
  readonly stepId: string;
  readonly action: Action;
  readonly why: string;
  readonly kind: 'irreversible' | 'declaredNone' | 'notUndone';
}

/**
 * What a report of a target leaves out, since Temporal limits sizes. `trails`: trails and long texts are cut. `short`: steps stand without
 * readings and trails. `bare`: there are no steps. The last two are forms of a run's report; the target's own workflow has left a longer one.
 */
export type TargetCut = 'trails' | 'short' | 'bare';

/** How much a run's report leaves out; `RunbookClient` reads what stands elsewhere. */
export interface ReportCut {
  /** Targets of which not all is told: see their own `cut`. */
  readonly targets: number;
  /** Lines of `gates`, the oldest. */
  readonly gates: number;
  /** Targets that do not stand in `targets` or `notStarted` at all. */
  readonly dropped: number;
}

export interface TargetReport {
  /** `application/component/instance`. */
  readonly path: string;
  readonly instanceId: string;
  readonly leaseId: string;
  readonly outcome: Outcome;
  readonly steps: readonly StepReport[];
  /** Ids of planned steps that were never begun. */
  readonly notReached: readonly string[];
  /** Undos, in the order they were sent. */
  readonly compensations: readonly StepReport[];
  readonly remaining: readonly RemainingEffect[];
  /** At rest, under the lease, before the first step. */
  readonly captured: Observation | null;
  /** The newest reading of this run. */
  readonly lastSeen: Observation | null;
  readonly failure?: FailureRecord;
  /** Run id of the target's own workflow, whose id is `leaseId` and whose result is its report. Absent where none was started. */
  readonly childRunId?: string;
  /** Absent where the report is whole. */
  readonly cut?: TargetCut;
}

/** Looks at a gate that were closed for one reason, or the look that found it open after a wait. Times are epoch milliseconds. */
export interface GateReport {
  /** The target that was to be begun. */
  readonly target: string;
  readonly firstLookAtMs: number;
  readonly lastLookAtMs: number;
  readonly looks: number;
  /** `null`: it was open, after a wait. */
  readonly failure: ClosedGate['failure'] | null;
  readonly why: string | null;
  /** The earliest moment it could open, as far as was known. */
  readonly opensAtMs: number | null;
}

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
  /** Paths of targets that were never begun. */
  readonly notStarted: readonly string[];
  /** Only where a gate was closed. */
  readonly gates?: readonly GateReport[];
  /** Only where the run was called off before it began a target: by whom. */
  readonly withdrawnBy?: string;
  readonly failure?: FailureRecord;
  /** Absent where the report is whole. Long texts are cut as well. */
  readonly cut?: ReportCut;
}

/** Why a step under way fails again and again. Times are epoch milliseconds; `null` where the server does not say. */
export interface StepRetrying {
  readonly reason: string;
  /** Attempts, or readings, that failed in a row. */
  readonly failures: number;
  readonly sinceMs: number | null;
  /** It is tried again until then. */
  readonly untilMs: number | null;
  /** When the next attempt begins; `null` while one is under way. */
  readonly nextAttemptAtMs: number | null;
}

/** A step while the run is under way. */
export interface StepProgress {
  readonly id: string;
  /** `stop`, `scale replica=4`, `wait 60s`; undos begin with `undo: `. */
  readonly title: string;
  readonly state: 'pending' | 'running' | StepResult;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly cloudJobId: string | null;
  /** What was seen last, in words. */
  readonly seen: string | null;
  /** Why it did not succeed, in one line. */
  readonly failure: string | null;
  /** Only of a running step, while it fails: read from its pending activity. */
  readonly retrying?: StepRetrying;
}

/** Answer of `targetRun` to the query `progress`. */
export interface TargetProgress {
  readonly path: string;
  readonly phase: 'observing' | 'running' | 'settling' | 'compensating' | 'finished';
  readonly seen: string | null;
  readonly steps: readonly StepProgress[];
  readonly compensations: readonly StepProgress[];
  readonly outcome: Outcome | null;
}

/** Answer of a run to the query `progress`. Ask each target's child by `childRunId`: the lease id is used again by the next run. */
export interface RunProgress {
  readonly runbook: string;
  readonly phase: 'planning' | 'waiting' | 'running' | 'finished';
  /** What a waiting run waits for. */
  readonly waiting?: WaitingForGate;
  readonly planHash: string | null;
  readonly startedAtMs: number;
  readonly targets: readonly TargetInRun[];
  readonly outcome: Outcome | null;
}

export interface TargetInRun {
  readonly path: string;
  readonly leaseId: string;
  readonly childRunId: string | null;
  readonly outcome: Outcome | null;
}

/** The worst outcome of several; `succeeded` for none. */
export function worstOutcome(outcomes: readonly Outcome[]): Outcome {
  return OUTCOMES.find((outcome) => outcomes.includes(outcome)) ?? 'succeeded';
}
