/**
 * When to poll while too few jobs have ended to know a law: by the plain rule, except where jobs in flight already know the
 * answer. If eight jobs were seen running at a later age, no other job needs to ask at this one. A few of many jobs poll
 * instead, in turns, more often than the plain rule would; the first that is seen to have ended wakes the others.
 */
import { firstPlainPollAfter, plainPollMs } from './plain-rule.js';

/** Below this many running jobs everyone keeps the plain rule. */
const LEAST_FLIGHT = 48;
/** So many poll each turn, on average. Chosen: a turn at which none happens to poll is rare, and their ends make a law. */
const SCOUTS = 5;
/** Turns are this fraction of the age apart, and neither closer nor further than these. */
const TURN = { share: 0.05, closestMs: 50, furthestMs: 5_000 } as const;
/**
 * A job is polled for its own sake when it has this age, up to twice that so that not all of many do so at once, and then whenever its age has
 * doubled: jobs in flight, and those of other components, may hang where this one takes two seconds. Chosen: a burst of jobs that take
 * less is polled in turns alone.
 */
const OWN_POLL = { firstMs: 20_000, growth: 2 } as const;
/** If turns pass unseen (scouts stopped, calls failed), everyone polls after this. */
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

/** The age, in milliseconds, up to which what others showed may put off the poll of a job that was last seen running at `runningAtMs`. */
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

/** A number in [0, 1) that is a job's own: FNV-1a of its id. */
export function shareOf(cloudJobId: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < cloudJobId.length; index++)
    hash = Math.imul(hash ^ cloudJobId.charCodeAt(index), 16_777_619);
  // The last characters differ most, and FNV moves them little: one more mix.
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
