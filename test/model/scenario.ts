/** A scenario: everything that goes wrong in one interleaving, as plain data, so that a failing one can be taken apart. Durations are milliseconds. */
import type { Action } from '../../src/domain/target/actions.js';
import type { FailureName } from '../../src/domain/failures.js';
import type { Limits } from '../../src/domain/once/limits.js';
import type { OnCancel, OnFailure, PlannedCompensation } from '../../src/domain/plan/plan.js';
import type { InstanceState } from '../../src/simulator/effects.js';

/** Plain JSON, but for an infinite duration. */
export interface Scenario {
  /** What latencies and durations are drawn from; another one gives the same mishaps another timing. */
  readonly noise: number;
  readonly limits: Limits;
  readonly cloud: CloudHabits;
  readonly temporal: TemporalHabits;
  /** The plans of the runs that take the lease one after another. */
  readonly runs: readonly PlannedRun[];
  readonly faults: readonly Fault[];
  readonly blows: readonly TimedBlow[];
}

/** What ServiceStage does without being asked to be bad. */
export interface CloudHabits {
  readonly initial: InstanceState;
  /** `null`: there never was a cloud job on the instance. */
  readonly firstJobId: string | null;
  /** What an action gets while another cloud job is in flight. */
  readonly busy: 'reject' | 'accept';
  /** What an action gets in a state that it does not fit. */
  readonly wrongState: 'reject' | 'noop';
  readonly statusAfterFailure: 'before' | 'FAILED';
  /** Is it known who we are? */
  readonly ownUserKnown: boolean;
  /** Cloud jobs last at most twice as long as that. */
  readonly usualDurationMs: number;
  /** Everything is shown at most that long after it was accepted; the visibility window, unless the assumption is broken on purpose. */
  readonly longestLagMs: number;
}

/** What differs between servers, or is not known for certain. */
export interface TemporalHabits {
  /** The attempt after one that was running when it was reset has this number. */
  readonly attemptAfterReset: 1 | 2;
  /** Clocks of workers are up to that much off the server's. */
  readonly clockSkewMs: number;
}

/** A plan for the one target. */
export interface PlannedRun {
  readonly steps: readonly PlannedAction[];
  readonly onCancel: OnCancel;
  readonly deadlineMs: number;
  /** Nothing is begun that long after the run's start; absent where no gate closes. */
  readonly closesAfterMs?: number;
  /** After the run before it has closed. */
  readonly startsAfterMs: number;
}

/** A step of it. */
export interface PlannedAction {
  readonly action: Action;
  readonly deadlineMs: number;
  readonly stableMs: number;
  readonly onFailure: OnFailure;
  readonly compensation: PlannedCompensation;
}

/** Where a request can be struck. `job` is none: it is the cloud job of an accepted action. */
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
  /** The workflow hears of the end of what it waits for. */
  | 'task';

/** Strikes the n-th request at a site, 1 for the first, and those after it. */
export interface Fault {
  readonly site: Site;
  readonly nth: number;
  readonly times: number;
  readonly what: Mischief;
}

/** What is wrong with a request that is struck. */
export type Mischief =
  /** Answered, but not with what was asked for. */
  | {
      readonly kind: 'fails';
      readonly failure: FailureName;
      readonly retryAfterMs?: number;
      readonly tokenExpired?: true;
    }
  | { readonly kind: 'slow'; readonly ms: number }
  /** Never answered. */
  | { readonly kind: 'hangs' }
  /** Of a message to Temporal: the server took it, and its answer does not arrive. */
  | { readonly kind: 'answerLost' }
  /** Of a POST: it comes through or not, and no readable answer does. */
  | {
      readonly kind: 'lost';
      readonly arrives: boolean;
      readonly acceptedAfterMs: number;
      readonly answeredAfterMs: number;
    }
  | { readonly kind: 'refused'; readonly failure: FailureName }
  | { readonly kind: 'lags'; readonly idMs: number; readonly statusMs: number }
  /** `instanceStatus`: what the instance is left in, whatever the end. */
  | { readonly kind: 'ends'; readonly status: string; readonly instanceStatus?: string }
  | { readonly kind: 'lasts'; readonly ms: number }
  | { readonly kind: 'doesNotConverge' }
  | { readonly kind: 'unknownFor'; readonly ms: number }
  | { readonly kind: 'withoutTasksFor'; readonly ms: number }
  | { readonly kind: 'withoutCreator' }
  /** Of a dispatch: no worker is there, so the attempt is not started for a while. */
  | { readonly kind: 'noWorker'; readonly ms: number }
  /** Of a dispatch: started at the server, and only then on its way for a while. */
  | { readonly kind: 'deliveredLate'; readonly ms: number };

/** What blows are timed by. */
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
  | 'blow';

/** A blow and when it is struck. */
export interface TimedBlow {
  readonly after: Moment;
  /** 1 for the first. */
  readonly nth: number;
  readonly delayMs: number;
  readonly blow: Blow;
}

/** What happens from outside. */
export type Blow =
  /** To the newest attempt that lives, or to the one before it. */
  | { readonly kind: 'kill' }
  | { readonly kind: 'freeze'; readonly forMs: number }
  /** Nothing passes between the attempt and Temporal. */
  | { readonly kind: 'cutOff'; readonly forMs: number }
  /** Its worker stops, and is killed where that takes longer than `graceMs`. */
  | { readonly kind: 'stopWorker'; readonly graceMs: number }
  | { readonly kind: 'resetActivity'; readonly forgetting: boolean }
  | { readonly kind: 'pauseActivity'; readonly forMs: number; readonly resetting: boolean }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'terminate' }
  /** The run whose child holds the lease. */
  | { readonly kind: 'terminateRun' }
  /** `keep`: how many results of its history the new run keeps; a large number keeps all. */
  | { readonly kind: 'resetWorkflow'; readonly keep: number; readonly rescheduled: boolean }
  /** Somebody else acts. */
  | {
      readonly kind: 'colleague';
      readonly action: Action;
      readonly lasts: number;
      readonly idMs: number;
      readonly statusMs: number;
      readonly ends: string;
    }
  | { readonly kind: 'delete' };

/** By name. */
export type BlowKind = Blow['kind'];
