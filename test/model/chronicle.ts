/** What truly happened, as nobody in the model's world can know it all; what the invariants are held against. */
import type { Action } from '../../src/domain/target/actions.js';
import type { Known } from '../../src/domain/once/events.js';
import type { Ending } from '../../src/domain/once/state.js';
import type { Outcome, RemainingEffect, StepReport } from '../../src/domain/report/report.js';
import type { Observation } from '../../src/domain/target/target.js';
import type { InstanceState } from '../../src/simulator/effects.js';
import type { PlannedRun } from './scenario.js';

/** A cloud job, ours or somebody else's. */
export interface Job {
  readonly id: string;
  readonly action: Action;
  /** `null`: somebody else asked for it. */
  readonly post: Post | null;
  readonly createdBy: string | null;
  readonly acceptedAtMs: number;
  readonly idShownAtMs: number;
  readonly statusLagMs: number;
  /** Before it the API does not know it. */
  readonly knownAtMs: number;
  /** Before it there are no tasks. */
  readonly tasksAtMs: number;
  /** Infinity: never. */
  readonly endsAtMs: number;
  readonly endStatus: string;
  /** The status that it leaves the instance in; `null`: that of its action. */
  readonly leaves: string | null;
  readonly converges: boolean;
  /** Accepted, and changes nothing. */
  readonly isNoop: boolean;
  readonly before: InstanceState;
  /** Once it has ended. */
  after: InstanceState | null;
}

/** A POST whose first byte was let go. */
export interface Post {
  readonly decision: DecisionRecord;
  readonly attempt: AttemptRecord;
  readonly holder: HolderRecord;
  readonly sentAtMs: number;
  /** When the instance was as the newest reading before it showed it. */
  readonly readAtMs: number;
  job: Job | null;
}

/** One attempt of an activity. */
export interface AttemptRecord {
  readonly name: string;
  posts: number;
  ending: Ending | null;
  /** The server took what it ended with. */
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
  /** What makes it honest not to know: each kind of thing that happened to it. */
  readonly doubts: Set<string>;
  /** When the server had the last word on it, from its activity or its settle. */
  closedAtMs: number;
  /** The server took the final failure of an older attempt for the current one's, after a reset had repeated its number. */
  isMisheard: boolean;
}

/** One execution that held the lease. */
export interface HolderRecord {
  readonly runId: string;
  /** Executions that came from each other by resets share it. */
  readonly chainId: string;
  readonly plan: PlannedRun;
  readonly startedAtMs: number;
  closedAtMs: number | null;
  status: 'RUNNING' | 'COMPLETED' | 'TERMINATED';
  cancelRequestedAtMs: number | null;
  /** The execution whose first reading its decisions are made from; `null` before it. */
  readInRunId: string | null;
  readonly decisions: DecisionRecord[];
  report: TargetOfRun | null;
  /** The instance as it truly was when it closed. */
  leftAs: InstanceState | null;
}

/** What a run of one target reports. */
export interface TargetOfRun {
  readonly outcome: Outcome;
  readonly steps: readonly StepReport[];
  readonly compensations: readonly StepReport[];
  readonly remaining: readonly RemainingEffect[];
  readonly captured: Observation | null;
  /** Why it was not begun. */
  readonly failure: string | null;
}

/** Kinds of things that happened, and how often. */
export type Counts = Record<string, number>;

/** Everything that happened in one interleaving. */
export class Chronicle {
  readonly jobs: Job[] = [];
  readonly posts: Post[] = [];
  readonly holders: HolderRecord[] = [];
  readonly decisions = new Map<string, DecisionRecord>();
  /** Times at which a reading of ours was not answered as it should be. */
  readonly failedReadings: number[] = [];
  /** Broken rules of the contract between machine and interpreter, as they happened. */
  readonly breaches: string[] = [];
  readonly counts: Counts = {};

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
