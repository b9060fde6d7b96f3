/**
 * `OnceState`: all that is known of one decision to act, over all its attempts. It is the heartbeat details of the step's activity, the
 * details of its failure and its result. Plain JSON; times are epoch milliseconds.
 */
import type { FailureName, Sent } from '../failures.js';
import type { SeenTasks } from '../target/cloud-job-tasks.js';
import type { Observation } from '../target/target.js';
import type { Retrying } from './retrying.js';
import { jsonBytes } from '../text/json-bytes.js';
import { trailWithin, type TrailEntry } from './trail.js';

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

/** What an attempt hands to the next one, to the workflow and to the report. */
export interface OnceState {
  /** Number of the attempt that wrote it. */
  readonly attempt: number;
  /** When it was written. */
  readonly atMs: number;
  /** May ServiceStage have acted for this decision, over all attempts up to this one? `unknown` from when the send lease is asked for. */
  readonly sent: Sent;
  /** The same when this attempt began: what earlier attempts may have done. */
  readonly sentBefore: Sent;
  /**
   * No attempt is known to have asked for the send lease, so most likely nothing was sent. This does not prove it, because an operator can clear
   * heartbeats. A restart may be sent if nothing shows during the whole visibility window either.
   */
  readonly isUnleased: boolean;
  /** Known if and only if `sent` is `yes`. */
  readonly cloudJob: FollowedJob | null;
  /**
   * Until then something sent earlier may still appear, or an earlier attempt may still send; 0 if nothing is outstanding. Before that time nothing
   * is sent again, and nothing is called `Indeterminate`. Each send raises it. Only an answer of the server that makes a guess more exact lowers it.
   */
  readonly clearAtMs: number;
  /** Nothing sent for this decision is older. */
  readonly decidedAtMs: number;
  /** The last known contact between the server and this attempt: its schedule, or its newest heartbeat. */
  readonly heardAtMs: number;
  /** The newest reading; `null` before the first. */
  readonly seen: Observation | null;
  readonly trail: readonly TrailEntry[];
  /** Why it is retried, or read again; absent while nothing fails. */
  readonly retrying?: Retrying;
  /** What asked this attempt to end; absent while nothing does. */
  readonly interrupted?: Interruption;
  readonly goal: Goal;
  readonly phase: Phase;
}

/** The cloud job of this decision: ServiceStage gave us its id, or it was found by reading and adopted. */
export interface FollowedJob {
  readonly id: string;
  /** For an adopted one, the time of its first task. */
  readonly submittedAtMs: number;
  /** Why it is ours; only where it was adopted. */
  readonly evidence?: AdoptionEvidence;
  /** The highest age, in milliseconds since `submittedAtMs`, at which it was asked for and was running. Absent before that, and where it was adopted. */
  readonly runningAtMs?: number;
  /** The age at which it was asked for and had ended. Absent before that, and where it was adopted. */
  readonly endedByMs?: number;
}

/**
 * Who asks an attempt to end. `cancel`: an operator or the parent workflow. `stop`: its worker stops, or somebody paused or reset the activity.
 * `superseded`: another attempt is the current one.
 */
export type Interruption = 'cancel' | 'stop' | 'superseded';

/**
 * `act`: carry the decision out. `settle`: send nothing, wait until it is clear what came of it; `prior` is how the step ended before, `null`
 * before a first step.
 */
type Goal = { readonly kind: 'act' } | { readonly kind: 'settle'; readonly prior: Ending | null };

/** Where an attempt is, with what it must remember there. */
export type Phase =
  /** It may be superseded, so it asks the server. */
  | {
      readonly name: 'barrier';
      readonly askedAtMs: number;
      /** There is no heartbeat of an earlier attempt. */
      readonly leftNothing: boolean;
      /** Why this worker must not serve the target; absent if it may. */
      readonly elsewhere?: string;
    }
  /** It waits for the request budget and for credentials. */
  | { readonly name: 'reserving' }
  /** It reads the instance before a send, and inspects a new cloud job that may be ours. */
  | {
      readonly name: 'observing';
      readonly missingReadings: number;
      readonly staleReadings: number;
      /** Since when every reading showed that nothing happened. */
      readonly quietSinceMs: number | null;
      /** Since when every reading showed the desired state. */
      readonly heldSinceMs: number | null;
    }
  /** The connection of the POST is being made. */
  | { readonly name: 'connecting' }
  /** The connection is open. It asks the server for the send lease. */
  | { readonly name: 'leasing'; readonly askedAtMs: number; readonly wasUnleased: boolean }
  /** The server did not answer in time, so there is no send lease and nothing was sent. It asks whether it may report that. */
  | { readonly name: 'unleased'; readonly askedAtMs: number; readonly failure: FailureName; readonly why: string }
  /** The first byte is out. */
  | { readonly name: 'sending'; readonly sentAtMs: number; readonly wasUnleased: boolean }
  /** The answer named no cloud job. The search for it lasts until `untilMs`. */
  | {
      readonly name: 'confirming';
      readonly answer: 'refused' | 'unanswered';
      readonly message: string;
      readonly untilMs: number;
    }
  /** The cloud job is polled. */
  | {
      readonly name: 'following';
      readonly sinceMs: number;
      readonly polls: number;
      readonly failedPolls: number;
      readonly unknownSinceMs: number | null;
    }
  /** The cloud job did not succeed: one more reading for the report. */
  | { readonly name: 'lastReading'; readonly ending: Ending }
  /** The cloud job succeeded: the desired state must be reached and held. */
  | {
      readonly name: 'verifying';
      readonly untilMs: number;
      readonly readings: number;
      readonly heldSinceMs: number | null;
      /** A reading succeeded here. */
      readonly wasSeen: boolean;
    }
  /** It sends nothing, and reads until it is clear whether the action was carried out. */
  | {
      readonly name: 'settling';
      readonly quietSinceMs: number | null;
      /** The end of the step's cloud job, once it was followed here. */
      readonly jobEnd: EndedJob | null;
    }
  /** The attempt is over. */
  | { readonly name: 'ended'; readonly ending: Ending };

/** A cloud job that has ended. */
interface EndedJob {
  readonly atMs: number;
  /** Why it did not succeed, as ServiceStage reports it; `null` if it succeeded. */
  readonly failure: string | null;
}

/** The name of a phase. */
export type PhaseName = Phase['name'];

/** The phases of these names. */
export type PhaseOf<Name extends PhaseName> = Extract<Phase, { name: Name }>;

/** How an attempt ended. The ending of the last one is the verdict on the step. */
export type Ending =
  | { readonly kind: 'succeeded' | 'skipped' }
  /** Retried after `retryInMs`, or final if that is `null`. */
  | {
      readonly kind: 'failed';
      readonly failure: FailureName;
      readonly message: string;
      readonly retryInMs: number | null;
    }
  | { readonly kind: 'cancelled'; readonly message: string }
  /** Reading cannot show whether the action was carried out. */
  | {
      readonly kind: 'indeterminate';
      readonly failure: 'Indeterminate' | 'CloudJobOverdue';
      readonly message: string;
    }
  /** Another attempt is the current one, so this one reports nothing. */
  | { readonly kind: 'superseded' };

/**
 * The state as a heartbeat carries it. Until the cloud job is known, it states that something may have been sent: heartbeats can arrive late, and
 * must not hide the send lease from the next attempt.
 */
export function asHeartbeat(state: OnceState): OnceState {
  if (state.phase.name === 'ended' || state.cloudJob !== null) return state;
  return { ...state, sent: 'unknown', isUnleased: false };
}

/** The details of a heartbeat: the state, and what people see of the cloud job's own tasks. */
export interface Heartbeat extends OnceState {
  /** Absent before a poll has shown any, and from older workers. */
  readonly tasks?: SeenTasks;
}

/** Adds the tasks to a heartbeat that goes out anyway. @param tasks `null`: none were seen */
export function withTasks(state: OnceState, tasks: SeenTasks | null): Heartbeat {
  return tasks === null ? state : { ...state, tasks };
}

/** The state in a heartbeat: what the next attempt and the workflow continue from. */
export function stateOf({ tasks: _onlyShown, ...state }: Heartbeat): OnceState {
  return state;
}

const IS_SILENT: Readonly<Record<PhaseName, boolean>> = {
  barrier: true,
  reserving: false,
  observing: false,
  connecting: false,
  leasing: true,
  unleased: true,
  sending: true,
  confirming: false,
  following: false,
  lastReading: false,
  verifying: false,
  settling: false,
  ended: true,
};

/**
 * True while no heartbeat may go out by the timer: an acknowledged one is under way, or one with the cloud job comes next, and the SDK would
 * delay it if it had just sent another.
 */
export function isSilent({ phase }: OnceState): boolean {
  return IS_SILENT[phase.name];
}

/** A failure after which no other attempt follows. */
export function finalFailure(failure: FailureName, message: string): Ending {
  return { kind: 'failed', failure, message, retryInMs: null };
}

/** How the attempt ended. @throws TypeError if it has not ended */
export function endingOf({ phase }: OnceState): Ending {
  if (phase.name !== 'ended') throw new TypeError(`The attempt is not over: ${phase.name}`);
  return phase.ending;
}

/** The state when something other than an attempt ended it: a timeout, a step that is not begun, a settle that could not be carried out. */
export function endedAs(state: Omit<OnceState, 'phase'>, ending: Ending): OnceState {
  return { ...state, phase: { name: 'ended', ending } };
}

/** The state if no attempt reported anything. With `sent: 'unknown'` one may have sent without the server's knowledge. */
export function nothingKnown(
  sent: 'no' | 'unknown',
  {
    nowMs,
    clearAtMs,
    decidedAtMs,
  }: { readonly nowMs: number; readonly clearAtMs: number; readonly decidedAtMs: number },
): Omit<OnceState, 'phase'> {
  return {
    attempt: 0,
    atMs: nowMs,
    heardAtMs: nowMs,
    sent,
    sentBefore: sent,
    isUnleased: false,
    cloudJob: null,
    clearAtMs,
    decidedAtMs,
    seen: null,
    trail: [],
    goal: { kind: 'act' },
  };
}

/** As JSON: with the longest message and what an encrypting codec adds it stays below the 4 KB that the server keeps. */
const SMALL_STATE_BYTES = 1_500;

/**
 * A short form for a failure that is retried. Only the server's list of pending activities shows it: the next attempt takes what it needs from
 * the heartbeat, and the workflow gets the whole state with the final failure.
 */
export function smallState(state: OnceState): OnceState {
  const { retrying: _inTheMessage, phase, ...rest } = state;
  const ending = phase.name === 'ended' && phase.ending.kind === 'failed' ? { ...phase.ending, message: '' } : null;
  const bare: OnceState = { ...rest, trail: [], phase: ending === null ? phase : { name: 'ended', ending } };
  const small = jsonBytes(bare) > SMALL_STATE_BYTES / 2 ? { ...bare, seen: null } : bare;
  return { ...small, trail: trailWithin(state.trail, SMALL_STATE_BYTES - jsonBytes(small)) };
}
