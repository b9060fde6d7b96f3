/** What truly happened, which no part of the model's world can fully see. The invariants are checked against it. */
import type { Action } from '../../src/domain/target/actions.js';
import type { Known } from '../../src/domain/once/events.js';
import type { Ending } from '../../src/domain/once/state.js';
import type { ApprovalRules } from '../../src/domain/plan/plan.js';
import type { ApprovalReport, Outcome, RemainingEffect, StepReport } from '../../src/domain/report/report.js';
import type { ApprovalCommandName } from '../../src/domain/steering/command-names.js';
import type { Observation } from '../../src/domain/target/target.js';
import type { InstanceState } from '../../src/simulator/effects.js';
import type { PlannedCheck, PlannedRun } from './scenario.js';

/** A cloud job, ours or somebody else's. */
export interface Job {
  readonly id: string;
  readonly action: Action;
  /** `null`: somebody else requested it. */
  readonly post: Post | null;
  readonly createdBy: string | null;
  readonly acceptedAtMs: number;
  readonly idShownAtMs: number;
  readonly statusLagMs: number;
  /** Until then the API does not know it. */
  readonly knownAtMs: number;
  /** Until then it shows no tasks. */
  readonly tasksAtMs: number;
  /** Infinity: never. */
  readonly endsAtMs: number;
  readonly endStatus: string;
  /** The status that it leaves the instance in; `null`: that of its action. */
  readonly leaves: string | null;
  readonly converges: boolean;
  /** Accepted, but changes nothing. */
  readonly isNoop: boolean;
  readonly before: InstanceState;
  /** Set when it has ended. */
  after: InstanceState | null;
}

/** A POST whose first byte was sent. */
export interface Post {
  readonly decision: DecisionRecord;
  readonly attempt: AttemptRecord;
  readonly holder: HolderRecord;
  readonly sentAtMs: number;
  /** The time of the state that the newest reading before the POST showed. */
  readonly readAtMs: number;
  job: Job | null;
}

/** One attempt of an activity. */
export interface AttemptRecord {
  readonly name: string;
  posts: number;
  ending: Ending | null;
  /** True if the server accepted its result. */
  isTaken: boolean;
}

/** One decision to act. A reset that schedules it again with the same baseline does not make a second one. */
export interface DecisionRecord {
  readonly key: string;
  readonly decidedInRunId: string;
  readonly stepId: string;
  readonly action: Action;
  readonly before: Known;
  readonly scheduledAtMs: number;
  deadlineAtMs: number;
  readonly posts: Post[];
  readonly attempts: AttemptRecord[];
  /** Everything that happened to the decision and can leave its result unknown. */
  readonly doubts: Set<string>;
  /** When the server received the final result of its activity or its settle. */
  closedAtMs: number;
  /** After a reset repeated a number, the server accepted the final failure of an older attempt as that of the current one. */
  isMisheard: boolean;
}

/** A decision that nothing was done about yet. Written out, because copying its parts took 3 % of the time of the model. */
export function newDecision(
  given: Omit<DecisionRecord, 'posts' | 'attempts' | 'doubts' | 'closedAtMs' | 'isMisheard'>,
): DecisionRecord {
  return {
    key: given.key,
    decidedInRunId: given.decidedInRunId,
    stepId: given.stepId,
    action: given.action,
    before: given.before,
    scheduledAtMs: given.scheduledAtMs,
    deadlineAtMs: given.deadlineAtMs,
    posts: [],
    attempts: [],
    doubts: new Set(),
    closedAtMs: 0,
    isMisheard: false,
  };
}

/** One execution that held the lease. */
export interface HolderRecord {
  readonly runId: string;
  /** Shared by all executions that resets made from one another. */
  readonly chainId: string;
  readonly plan: PlannedRun;
  /** Names the run: every plan has a hash of its own. */
  readonly planHash: string;
  /** When the time of the run is over if no one is waited for. */
  readonly deadlineAtMs: number;
  readonly startedAtMs: number;
  closedAtMs: number | null;
  status: 'RUNNING' | 'COMPLETED' | 'TERMINATED';
  cancelRequestedAtMs: number | null;
  /** The execution that read the state which all its decisions start from; `null` before that. */
  readInRunId: string | null;
  readonly decisions: DecisionRecord[];
  /** How long it has waited for people, up to when. */
  readonly waits: { readonly fromMs: number; readonly untilMs: number }[];
  report: TargetOfRun | null;
  /** The true state of the instance when the execution closed. */
  leftAs: InstanceState | null;
}

/** The report of a run on one target. */
export interface TargetOfRun {
  readonly outcome: Outcome;
  readonly steps: readonly StepReport[];
  readonly compensations: readonly StepReport[];
  readonly remaining: readonly RemainingEffect[];
  readonly captured: Observation | null;
  /** Why the run did not begin. */
  readonly failure: string | null;
}

/** A time for which the state of a run is `paused`, or its target is held. */
export interface Pause {
  readonly chainId: string;
  readonly fromMs: number;
  /** Infinity while it lasts. */
  untilMs: number;
}

/** An approval that people were asked for. */
export interface AskRecord {
  /** That of the run that asks. */
  readonly planHash: string;
  /** The execution that asks; empty: the run itself does, for all of it. */
  readonly runId: string;
  /** `null`: the whole run. */
  readonly step: string | null;
  readonly rules: ApprovalRules;
  readonly askedAtMs: number;
  endedAtMs: number | null;
  report: ApprovalReport | null;
}

/** A vote that somebody gave. */
export interface VoteRecord {
  /** Hash of the plan of the run that it was sent to. */
  readonly run: string;
  /** Hash of the plan that it names. */
  readonly planHash: string;
  readonly key: string;
  readonly command: ApprovalCommandName;
  /** Who it is; `null` if nothing proves that and it has to be proved. */
  readonly person: string | null;
  readonly atMs: number;
  /** How long it takes to the target at most. */
  readonly passedOnMs: number;
  answeredAtMs: number | null;
  answer: 'accepted' | 'repeated' | 'refused' | null;
  /** Why it was refused; `null` if it was not. */
  why: string | null;
  /** The run counts it, and the target cannot. */
  readonly isLost: boolean;
  /** The approval that it counts for, as the run knows it; `step` is `null` for the whole run. */
  open: { readonly step: string | null; readonly askedAtMs: number } | null;
}

/** One execution of a check. */
export interface CheckRecord {
  readonly runId: string;
  readonly step: string;
  readonly check: PlannedCheck;
  readonly startedAtMs: number;
  readonly deadlineAtMs: number;
  readonly requests: {
    readonly attempt: number;
    readonly sentAtMs: number;
    readonly answeredAtMs: number;
    readonly isWanted: boolean;
  }[];
  end: 'passed' | 'failed' | 'late' | null;
}

/** A run that was to continue another one. */
export interface ResumeRecord {
  /** Hash of the plan of the earlier run. */
  readonly of: string;
  /** Hash of its own plan; `null` if it was refused. */
  readonly planHash: string | null;
  readonly atMs: number;
  /** `null` if it was not refused. */
  readonly refused: string | null;
}

/** How often each kind of thing happened. */
export type Counts = Record<string, number>;

/** Everything that happened in one interleaving. */
export class GroundTruth {
  readonly jobs: Job[] = [];
  readonly posts: Post[] = [];
  readonly holders: HolderRecord[] = [];
  readonly decisions = new Map<string, DecisionRecord>();
  /** Times of our readings that got no proper answer. */
  readonly failedReadings: number[] = [];
  /** When the state of a run was `paused`. */
  readonly pauses: Pause[] = [];
  /** When a target had the order to begin no step. */
  readonly holds: Pause[] = [];
  /** When a step began to wait for a decision. */
  readonly blocks: { readonly step: string; readonly atMs: number }[] = [];
  readonly asks: AskRecord[] = [];
  readonly votes: VoteRecord[] = [];
  readonly checks: CheckRecord[] = [];
  readonly resumes: ResumeRecord[] = [];
  /** Commands that counted twice, or beside one another. */
  readonly miscounted: string[] = [];
  /** Broken rules of the contract between machine and interpreter, in order. */
  readonly breaches: string[] = [];
  readonly counts: Counts = {};

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
