/** The cloud jobs of one kind that polls of this worker saw running, and what they say about the others. */
import type { EndWithin } from './estimate.js';

/** Once this many jobs were seen running past an age, others need not poll at it. Chosen: if one job in three ends before an age, eight that all run past it are seen in 4 % of the cases. */
export const ENOUGH_RUNNING = 8;
/** Ages of running jobs are distinguished by this fraction. */
const RESOLUTION = 0.02;
/** The passed age is computed again after this share of the jobs reported something new. */
const STALE_SHARE = 1 / 16;

/** The followed jobs of one kind by the age at which they were last seen running. */
export class Flight {
  private readonly ages = new Map<string, number>();
  /** The most jobs in flight at once, until as many have ended. */
  private size = 0;
  private endsLeft = 0;
  private changes = 0;
  private passed = 0;

  /** The job is followed; nothing was seen of it yet. */
  follows(cloudJobId: string): void {
    if (!this.ages.has(cloudJobId)) this.running(cloudJobId, 0);
  }

  /** A poll saw the job running at this age, in milliseconds. */
  running(cloudJobId: string, ageMs: number): void {
    this.ages.set(cloudJobId, ageMs);
    this.changes++;
  }

  /** The job ended, or is no longer followed. */
  remove(cloudJobId: string): void {
    if (this.ages.delete(cloudJobId)) this.changes++;
  }

  /** Jobs that are followed and were not seen to end. */
  get count(): number {
    return this.ages.size;
  }

  /** The most jobs that were in flight together with those that ended last. */
  get most(): number {
    return Math.max(this.size, this.ages.size);
  }

  /** Counts one more end. @returns how many jobs were in flight together with the one that ended */
  sizeAtEnd(): number {
    const now = this.ages.size + 1;
    this.endsLeft--;
    if (now >= this.size || this.endsLeft <= 0) {
      this.size = now;
      this.endsLeft = now;
    }
    return this.size;
  }

  /** The age up to which enough jobs were seen running, in milliseconds; 0 if they are too few. */
  passedMs(): number {
    if (this.ages.size < ENOUGH_RUNNING) return 0;
    if (this.changes > this.ages.size * STALE_SHARE || this.passed === 0) {
      this.passed = nthLargest(this.ages.values(), ENOUGH_RUNNING);
      this.changes = 0;
    }
    return this.passed;
  }

  /** The running jobs as ends that lie after their newest poll; nothing if they are too few to say more than the ends do. */
  unended(): readonly EndWithin[] {
    const counts = new Map<number, number>();
    if (this.passedMs() === 0) return [];
    for (const ageMs of this.ages.values()) {
      if (ageMs === 0) continue;
      const step = Math.round(Math.log(Math.max(ageMs, 1)) / RESOLUTION);
      counts.set(step, (counts.get(step) ?? 0) + 1);
    }
    return Array.from(counts, ([step, weight]) => ({
      fromMs: Math.exp(step * RESOLUTION),
      toMs: Number.POSITIVE_INFINITY,
      weight,
    }));
  }
}

function nthLargest(values: Iterable<number>, count: number): number {
  const largest: number[] = [];
  for (const value of values) {
    if (largest.length === count && value <= (largest[count - 1] ?? 0)) continue;
    const place = largest.findIndex((other) => other < value);
    largest.splice(place === -1 ? largest.length : place, 0, value);
    if (largest.length > count) largest.pop();
  }
  return largest.at(-1) ?? 0;
}
