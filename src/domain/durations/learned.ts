/** What is learned of one kind of cloud job, or of one action: ends, jobs in flight, and the polls that follow from both. */
import { Changes, type Change } from './changes.js';
import { estimateLaw } from './estimate.js';
import { Ends } from './ends.js';
import { ENOUGH_RUNNING, Flight } from './flight.js';
import { endedByAge, quantileMs } from './law.js';
import { nextPollMs, planWithin, type PollPlan } from './polls.js';

/** From this many ends on, polls are placed by the law. Chosen: two may be a coincidence. */
const ENOUGH_ENDS = 3;
/** Polls that a job is expected to need, at most, if it ends where ends were seen. Chosen: 2.5 is promised; jobs that take longer, and explored ones, need the rest. */
const MOST_POLLS = 2.2;
/** A young law may be polled more, because knowing an end sharply is worth more than a poll then: the first job so many times more, the thirtieth no more. Chosen: about half of what the plain rule polls. */
const YOUNG = { morePolls: 6, ends: 30 } as const;
/** A poll is never cheaper than this share of the usual duration: a shorter wait is not noticed. */
const LEAST_PRICE_SHARE = 0.01;
/** The law is estimated again after this share of the remembered ends is new, so that 500 ends at once cost a few estimates. */
const REFIT_SHARE = 1 / 8;
/**
 * This share of the jobs is polled once more, at the median of the ends before the first planned poll. Otherwise it would stay
 * unknown when those end, and that durations became shorter. Chosen: an eighth of a poll per job.
 */
const EXPLORING_SHARE = 1 / 8;
/** While durations may have become shorter, a job is polled once more, at this share of the planned age. */
const EXPLORED_AGE = 0.6;
/** With more jobs in flight together, no change is searched for: they end in the order of their durations, so the first ends are all surprisingly early. */
const FEW_IN_FLIGHT = 3;
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
  private readonly changes = new Changes();
  private newEnds = 0;
  private newRunning = 0;
  private plan: PollPlan | null = null;

  ended(cloudJobId: string, fromMs: number, toMs: number): void {
    this.flight.remove(cloudJobId);
    const inFlight = this.flight.sizeAtEnd();
    const change = this.changeAt(fromMs, toMs, inFlight);
    const isTaken = this.ends.add(fromMs, toMs, inFlight);
    if (change !== null) {
      this.ends.changed(change);
      this.newEnds = this.ends.count;
    }
    if (!isTaken) return;
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

  private changeAt(fromMs: number, toMs: number, inFlight: number): Change | null {
    if (this.plan !== null && inFlight <= FEW_IN_FLIGHT)
      return this.changes.after(this.plan.law, fromMs, toMs, this.ends.countSinceChange);
    this.changes.clear();
    return null;
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
      this.plan = planWithin(law, this.mostPolls(), LEAST_PRICE_SHARE * quantileMs(law, 0.5));
    }
    return this.plan;
  }

  /** Polls that a job may be expected to need, at most. Many jobs together show enough with few polls each. */
  private mostPolls(): number {
    if (this.flight.most >= ENOUGH_RUNNING) return MOST_POLLS;
    return MOST_POLLS + YOUNG.morePolls * Math.max(0, 1 - this.ends.countSinceChange / YOUNG.ends);
  }

  /** The age of the best next poll, in milliseconds, after one at `lastRunningAtMs` saw the job running. */
  bestPollMs(plan: PollPlan, lastRunningAtMs: number | null, jobShare: number): number {
    const lastMs = lastRunningAtMs ?? 0;
    const plannedMs = nextPollMs(plan, lastMs) ?? afterLawMs(lastMs);
    if (lastRunningAtMs !== null) return plannedMs;
    if (this.changes.mayBeShorter) return EXPLORED_AGE * plannedMs;
    return jobShare < EXPLORING_SHARE ? quantileMs(plan.law, endedByAge(plan.law, plannedMs) / 2) : plannedMs;
  }
}

/** The poll after one at `ageMs`, if the job takes longer than anything that is known. */
export function afterLawMs(ageMs: number): number {
  const { growth, longestMs, share } = GAP_AFTER;
  return ageMs + Math.max(Math.min(growth * ageMs, longestMs), share * ageMs);
}
