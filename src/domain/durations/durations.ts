/** What is known of how long cloud jobs take: learned from ended and from running ones, used to decide when to look next. */
import type { ActionName } from '../target/actions.js';
import { plainLookMs } from './plain-rule.js';
import type { UsualDuration } from './usual-duration.js';

/** Cloud jobs of one kind are expected to take about as long as each other. */
export interface JobKind {
  readonly action: ActionName;
  readonly componentId: string;
}

/**
 * Between these ages the job ended: the newest look that saw it running, and the first that saw it ended.
 * Milliseconds since its POST.
 */
export interface EndedBetween {
  readonly runningAtMs: number;
  readonly endedByMs: number;
}

/** One worker's knowledge of durations. It has no clock: every age is a parameter. */
export class Durations {
  /** The same cloud job twice counts once. */
  ended(_kind: JobKind, _cloudJobId: string, _ended: EndedBetween): void {}

  /** A look of this worker saw the job running at this age, in milliseconds: censored knowledge. */
  running(_kind: JobKind, _cloudJobId: string, _ageMs: number): void {}

  /** The job is no longer followed by this worker, and its end is not known. */
  dropped(_kind: JobKind, _cloudJobId: string): void {}

  /**
   * The age at which to look next, in milliseconds; never before the plain rule's look of that number. `looks`: made by
   * this attempt so far; `followedForMs`: since it began to follow.
   */
  nextLookAtMs(
    _kind: JobKind,
    job: {
      readonly looks: number;
      readonly followedForMs: number;
      readonly ageMs: number;
      readonly lastRunningAtMs: number | null;
    },
  ): number {
    return Math.max(job.ageMs, job.ageMs - job.followedForMs + plainLookMs(job.looks));
  }

  /** `null` if nothing was learned. */
  usual(_kind: JobKind): UsualDuration | null {
    return null;
  }

  /** Grows whenever `nextLookAtMs` may answer earlier than before for a job of this kind; a sleeping follower asks again. */
  version(_kind: JobKind): number {
    return 0;
  }
}
