/** The remembered ends of one kind of cloud job: a bounded number, and the older one is, the less it weighs. */
import type { Change } from './changes.js';
import type { EndWithin } from './estimate.js';

/** Remembered ends. Chosen: enough for a law of two populations, few enough for a refit far below a millisecond. */
const MOST = 64;
/** An end counts half after this many newer ones. */
const HALF_LIFE = 32;
/** The share of their weight that ends keep after a change. Not 0: a series of failures may be over just as suddenly. */
const BEFORE_CHANGE = 0.05;

/** A bounded memory of ends. */
export class Ends {
  private taken: readonly EndWithin[] = [];
  private skipped = 0;
  /** How many ends came, forgotten ones included. */
  count = 0;
  /** How many of them say what the newest law is: those since it last changed. */
  countSinceChange = 0;

  /**
   * Jobs that run at the same time end in the order of their durations, so the newest ends of 500 such jobs are the longest.
   * Only every n-th end is taken, so that all jobs in flight together fill the memory at most once.
   * @returns whether the end was taken
   */
  add(fromMs: number, toMs: number, inFlight: number): boolean {
    this.count++;
    this.countSinceChange++;
    const every = Math.max(1, Math.ceil(inFlight / MOST));
    this.skipped++;
    if (this.skipped < every && this.taken.length >= MOST / 8) return false;
    const end = { fromMs, toMs, weight: this.skipped };
    this.skipped = 0;
    this.taken = [...this.taken, end].slice(-MOST);
    return true;
  }

  /** How many jobs the remembered ends are worth. */
  get weight(): number {
    return this.taken.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** The remembered ends; the newest weighs as much as the jobs that it represents. */
  weighted(): readonly EndWithin[] {
    const newest = this.taken.length - 1;
    return this.taken.map(({ fromMs, toMs, weight }, index) => ({
      fromMs,
      toMs,
      weight: weight * 0.5 ** ((newest - index) / HALF_LIFE),
    }));
  }

  /** The law has changed: ends before that hardly count any more. If all durations became longer by a factor, those ends are lengthened by it. */
  changed({ newest, times }: Change): void {
    this.countSinceChange = newest;
    const first = this.taken.length - newest;
    const before = ({ fromMs, toMs, weight }: EndWithin) => ({
      fromMs: fromMs * times,
      toMs: toMs * times,
      weight: weight * BEFORE_CHANGE,
    });
    this.taken = this.taken.map((end, index) => (index < first ? before(end) : end));
  }
}
