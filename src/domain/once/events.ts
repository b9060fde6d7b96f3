/** What an attempt can be asked to do, and what it can learn: closed sets. Times are epoch milliseconds, durations milliseconds. */
import type { Action } from '../target/actions.js';
import type { CloudJob } from '../target/cloud-job.js';
import type { FailureName } from '../failures.js';
import type { Closing } from '../gates/gates.js';
import type { Observation, Target } from '../target/target.js';
import type { Interruption, OnceState } from './state.js';
import type { Limits } from './limits.js';

/** What does not change while a decision is carried out. */
export interface OnceRules {
  /** `null` if there is none: an instance is settled before a first step. */
  readonly action: Action | null;
  readonly target: Target;
  /** What was known before anything was sent. */
  readonly before: Known;
  readonly deadlineAtMs: number;
  /** Only until a first action was sent on the target: from `closing.atMs` on nothing is begun. */
  readonly closing?: Closing;
  readonly verify: { readonly withinMs: number; readonly stableMs: number };
  /** After a cancel: verify the desired state too, or only follow the cloud job to its end. */
  readonly verifyAfterCancel: boolean;
  readonly limits: Limits;
}

/** What is known of the instance before anything is sent; the same for every attempt. */
export interface Known {
  /** `null` before a first step. */
  readonly observation: Observation | null;
  /** The newest cloud job known. */
  readonly lastJobId: string | null;
  /** Every cloud job this run followed on the target, and every baseline. */
  readonly knownCloudJobIds: readonly string[];
  /** The state was reached by an action of this run that did not wait to see it hold. */
  readonly notHeld?: true;
}

/** `giveUpAtMs`: what has not been answered by then is given up, and the event is `timeUp`. */
export type Command =
  /** Is this attempt the current one? Then an acknowledged heartbeat. */
  | { readonly kind: 'askServer'; readonly giveUpAtMs: number }
  /** The send lease: an acknowledged heartbeat, then the question of `askServer` unless `isYoung`. */
  | { readonly kind: 'lease'; readonly isYoung: boolean; readonly giveUpAtMs: number }
  /** A place in the request budget, and credentials. */
  | { readonly kind: 'reserve'; readonly giveUpAtMs: number }
  /** Read the instance, after `inMs`. */
  | { readonly kind: 'read'; readonly inMs: number; readonly giveUpAtMs: number }
  /** Read a cloud job and who we are, so that it can be judged. */
  | { readonly kind: 'inspect'; readonly cloudJobId: string; readonly giveUpAtMs: number }
  | PollCommand
  /** Make the connection of the POST; it is `connected` before its first byte. */
  | { readonly kind: 'connect' }
  /** Let the first byte go. Nothing interrupts it from here to its answer. */
  | { readonly kind: 'send' }
  /** The attempt is over; how it ended is in `state.phase`. */
  | { readonly kind: 'end' };

/** Read the cloud job that is followed. When, up to `latestAtMs`, decides nothing, so the interpreter chooses it from the rest. */
export interface PollCommand {
  readonly kind: 'poll';
  readonly cloudJobId: string;
  readonly submittedAtMs: number;
  /** When this attempt began to follow it. */
  readonly sinceMs: number;
  /** Polls of this attempt so far. */
  readonly polls: number;
  /** The highest age of the cloud job at which a poll saw it running; `null` if none did. */
  readonly lastRunningAtMs: number | null;
  readonly latestAtMs: number;
  readonly giveUpAtMs: number;
}

/** What an attempt learns: the answer to a command, or something that happens beside it. */
export type Event =
  | {
      readonly kind: 'standing';
      readonly standing: Standing;
      /** The server reports that the attempt before this one timed out. */
      readonly isAfterTimeout?: true;
    }
  /** A heartbeat went out, so that the process is not frozen and the server counts on this attempt. */
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'reserved' }
  | ReadingEvent
  /** `job` is `null` if the API does not know it; `ownUserId` is `null` if our own user is unknown. */
  | { readonly kind: 'inspected'; readonly job: CloudJob | null; readonly ownUserId: string | null }
  /** `askedAtMs`: when it was asked. The answer may be read much later, by a process that was frozen. */
  | { readonly kind: 'polled'; readonly job: CloudJob; readonly askedAtMs: number }
  | { readonly kind: 'connected' }
  | { readonly kind: 'accepted'; readonly cloudJobId: string }
  /** The request failed; `request` shows whether a POST may have acted. */
  | RequestFailed
  | { readonly kind: 'timeUp' }
  | { readonly kind: 'interrupted'; readonly by: Interruption };

/** The instance was read. */
export interface ReadingEvent {
  readonly kind: 'reading';
  readonly reading: Observation;
  /** It shows the instance at this time or later. The answer may be slow, and a process that was frozen may read it much later. */
  readonly askedAtMs: number;
}

/** The events of these kinds. */
export type EventOf<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>;

/** The server's view of an attempt. `unclear`: it gave no answer. */
export type Standing = 'current' | 'cancelled' | 'superseded' | 'unclear';

/** A request to ServiceStage failed. */
export interface RequestFailed {
  readonly kind: 'failed';
  readonly failure: FailureName;
  readonly message: string;
  /** `no`: proved that it did not act. `refused`: ServiceStage answered that it will not. `unknown`: it may have acted. */
  readonly request: 'no' | 'refused' | 'unknown';
  /** How long to wait before asking again, if the answer names a time. */
  readonly retryAfterMs?: number;
  /** The next attempt has a new token. */
  readonly tokenExpired?: true;
}

/** What Temporal reports about an attempt. */
export interface AttemptFacts {
  readonly attempt: number;
  /** The run of the workflow that this attempt belongs to. */
  readonly runId: string;
  /** The workflow run that made the decision: another one than `runId` after a reset. */
  readonly decidedInRunId: string;
  /** When the step's activity was first scheduled. */
  readonly scheduledAtMs: number;
  /** When this attempt was scheduled; a reset or an unpause moves it. */
  readonly attemptScheduledAtMs: number;
}

/** What every rule of the machine is given. */
export interface At {
  readonly rules: OnceRules;
  /** By a clock that is never slower than the wall clock or the monotonic clock: a process that was frozen must notice that its lease is over. */
  readonly nowMs: number;
}

/** What follows from an event. */
export interface Step {
  readonly state: OnceState;
  /** `null` only after `interrupted` and `heartbeat`: what is under way continues. */
  readonly command: Command | null;
  /** The state must reach the server at once, in a heartbeat. */
  readonly record?: true;
}
