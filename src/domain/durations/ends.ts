/** The ends that one kind of cloud job is remembered by: bounded, the older the lighter. */
import type { EndWithin } from './estimate.js';

/** Remembered ends. Chosen: enough for a law of two populations, few enough for a refit far below a millisecond. */
const MOST = 64;
/** An end counts half after this many newer ones. */
const HALF_LIFE = 32;
/** This many newest ends are compared with the older ones, to see that the law has changed. */
const NEWEST = 8;
/** Share of all pairs (newest, older) that must be in the same order. Chosen: by chance it happens less than once in a thousand ends. */
const CHANGED_SHARE = 0.85;
/** Weight that is left to the ends before a change. Not 0: a run of eight failures may be over as suddenly. */
const BEFORE_CHANGE = 0.05;

interface Remembered extends EndWithin {
  readonly beforeChange: boolean;
}

/** A bounded memory of ends. */
export class Ends {
  private taken: readonly Remembered[] = [];
  private skipped = 0;
  /** How many ends came, forgotten ones included. */
  count = 0;

  /**
   * Jobs that run at the same time end in the order of their durations. The newest ends of 500 such jobs would be the longest,
   * so that only every n-th is taken, such that all jobs in flight together fill the memory no more than once.
   * @returns whether the end was taken
   */
  add(fromMs: number, toMs: number, inFlight: number): boolean {
    this.count++;
    const every = Math.max(1, Math.ceil(inFlight / MOST));
    this.skipped++;
    if (this.skipped < every && this.taken.length >= NEWEST) return false;
    const end = { fromMs, toMs, weight: this.skipped, beforeChange: false };
    this.skipped = 0;
    this.taken = [...this.taken, end].slice(-MOST);
    if (inFlight <= NEWEST && this.hasChanged()) this.taken = this.taken.map(lighter);
    return true;
  }

  /** How many ends are remembered. */
  get remembered(): number {
    return this.taken.length;
  }

  /** The remembered ends; the newest weighs as much as the jobs that it stands for. */
  weighted(): readonly EndWithin[] {
    const newest = this.taken.length - 1;
    return this.taken.map(({ fromMs, toMs, weight }, index) => ({
      fromMs,
      toMs,
      weight: weight * 0.5 ** ((newest - index) / HALF_LIFE),
    }));
  }

  private hasChanged(): boolean {
    const present = this.taken.filter(({ beforeChange }) => !beforeChange);
    const newest = present.slice(-NEWEST);
    const older = present.slice(0, -NEWEST);
    if (older.length < NEWEST) return false;
    const pairs = newest.length * older.length * CHANGED_SHARE;
    const longer = newest.map(({ fromMs }) => older.filter(({ toMs }) => toMs <= fromMs).length);
    const shorter = newest.map(({ toMs }) => older.filter(({ fromMs }) => toMs <= fromMs).length);
    const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
    return sum(longer) >= pairs || sum(shorter) >= pairs;
  }
}

function lighter(end: Remembered, index: number, all: readonly Remembered[]): Remembered {
  const isOlder = index < all.length - NEWEST && !end.beforeChange;
  return isOlder ? { ...end, weight: end.weight * BEFORE_CHANGE, beforeChange: true } : end;
}
