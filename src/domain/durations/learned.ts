/** What is learned of one kind of cloud job, or of one action: ends, jobs in flight, and the polls that follow from both. */
import { estimateLaw } from './estimate.js';
import { Ends } from './ends.js';
import { ENOUGH_RUNNING, Flight } from './flight.js';
import { endedByAge, quantileMs } from './law.js';
import { nextPollMs, planWithin, type PollPlan } from './polls.js';

/** From this many ends on, polls are placed by the law. Chosen: two may be a coincidence. */
const ENOUGH_ENDS = 3;
/** Polls that a job is expected to need, at most, if it ends where ends were seen. Chosen: 2.5 is promised; jobs that take longer, and explored ones, need the rest. */
const MOST_POLLS = 2.2;
/** A poll is never cheaper than this share of the usual duration: a shorter wait is not noticed. */
const LEAST_PRICE_SHARE = 0.004;
/** The law is estimated again after this share of the remembered ends is new, so that 500 ends at once cost a few estimates. */
const REFIT_SHARE = 1 / 8;
/**
 * This share of the jobs is polled once more, at the median of the ends before the first planned poll. Otherwise it would stay
 * unknown when those end, and that durations became shorter. Chosen: an eighth of a poll per job.
 */
const EXPLORING_SHARE = 1 / 8;
/** After this many ends in a row that the first poll found over, the next first poll is made earlier. */
const EXPLORE_AFTER = 3;
/** That much earlier. Chosen: from there to the planned poll is a narrow interval. */
const EXPLORED_AGE = 0.7;
/** Only if at least this share of the jobs is expected to end before the planned poll. */
const EXPLORED_MASS = 0.25;
/** An end is a surprise if the law gives its interval less probability than `SURPRISING`, and is ignored if it gives more than `NO_EVIDENCE`. */
const SURPRISING = 0.06;
const NO_EVIDENCE = 0.9;
/** This many surprises in a row mean that the law has changed. Chosen: that happens by chance once in some thousand jobs. */
const CHANGED_AFTER = 3;
/** The law places the polls of a job only if at least this share of what may still happen to it was ever seen. */
const KNOWN_SHARE = 0.5;
/** After the law's last age a gap is half of the age, at most 5 s as in the plain rule, and from 50 s on a tenth of the age. */
const GAP_AFTER = { growth: 0.5, longestMs: 5_000, share: 0.1 } as const;

/** Ends, jobs in flight and the plan of one kind or action; refits itself when enough is new. */
export class Learned {
  readonly flight = new Flight();
  readonly ends = new Ends();
  /** Counts the states of knowledge; see `Durations.version`. */
  version = 0;
  private newEnds = 0;
  private surprises = 0;
  private newRunning = 0;
  private plan: PollPlan | null = null;

  ended(cloudJobId: string, fromMs: number, toMs: number): void {
    this.flight.remove(cloudJobId);
    const inFlight = this.flight.sizeAtEnd();
    this.surprised(fromMs, toMs);
    if (!this.ends.add(fromMs, toMs, inFlight)) return;
    // Jobs that run together end in the order of their durations: the first are all surprisingly early.
    if (this.surprises >= CHANGED_AFTER && inFlight <= CHANGED_AFTER) this.change();
    this.newEnds++;
    if (this.newEnds < this.ends.weight * REFIT_SHARE) return;
    this.newEnds = 0;
    this.plan = null;
    this.version++;
  }

  running(cloudJobId: string, ageMs: number): void {
    this.flight.running(cloudJobId, ageMs);
    this.newRunning++;
    if (this.newRunning < Math.max(ENOUGH_RUNNING, this.flight.count)) return;
    this.newRunning = 0;
    this.plan = null;
  }

  private surprised(fromMs: number, toMs: number): void {
    if (this.plan === null) return;
    const likely = endedByAge(this.plan.law, toMs) - endedByAge(this.plan.law, fromMs);
    if (likely < SURPRISING) this.surprises++;
    else if (likely < NO_EVIDENCE) this.surprises = 0;
  }

  private change(): void {
    this.ends.lighten(this.surprises);
    this.surprises = 0;
    this.newEnds = this.ends.count;
  }

  /** Whether the law knows most of what may still happen to a job that was seen running at `ageMs`. */
  knows({ law }: PollPlan, ageMs: number): boolean {
    const known = endedByAge(law, law.knownMs) - endedByAge(law, ageMs);
    return known >= KNOWN_SHARE * (1 - endedByAge(law, ageMs));
  }

  /** The polls that the law places; `null` while nothing is known. */
  polls(): PollPlan | null {
    if (this.ends.count < ENOUGH_ENDS) return null;
    if (this.plan === null) {
      const law = estimateLaw([...this.ends.weighted(), ...this.flight.unended()]);
      this.plan = planWithin(law, MOST_POLLS, LEAST_PRICE_SHARE * quantileMs(law, 0.5));
    }
    return this.plan;
  }

  /** The age of the best next poll, in milliseconds, after one at `lastRunningAtMs` saw the job running. */
  bestPollMs(plan: PollPlan, lastRunningAtMs: number | null, jobShare: number): number {
    const lastMs = lastRunningAtMs ?? 0;
    const plannedMs = nextPollMs(plan, lastMs) ?? afterLawMs(lastMs);
    const before = endedByAge(plan.law, lastMs);
    const between = endedByAge(plan.law, plannedMs) - before;
    const earlierMs = EXPLORED_AGE * plannedMs;
    if (this.ends.wideInARow >= EXPLORE_AFTER && between >= EXPLORED_MASS && earlierMs > lastMs) return earlierMs;
    const explores = lastRunningAtMs === null && jobShare < EXPLORING_SHARE;
    return explores ? quantileMs(plan.law, before + between / 2) : plannedMs;
  }
}

/** The poll after one at `ageMs`, if the job takes longer than anything that is known. */
export function afterLawMs(ageMs: number): number {
  const { growth, longestMs, share } = GAP_AFTER;
  return ageMs + Math.max(Math.min(growth * ageMs, longestMs), share * ageMs);
}
