/** What is known of how long cloud jobs take: learned from ended and from running ones, used to decide when to poll next. */
import type { ActionName } from '../target/actions.js';
import { quantileMs } from './law.js';
import { ENOUGH_RUNNING } from './flight.js';
import { Learned } from './learned.js';
import { plainPollMs } from './plain-rule.js';
import { latestOwnPollMs, pollWithoutLawMs, shareOf } from './unknown.js';
import type { UsualDuration } from './usual-duration.js';

/** Cloud jobs of one kind are expected to take about as long as each other. */
export interface JobKind {
  readonly action: ActionName;
  /** `application/component`, not the id that ServiceStage gives: see `jobKindOf`. */
  readonly componentId: string;
}

/**
 * Between these ages the job ended: the newest poll that saw it running, and the first that saw it ended.
 * Milliseconds since its POST.
 */
export interface EndedBetween {
  readonly runningAtMs: number;
  readonly endedByMs: number;
}

/** A followed cloud job that asks when to poll it next. */
export interface FollowedAge {
  /** Polls made by this attempt so far. */
  readonly polls: number;
  /** Since this attempt began to follow, in milliseconds. */
  readonly followedForMs: number;
  /** Since the POST, in milliseconds. */
  readonly ageMs: number;
  /** The age at the newest poll that saw it running, of any attempt; `null` if there was none. */
  readonly lastRunningAtMs: number | null;
  /** If given, the job counts as in flight until it ended or was dropped, and takes its turn; see `unknown.ts`. */
  readonly cloudJobId?: string;
}

/** From this many ends on, a component's own are used; with fewer, those of the action on any component. */
const ENOUGH_OF_COMPONENT = 8;
/** With fewer ends than this, and than are in flight, many jobs also keep the polls of the plain rule. Chosen: what learning from 30 jobs promises. */
const YOUNG_ENDS = 30;
/** Kinds that are remembered; the one not used for longest is forgotten first. About 10 KB each. */
const MOST_KINDS = 1_000;
/** Ended cloud jobs that are remembered by id, so that none counts twice. */
const MOST_IDS = 10_000;
/** A longer age is not a duration: a clock was set, or a report was forged. No step may take longer. Chosen: a week. */
const LONGEST_AGE_MS = 7 * 86_400_000;

/** One worker's knowledge of durations. It has no clock: every age is a parameter. */
export class Durations {
  private readonly actions = new Map<ActionName, Learned>();
  private readonly kinds = new Map<string, Learned>();
  private readonly endedIds = new Set<string>();

  /**
   * Records an end; a cloud job that is reported twice counts once. Report earlier ends in the order in which the jobs began:
   * the newest count most, and jobs that ran together ended in the order of their durations.
   */
  ended(kind: JobKind, cloudJobId: string, { runningAtMs, endedByMs }: EndedBetween): void {
    // Settling a step may follow its cloud job once more although its end is known.
    // A span without width does not lie between two polls (the clock of the next worker is behind): such ends alone make no law.
    const isSpan = runningAtMs >= 0 && runningAtMs < endedByMs && endedByMs <= LONGEST_AGE_MS;
    if (this.endedIds.has(cloudJobId) || !isSpan) return this.dropped(kind, cloudJobId);
    this.endedIds.add(cloudJobId);
    forgetFirst(this.endedIds, MOST_IDS);
    for (const learned of this.both(kind)) learned.ended(cloudJobId, runningAtMs, endedByMs);
  }

  /** A poll of this worker saw the job running at this age, in milliseconds. Statistics calls that censored: it takes longer, but how long is not known. */
  running(kind: JobKind, cloudJobId: string, ageMs: number): void {
    for (const learned of this.both(kind)) learned.running(cloudJobId, ageMs);
  }

  /** The job is no longer followed by this worker, and its end is not known. */
  dropped(kind: JobKind, cloudJobId: string): void {
    for (const learned of this.both(kind)) learned.flight.remove(cloudJobId);
  }

  /**
   * The age at which to poll next, in milliseconds; never before the plain rule's poll of that number, and not before
   * `ageMs`. Ask again right before the poll: what other jobs show meanwhile may put it off.
   */
  nextPollAtMs(kind: JobKind, job: FollowedAge): number {
    const [own, ofAction] = this.both(kind);
    if (job.cloudJobId !== undefined) for (const each of [own, ofAction]) each.flight.follows(job.cloudJobId);
    const learned = knowsEnough(own) ? own : ofAction;
    const plan = learned.polls();
    const followedFromMs = job.ageMs - job.followedForMs;
    const runningAtMs = job.lastRunningAtMs ?? 0;
    const latestOwnMs = latestOwnPollMs(runningAtMs, job.cloudJobId);
    const passedMs = Math.min(learned.flight.passedMs(), latestOwnMs);
    const flight = { count: learned.flight.count, passedMs, ends: learned.ends.count };
    const asking = { polls: job.polls, followedFromMs, runningAtMs, cloudJobId: job.cloudJobId };
    const isFlight = flight.count >= ENOUGH_RUNNING;
    if (plan === null || (isFlight && !learned.knows(plan, runningAtMs)))
      return Math.max(job.ageMs, pollWithoutLawMs(asking, flight));
    const lawMs = learned.bestPollMs(plan, job.lastRunningAtMs, shareOf(job.cloudJobId ?? ''));
    // The cloud jobs of other components may take far longer.
    const bestMs = learned === own ? lawMs : Math.min(lawMs, latestOwnMs);
    // The first ends of many jobs are their earliest or were found by chance: the plain rule's poll is made, too.
    const { most } = learned.flight;
    const known = Math.max(own.ends.count, ofAction.ends.count);
    const isYoung = most >= ENOUGH_RUNNING && known < Math.min(YOUNG_ENDS, most);
    const nextMs = isYoung ? Math.min(bestMs, pollWithoutLawMs(asking, flight)) : bestMs;
    return Math.max(job.ageMs, followedFromMs + plainPollMs(job.polls), nextMs);
  }

  /** `null` if nothing was learned. A question alone is not remembered: otherwise a plan of many targets would push other kinds out. */
  usual(kind: JobKind): UsualDuration | null {
    const own = this.kinds.get(keyOf(kind));
    const learned = own !== undefined && knowsEnough(own) ? own : this.actions.get(kind.action);
    const plan = learned?.polls() ?? null;
    if (learned === undefined || plan === null) return null;
    return {
      p50Ms: Math.round(quantileMs(plan.law, 0.5)),
      p90Ms: Math.round(quantileMs(plan.law, 0.9)),
      jobs: learned.ends.countSinceChange,
      from: learned === own ? 'component' : 'action',
    };
  }

  /** Grows whenever `nextPollAtMs` may answer earlier than before for a job of this kind; a sleeping follower asks again. */
  version(kind: JobKind): number {
    return (this.kinds.get(keyOf(kind))?.version ?? 0) + (this.actions.get(kind.action)?.version ?? 0);
  }

  private both(kind: JobKind): readonly [Learned, Learned] {
    const key = keyOf(kind);
    const own = this.kinds.get(key) ?? new Learned();
    // Used last: at the end of the order in which kinds are forgotten.
    this.kinds.delete(key);
    this.kinds.set(key, own);
    forgetFirst(this.kinds, MOST_KINDS);
    const ofAction = this.actions.get(kind.action) ?? new Learned();
    this.actions.set(kind.action, ofAction);
    return [own, ofAction];
  }
}

/** Whether a component's own ends are used, and not those of its action. */
const knowsEnough = (own: Learned) => own.ends.count >= ENOUGH_OF_COMPONENT;

const keyOf = ({ action, componentId }: JobKind) => `${action} ${componentId}`;

function forgetFirst(kept: Map<string, unknown> | Set<string>, most: number): void {
  if (kept.size <= most) return;
  const [first] = kept.keys();
  if (first !== undefined) kept.delete(first);
}
