/**
 * Notices that the law of durations has changed. Two signs count: several ends in a row where hardly any job ends, and newest ends that
 * are far likelier if all durations are some times as long (a cumulative sum of log-likelihood ratios: Page, "Continuous inspection schemes", 1954).
 */
import { at, endedByAge, type Law } from './law.js';

/** A change that was noticed. */
export interface Change {
  /** How many of the newest ends came after it. */
  readonly newest: number;
  /** How many times as long durations have become; 1 if that is not known. */
  readonly times: number;
}

/** An end is rare if no more than this share of the jobs ends where it is as unlikely. */
const RARE = 0.06;
/** This many rare ends in a row are a change. Chosen: by chance once in some thousand jobs. */
const RARE_IN_A_ROW = 3;
/** An end that is known to be within an age that holds more than this share is not evidence of anything. */
const NO_EVIDENCE = 0.5;
/** Ends this much earlier and later are compared with an end to see how unlikely it is. */
const NEAR = 1.1;

/** The changes that are searched for: how many times as long durations become. */
const TIMES = [0.35, 0.5, 0.71, 1.41, 2, 2.8] as const;
/** A change is believed if the ends are three thousand times likelier after it. A logarithm. */
const ENOUGH_EVIDENCE = 8;
/** The evidence of one end, at most: two coincide by chance. */
const MOST_EVIDENCE = 2.5;
/** The law is not believed if it gives an end less than this. */
const LEAST_SHARE = 0.02;
/** An interval counts as at least this wide (its end over its beginning), because a law of few ends has gaps. */
const NARROWEST = 1.25;
/** With fewer ends the law is not known well enough to be contradicted by likelihood. */
const ENOUGH_ENDS = 24;

/** Jobs in a row that had ended before their first poll make shorter durations likely enough for an earlier poll, if by chance that is rarer than this. */
const UNLIKELY_UNSEEN = 0.1;

/** Collects the evidence against one law of durations. */
export class Changes {
  private rare = 0;
  /** How likely it was that the newest jobs, one after the other, all ended before their first poll. */
  private unseen = 1;
  private readonly evidence: number[] = TIMES.map(() => 0);
  private readonly collectedFrom: number[] = TIMES.map(() => 0);

  /**
   * Takes one more end of a job that ran alone, or with few others.
   *
   * @param ends how many ends the law is estimated from
   * @returns the change that it completes, or `null`
   */
  after(law: Law, fromMs: number, toMs: number, ends: number): Change | null {
    this.unseen = fromMs === 0 ? this.unseen * endedByAge(law, toMs) : 1;
    if (rarity(law, fromMs, toMs) < RARE) this.rare++;
    else if (endedByAge(law, toMs) - endedByAge(law, fromMs) < NO_EVIDENCE) this.rare = 0;
    if (ends >= ENOUGH_ENDS) this.collect(law, fromMs, toMs);
    const most = Math.max(...this.evidence);
    const index = this.evidence.indexOf(most);
    const [newest, times] = [this.collectedFrom[index], TIMES[index]];
    if (most > ENOUGH_EVIDENCE && newest !== undefined && times !== undefined) return this.found({ newest, times });
    return this.rare >= RARE_IN_A_ROW ? this.found({ newest: this.rare, times: 1 }) : null;
  }

  /** Whether durations may have become shorter, so that an earlier poll is worth making. */
  get mayBeShorter(): boolean {
    return this.unseen < UNLIKELY_UNSEEN;
  }

  /** Forgets the evidence: jobs that run together end in the order of their durations, so the first of them are all early. */
  clear(): void {
    this.rare = 0;
    this.unseen = 1;
    this.evidence.fill(0);
    this.collectedFrom.fill(0);
  }

  private found(change: Change): Change {
    this.clear();
    return change;
  }

  private collect(law: Law, fromMs: number, toMs: number): void {
    const before = shareWithin(law, fromMs, toMs);
    for (const [index, times] of TIMES.entries()) {
      const ratio = Math.log(shareWithin(law, fromMs / times, toMs / times) / before);
      const evidence = Math.max(0, (this.evidence[index] ?? 0) + Math.min(MOST_EVIDENCE, ratio));
      this.evidence[index] = evidence;
      this.collectedFrom[index] = evidence === 0 ? 0 : (this.collectedFrom[index] ?? 0) + 1;
    }
  }
}

function shareWithin(law: Law, fromMs: number, toMs: number): number {
  return Math.max(0, endedByAge(law, toMs) - endedByAge(law, Math.min(fromMs, toMs / NARROWEST))) + LEAST_SHARE;
}

/** The share of jobs that end at ages not likelier than the likeliest age of the interval. */
function rarity(law: Law, fromMs: number, toMs: number): number {
  const near = (ageMs: number) => endedByAge(law, ageMs * NEAR) - endedByAge(law, ageMs / NEAR);
  const last = law.agesMs.length - 1;
  let likeliest = Math.max(near(fromMs), near(toMs));
  const cells: { readonly likelihood: number; readonly share: number }[] = [];
  for (let cell = 1; cell <= last; cell++) {
    const middleMs = (at(law.agesMs, cell) + at(law.agesMs, cell - 1)) / 2;
    const likelihood = near(middleMs);
    if (middleMs > fromMs && middleMs < toMs) likeliest = Math.max(likeliest, likelihood);
    cells.push({ likelihood, share: at(law.endedBy, cell) - at(law.endedBy, cell - 1) });
  }
  const beyond = 1 - at(law.endedBy, last);
  return cells.reduce((sum, { likelihood, share }) => sum + (likelihood <= likeliest ? share : 0), beyond);
}
