/**
 * When to poll while too few jobs have ended to know a law: by the plain rule, except where jobs in flight already show the
 * answer. If eight jobs were seen running at a later age, no other job is polled at this one. If there are many jobs, a few are
 * polled instead, in turns, more often than by the plain rule; the first that is seen to have ended brings the polls of the others forward.
 */
import { firstPlainPollAfter, plainPollMs } from './plain-rule.js';

/** With fewer jobs in flight than this, every job is polled by the plain rule. */
const LEAST_FLIGHT = 48;
/** How many jobs poll at each turn, on average. Chosen: a turn at which none polls is rare, and their ends are enough for a law. */
const SCOUTS = 5;
/** Turns are this fraction of the age apart, and neither closer nor further than these. */
const TURN = { share: 0.05, closestMs: 50, furthestMs: 5_000 } as const;
/**
 * Whatever others show, a job is polled at an age between this and twice this (spread, so that not all of many are polled at once),
 * and then whenever its age has doubled: other jobs may hang where this one takes two seconds. Chosen: a burst of jobs that take less
 * is polled in turns alone.
 */
const OWN_POLL = { firstMs: 20_000, growth: 2 } as const;
/** If turns bring no answer (attempts ended, calls failed), every job is polled after this. */
const LATEST = { times: 1.5, moreMs: 5_000 } as const;
/** The golden ratio spreads turns evenly over the jobs. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** What is known of the jobs in flight. */
export interface InFlight {
  readonly count: number;
  /** Enough jobs were seen running at this age, in milliseconds. */
  readonly passedMs: number;
  /** Ends that were seen. */
  readonly ends: number;
}

/** The job that asks. */
export interface Asking {
  readonly polls: number;
  /** Its age when this attempt began to follow, in milliseconds. */
  readonly followedFromMs: number;
  /** Its newest poll that saw it running, in milliseconds; 0 if there was none. */
  readonly runningAtMs: number;
  readonly cloudJobId: string | undefined;
}

/** The age of its next poll, in milliseconds. */
export function pollWithoutLawMs({ polls, followedFromMs, runningAtMs, cloudJobId }: Asking, flight: InFlight): number {
  const earliestMs = followedFromMs + plainPollMs(polls);
  const plainMs = plainAfterMs(polls, followedFromMs, Math.max(flight.passedMs, runningAtMs));
  if (cloudJobId === undefined || flight.count < LEAST_FLIGHT) return plainMs;
  const share = SCOUTS / flight.count;
  const latestMs = flight.ends > 0 ? plainMs : Math.max(plainMs, LATEST.times * flight.passedMs + LATEST.moreMs);
  return nextTurnMs(shareOf(cloudJobId), share, Math.max(earliestMs, flight.passedMs, runningAtMs + 1), latestMs);
}

/** The latest age, in milliseconds, to which other jobs can put off the poll of one that was last seen running at `runningAtMs`. */
export function latestOwnPollMs(runningAtMs: number, cloudJobId = ''): number {
  return Math.max(OWN_POLL.firstMs * (1 + shareOf(cloudJobId)), OWN_POLL.growth * runningAtMs);
}

/** The first poll of the plain rule, number `polls` or later, after an age that others have passed. */
function plainAfterMs(polls: number, followedFromMs: number, passedMs: number): number {
  return followedFromMs + plainPollMs(Math.max(polls, firstPlainPollAfter(passedMs - followedFromMs)));
}

function nextTurnMs(jobShare: number, share: number, earliestMs: number, latestMs: number): number {
  let turnMs = TURN.closestMs;
  for (let turn = 0; turnMs < latestMs; turn++) {
    if (turnMs >= earliestMs && (jobShare + turn * GOLDEN) % 1 < share) return turnMs;
    turnMs += Math.min(Math.max(TURN.share * turnMs, TURN.closestMs), TURN.furthestMs);
  }
  return latestMs;
}

/** A number in [0, 1) that stays the same for a job: FNV-1a of its id. */
export function shareOf(cloudJobId: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < cloudJobId.length; index++)
    hash = Math.imul(hash ^ cloudJobId.charCodeAt(index), 16_777_619);
  // The last characters differ most, and FNV moves them little: one more mix.
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
