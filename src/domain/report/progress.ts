/** The shapes of the progress queries: how far a run, its targets and their steps have come. Users read them as JSON. */
import type { UsualDuration } from '../durations/usual-duration.js';
import type { WaitingForGate } from '../gates/gates.js';
import type { SeenTasks } from '../target/cloud-job-tasks.js';
import type { ApprovalReport, CommandRecord, Outcome, StepResult, UsualOfStep } from './report.js';

/** Why a running step keeps failing. Times are epoch milliseconds, `null` if the server does not report them. */
export interface StepRetrying {
  readonly reason: string;
  /** How many attempts, or readings, failed in a row. */
  readonly failures: number;
  readonly sinceMs: number | null;
  /** When it is given up. */
  readonly untilMs: number | null;
  /** When the next attempt begins; `null` while one is under way. */
  readonly nextAttemptAtMs: number | null;
}

/** What a running step does. `settling`: it sends nothing, and reads until it is clear what happened. */
export type StepDoing = 'preparing' | 'sending' | 'following' | 'verifying' | 'settling';

/** How far a step has come. Times are epoch milliseconds. */
export interface StepProgress {
  readonly id: string;
  /** `stop`, `scale replica=4`, `wait 60s`; undos begin with `undo: `. */
  readonly title: string;
  readonly state: 'pending' | 'running' | StepResult;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly cloudJobId: string | null;
  /** The newest reading, in words. */
  readonly seen: string | null;
  /** Why it did not succeed, in one line. */
  readonly failure: string | null;
  /** Absent for a wait, and if nothing is known. */
  readonly usual?: UsualOfStep;
  /** Present while a running step keeps failing: read from its pending activity. */
  readonly retrying?: StepRetrying;
  /** The tasks of its cloud job while it is followed: read from its pending activity, whose heartbeat carries them. Some seconds old. */
  readonly tasks?: SeenTasks;
  /** What a running step does now: read from the same heartbeat, and as old. Absent for a wait, a check and an approval, and before the first heartbeat. */
  readonly doing?: StepDoing;
}

/** What `targetRun` answers to the query `progress`. */
export interface TargetProgress {
  readonly path: string;
  readonly phase: 'observing' | 'running' | 'settling' | 'compensating' | 'finished';
  readonly seen: string | null;
  readonly steps: readonly StepProgress[];
  readonly compensations: readonly StepProgress[];
  readonly outcome: Outcome | null;
  /** The step that waits for a person's decision. */
  readonly blocked?: BlockedProgress;
  /** The step that asks for an approval. The decision is sent to the run. */
  readonly approval?: ApprovalProgress;
  /** It waits at a step edge, because the run is paused. */
  readonly paused?: true;
}

/** A step that waits for a person's decision, and until when. */
export interface BlockedProgress {
  readonly step: string;
  readonly why: string;
  /** Epoch milliseconds. */
  readonly untilMs: number;
  /** How the step ended. Absent where an older version runs the target. */
  readonly result?: StepResult;
}

/** An approval that a run, or a step of one of its targets, waits for. Times are epoch milliseconds. */
export interface ApprovalProgress extends Pick<ApprovalReport, 'need' | 'roles' | 'notRequester' | 'votes'> {
  /** `null`: the whole run waits. */
  readonly step: string | null;
  /** What people approve, in words. */
  readonly title: string;
  readonly askedAtMs: number;
  readonly untilMs: number;
}

/** Who paused a run, and why. */
export interface PauseProgress {
  /** `pausing`: something is still in flight. */
  readonly state: 'pausing' | 'paused';
  readonly actor: string;
  readonly reason: string;
  /** When it was commanded, epoch milliseconds. */
  readonly sinceMs: number;
}

/** Who aborted a run, and why. */
export interface AbortProgress extends Pick<CommandRecord, 'actor' | 'reason'> {
  /** When it was commanded, epoch milliseconds. */
  readonly sinceMs: number;
}

/** What a run answers to the query `progress`. Query a target's workflow by `childRunId` too, because the next run uses the same `leaseId`. */
export interface RunProgress {
  readonly runbook: string;
  readonly phase: 'planning' | 'waiting' | 'running' | 'finished';
  /** What a waiting run waits for. */
  readonly waiting?: WaitingForGate;
  /** Present while it is pausing or paused. */
  readonly pause?: PauseProgress;
  /** Present from an abort on: what is in flight is being finished, then `onCancel` is followed. */
  readonly abort?: AbortProgress;
  /** Present while the whole run waits for an approval. */
  readonly approval?: ApprovalProgress;
  readonly planHash: string | null;
  /** Who requested the run. Absent before it is planned, if it is not known, and where an older version runs it. */
  readonly requestedBy?: string;
  /** Why it was requested; absent as `requestedBy` is. */
  readonly reason?: string;
  /** Workflow id of the run that it resumes. Absent if it resumes none. */
  readonly resumes?: string;
  readonly startedAtMs: number;
  /** How long all its targets usually take together, without waiting for a gate. Milliseconds; absent before it is planned. */
  readonly usual?: Pick<UsualDuration, 'p50Ms' | 'p90Ms'>;
  readonly targets: readonly TargetInRun[];
  readonly outcome: Outcome | null;
}

/** How far a target has come. */
export interface TargetInRun {
  readonly path: string;
  readonly leaseId: string;
  /** Run id of the target's own workflow; `null` before it is started. */
  readonly childRunId: string | null;
  readonly outcome: Outcome | null;
  /** Present while the target waits for a person. */
  readonly blocked?: BlockedProgress;
  /** Present while a step of the target waits for an approval. */
  readonly approval?: ApprovalProgress;
}
