/**
 * A scenario: everything that goes wrong in one interleaving, as plain data, so that a failing scenario can be reduced. Durations are
 * milliseconds.
 */
import type { Action } from '../../src/domain/target/actions.js';
import type { FailureName } from '../../src/domain/failures.js';
import type { Limits } from '../../src/domain/once/limits.js';
import type {
  ApprovalRules,
  ExpectedCounts,
  OnCancel,
  OnFailure,
  PlannedCompensation,
} from '../../src/domain/plan/plan.js';
import type {
  ApprovalCommandName,
  RunCommandName,
  TargetCommandName,
} from '../../src/domain/steering/command-names.js';
import type { InstanceState } from '../../src/simulator/effects.js';

/** Plain JSON, except that a duration can be infinite. */
export interface Scenario {
  /** The seed of latencies and durations; another one gives the same mishaps different timing. */
  readonly noise: number;
  readonly limits: Limits;
  readonly cloud: CloudHabits;
  readonly temporal: TemporalHabits;
  /** The plans of the runs that hold the lease one after another. */
  readonly runs: readonly PlannedRun[];
  readonly faults: readonly Fault[];
  readonly disruptions: readonly TimedDisruption[];
}

/** How ServiceStage behaves without any fault. */
export interface CloudHabits {
  readonly initial: InstanceState;
  /** `null`: there has never been a cloud job on the instance. */
  readonly firstJobId: string | null;
  /** The answer to an action while another cloud job is in flight. */
  readonly busy: 'reject' | 'accept';
  /** The answer to an action that does not fit the state of the instance. */
  readonly wrongState: 'reject' | 'noop';
  readonly statusAfterFailure: 'before' | 'FAILED';
  /** True if our own user id is known. */
  readonly ownUserKnown: boolean;
  /** Cloud jobs last at most twice this long. */
  readonly usualDurationMs: number;
  /**
   * Everything is visible at most this long after it was accepted: within the visibility window, unless a scenario breaks that assumption on
   * purpose.
   */
  readonly longestLagMs: number;
}

/** What differs between servers, or is not known for certain. */
export interface TemporalHabits {
  /** The number of the attempt after one that was running when it was reset. */
  readonly attemptAfterReset: 1 | 2;
  /** Clocks of workers differ from the server's by at most this much. */
  readonly clockSkewMs: number;
  /** The probability that an attempt is given to a worker of another project; absent if there is none. */
  readonly elsewhere?: number;
}

/** A plan for the only target. */
export interface PlannedRun {
  readonly steps: readonly PlannedAction[];
  readonly onCancel: OnCancel;
  readonly deadlineMs: number;
  /** Nothing is begun later than this after the start of the run; absent if no gate closes. */
  readonly closesAfterMs?: number;
  /** What the operator decides about blocked steps, one after another; absent if no one is waited for. */
  readonly operator?: readonly OperatorMove[];
  /** Commands to the run; absent if no one gives any. */
  readonly commands?: readonly RunCommand[];
  /** Approvals and checks between the actions; absent: none. */
  readonly asides?: readonly PlannedAside[];
  /** What people have to approve before anything is done; absent: nothing. */
  readonly approval?: ApprovalRules;
  /** How people vote on approvals. Only with `commands`, if it is an empty list. */
  readonly votes?: readonly PlannedVote[];
  /** Only a signed vote counts. */
  readonly isSigned?: true;
  /** It resumes the run that has closed, and has its steps. */
  readonly resumes?: Resuming;
  /** The delay after the previous run has closed. */
  readonly startsAfterMs: number;
}

/** A step without an action, before the action with the same position; 0 is the first. */
export type PlannedAside = PlannedCheck | PlannedApproval;

interface Aside {
  /** Only where an earlier run has named it. */
  readonly id?: string;
  readonly at: number;
  readonly onFailure: Extract<OnFailure, 'compensate' | 'abort'>;
}

/** An approval that a step asks for. */
interface PlannedApproval extends Aside {
  readonly kind: 'approval';
  readonly rules: ApprovalRules;
}

/** A check, and how the site answers it. */
export interface PlannedCheck extends Omit<Aside, 'onFailure'> {
  readonly kind: 'check';
  readonly onFailure: OnFailure;
  /** It comes before the first action, wherever it is planned. */
  readonly before: boolean;
  readonly withinMs: number;
  readonly stableMs: number;
  readonly timeoutMs: number;
  /** From when on, milliseconds after the first request, it answers how; as wanted before the first. */
  readonly site: readonly { readonly fromMs: number; readonly answers: 'wanted' | 'wrong' | 'nothing' | 'forbidden' }[];
  /** When the worker that asks is lost, milliseconds after the first request. */
  readonly lostAtMs: readonly number[];
}

/** One vote of a person. */
export interface PlannedVote {
  readonly command: ApprovalCommandName;
  /** `ann` has requested every run. */
  readonly actor: string;
  /** After the run began, or after each approval was asked for. */
  readonly since: 'begin' | 'asked';
  readonly afterMs: number;
  /** How long after it the same one comes again with the same key; `null`: never. */
  readonly againAfterMs: number | null;
  /** How long it takes from the run to the target. */
  readonly passedOnMs: number;
  /** It names the plan of another run. */
  readonly isOfAnotherPlan?: true;
  /** Whose the token is, and how long it takes to verify it; `null`: it proves nothing. Absent: it has none. */
  readonly token?: {
    readonly proves: string | null;
    readonly verifyMs: number;
    /** The worker of the target cannot verify it: another file of keys, or it has expired meanwhile. */
    readonly isLostOnTarget?: true;
  };
}

/** How a run is resumed. */
export interface Resuming {
  /** How long before the lease is taken it is planned. */
  readonly plannedMs: number;
  /** It was planned when the run before it was, which resumes the same one. */
  readonly isTwin?: true;
}

/** What an operator decides, and how long after a step was blocked; `null`: no one decides in time. */
export interface OperatorMove {
  readonly afterMs: number;
  readonly command: TargetCommandName | null;
  /** Another decision at the same moment, with a key of its own. */
  readonly beside?: TargetCommandName;
  /** How long after it the same decision comes again with the same key; `atNextBlock`: as soon as a step is blocked again. */
  readonly againAfterMs?: number | 'atNextBlock';
}

/** A command to the run. */
export interface RunCommand {
  readonly command: RunCommandName;
  /** Absent: after the run began. */
  readonly since?: 'asked';
  /** After the run began, or after the first approval was asked for. */
  readonly afterMs: number;
  /** How long after it the same one comes again with the same key; `null`: never. */
  readonly againAfterMs: number | null;
  /** How long it takes to reach the target. */
  readonly passedOnMs: number;
}

/** One action of a plan. */
export interface PlannedAction {
  /** Only where an earlier run has named it. */
  readonly id?: string;
  /** Only in a run that resumes another one. */
  readonly expects?: ExpectedCounts | undefined;
  readonly action: Action;
  readonly deadlineMs: number;
  readonly stableMs: number;
  /** As in `ActionStep`: another action follows at once. */
  readonly holds?: false;
  readonly onFailure: OnFailure;
  readonly compensation: PlannedCompensation;
}

/** Where a fault can be injected. `job` is not a request: it is the cloud job of an accepted action. */
export type Site =
  | 'observe'
  | 'read'
  | 'poll'
  | 'inspect'
  | 'reserve'
  | 'connect'
  | 'post'
  | 'job'
  | 'heartbeat'
  | 'ask'
  | 'report'
  | 'dispatch'
  /** The workflow receives the result that it waits for. */
  | 'task';

/** Hits `times` requests at a site, from the n-th on; 1 is the first. */
export interface Fault {
  readonly site: Site;
  readonly nth: number;
  readonly times: number;
  readonly what: FaultEffect;
}

/** What a fault does to a request. */
export type FaultEffect =
  /** The answer is an error. */
  | {
      readonly kind: 'fails';
      readonly failure: FailureName;
      readonly retryAfterMs?: number;
      readonly tokenExpired?: true;
    }
  | { readonly kind: 'slow'; readonly ms: number }
  /** There is no answer. */
  | { readonly kind: 'hangs' }
  /** For a message to Temporal: the server receives it, but its answer does not arrive. */
  | { readonly kind: 'answerLost' }
  /** For a POST: it may or may not arrive, and no readable answer comes back. */
  | {
      readonly kind: 'lost';
      readonly arrives: boolean;
      readonly acceptedAfterMs: number;
      readonly answeredAfterMs: number;
    }
  | { readonly kind: 'refused'; readonly failure: FailureName }
  | { readonly kind: 'lags'; readonly idMs: number; readonly statusMs: number }
  /** `instanceStatus`: the status that the instance is left in, whatever the end. */
  | { readonly kind: 'ends'; readonly status: string; readonly instanceStatus?: string }
  | { readonly kind: 'lasts'; readonly ms: number }
  | { readonly kind: 'doesNotConverge' }
  | { readonly kind: 'unknownFor'; readonly ms: number }
  | { readonly kind: 'withoutTasksFor'; readonly ms: number }
  | { readonly kind: 'withoutCreator' }
  /** For a dispatch: no worker is available, so the attempt starts late. */
  | { readonly kind: 'noWorker'; readonly ms: number }
  /** For a dispatch: the server has started the attempt, but it reaches its worker late. */
  | { readonly kind: 'deliveredLate'; readonly ms: number };

/** Moments that trigger disruptions. */
export type Moment =
  | 'runBegins'
  | 'attemptBegins'
  | 'attemptEnds'
  | 'reading'
  | 'connecting'
  | 'sending'
  | 'accepted'
  | 'answered'
  | 'jobEnds'
  | 'heartbeatTaken'
  | 'settleBegins'
  | 'retryWaits'
  | 'disruption';

/** A disruption and its moment. */
export interface TimedDisruption {
  readonly after: Moment;
  /** 1 for the first. */
  readonly nth: number;
  readonly delayMs: number;
  readonly disruption: Disruption;
}

/** What happens from outside. */
export type Disruption =
  /** Affects the newest attempt that is alive. */
  | { readonly kind: 'kill' }
  | { readonly kind: 'freeze'; readonly forMs: number }
  /** No message passes between the attempt and Temporal. */
  | { readonly kind: 'cutOff'; readonly forMs: number }
  /** The worker stops, and is killed if that takes longer than `graceMs`. */
  | { readonly kind: 'stopWorker'; readonly graceMs: number }
  | { readonly kind: 'resetActivity'; readonly forgetting: boolean }
  | { readonly kind: 'pauseActivity'; readonly forMs: number; readonly resetting: boolean }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'terminate' }
  /** Terminates the run whose child holds the lease. */
  | { readonly kind: 'terminateRun' }
  /** `keep`: how many results of its history the new run keeps; a large number keeps all. */
  | { readonly kind: 'resetWorkflow'; readonly keep: number; readonly rescheduled: boolean }
  /** Somebody else acts on the instance. */
  | {
      readonly kind: 'foreignAction';
      readonly action: Action;
      readonly lasts: number;
      readonly idMs: number;
      readonly statusMs: number;
      readonly ends: string;
    }
  | { readonly kind: 'delete' };

/** The name of a kind of disruption. */
export type DisruptionKind = Disruption['kind'];
