/**
 * Estimates a law of durations from what polls saw. No poll sees an end, only that it lies between two polls; of a running
 * job it is only known that it takes longer. Both are used by Turnbull's self-consistency: spread each job over the
 * ages that are possible for it in proportion to the present estimate; the sum is the next estimate.
 */
import { at, cellAt, lawOf, quantileMs, type Law, type Piece } from './law.js';

/** After `fromMs` and not after `toMs` a job ended; `toMs` is infinite for a running one. Milliseconds since its POST. */
export interface EndWithin {
  readonly fromMs: number;
  readonly toMs: number;
  /** How many jobs it represents. */
  readonly weight: number;
}

/**
 * Ages after the latest end that was seen. First near ones, at these multiples of the spread (from the median to that end), because
 * widely spread durations also exceed their maximum by more; then far ones, at these multiples of the age.
 */
const NEAR_TAIL = [0.1, 0.25, 0.5, 0.9, 1.5] as const;
const FAR_TAIL = [1.1, 1.25, 1.5, 2, 2.5, 3.2, 4] as const;
/** How many jobs the tails are worth. The next of n jobs is the longest so far with probability 1 / (n + 1): about one job in all. */
const NEAR_TAIL_JOBS = 0.4;
const FAR_TAIL_JOBS = 0.05;
/** See `startOf`. */
const NEAR_SHARE = 0.8;
const NEAR_SHARE_OF_AGE = 0.15;
/** Probability of each tail cell, and of what is beyond them, before the first round. Any value but 0 will do. */
const FIRST_TAIL = Array.from({ length: NEAR_TAIL.length + FAR_TAIL.length + 1 }, () => 0.001);
/** How many jobs the ages before the earliest end are worth. */
const EARLY_JOBS = 0.1;
/** Rounds of self-consistency. Chosen: more rounds make the law sharper than the data, and no poll moves. */
const ROUNDS = 8;
/** No end is known better than this fraction of its age: what is seen includes the time of a call. */
const SHARPEST = 0.002;
/** Smoothing reaches this many times √n of n ends to each side. */
const SMOOTHING = 0.5;
/** It reaches at most this many times as far to one side as to the other. Otherwise the latest cells of a sharp law reach to the end of one old, wide interval. */
const MOST_SKEWED = 3;
/** It reaches no further than this fraction of an age, so that two populations stay two. */
const WIDEST_SMOOTHING = 0.1;

/** Estimates the law of the jobs; at least one of them must have ended. */
export function estimateLaw(jobs: readonly EndWithin[]): Law {
  const ended = jobs.filter(({ toMs }) => Number.isFinite(toMs));
  const seen = lawOf(ended.flatMap(startOf));
  const endedJobs = ended.reduce((sum, { weight }) => sum + weight, 0);
  let law = withTail(seen, FIRST_TAIL);
  const all = [...jobs, ...unseenJobs(law, seen)];
  for (let round = 0; round < ROUNDS; round++) law = consistent(law, all);
  return smoothed(law, seen.agesMs.length - 1, endedJobs);
}

/**
 * Where an end is assumed to lie before the first round: mostly shortly before the poll that saw it, because polls are made where ends are
 * expected. The sharper an interval is, the more it counts here: otherwise many wide ones would blur what a few sharp ones show, and the rounds
 * would not undo that.
 */
function startOf({ fromMs, toMs, weight }: EndWithin): readonly Piece[] {
  const nearMs = (1 - NEAR_SHARE_OF_AGE) * toMs;
  const sharpestMs = SHARPEST * Math.max(toMs, 1);
  const mass = weight * Math.sqrt(sharpestMs / Math.max(toMs - fromMs, sharpestMs));
  if (fromMs >= nearMs) return [piece(fromMs, toMs, mass)];
  return [piece(nearMs, toMs, mass * NEAR_SHARE), piece(fromMs, toMs, mass * (1 - NEAR_SHARE))];
}

/** Unseen jobs: one earlier, one later and one much later than all that were seen, each a fraction of a job. */
function unseenJobs({ agesMs }: Law, seen: Law): readonly EndWithin[] {
  const body = seen.agesMs.length - 1;
  const near = body + NEAR_TAIL.length;
  return [
    { fromMs: 0, toMs: at(agesMs, 1), weight: EARLY_JOBS },
    { fromMs: at(agesMs, body), toMs: at(agesMs, near), weight: NEAR_TAIL_JOBS },
    { fromMs: at(agesMs, near), toMs: Number.POSITIVE_INFINITY, weight: FAR_TAIL_JOBS },
  ];
}

/** A piece no narrower than `SHARPEST` allows. */
function piece(fromMs: number, toMs: number, mass: number): Piece {
  return { fromMs: Math.max(0, Math.min(fromMs, toMs * (1 - SHARPEST))), toMs: Math.max(toMs, 1), mass };
}

/** Appends the tail; `tail` has the probability of each of its cells, and of what is beyond them. */
function withTail(body: Law, tail: readonly number[]): Law {
  const lastMs = at(body.agesMs, body.agesMs.length - 1);
  const spreadMs = Math.max(lastMs - quantileMs(body, 0.5), SHARPEST * lastMs);
  const near = NEAR_TAIL.map((times) => lastMs + times * spreadMs);
  const far = FAR_TAIL.map((times) => times * (near.at(-1) ?? lastMs));
  const inBody = 1 - tail.reduce((sum, mass) => sum + mass, 0);
  const endedBy = Array.from(body.endedBy, (mass) => mass * inBody);
  for (const mass of tail.slice(0, -1)) endedBy.push((endedBy.at(-1) ?? 0) + mass);
  const agesMs = Float64Array.from([...body.agesMs, ...near, ...far]);
  return { agesMs, endedBy: Float64Array.from(endedBy), knownMs: lastMs };
}

/** One round of self-consistency: O(jobs + cells), because only the two cells at an interval's ends are cut. */
function consistent(law: Law, jobs: readonly EndWithin[]): Law {
  const cells = law.agesMs.length;
  // Per cell: by which factor its mass grows. `cells` means what is beyond the last age.
  const steps = new Float64Array(cells + 2);
  const partly = new Float64Array(cells + 1);
  let total = 0;
  for (const { fromMs, toMs, weight } of jobs) {
    const first = cellAt(law, fromMs);
    const last = Number.isFinite(toMs) ? Math.max(first, lastCell(law, toMs)) : cells - 1;
    const cutFirst = first === cells - 1 ? 0 : shareOfCell(law, first, fromMs);
    const cutLast = last === cells - 1 ? 0 : 1 - shareOfCell(law, last, toMs);
    const possible =
      upTo(law, last + 1) - upTo(law, first) - cutFirst * massOf(law, first) - cutLast * massOf(law, last);
    if (possible <= 1e-12) continue;
    const factor = weight / possible;
    steps[first] = at(steps, first) + factor;
    steps[last + 1] = at(steps, last + 1) - factor;
    partly[first] = at(partly, first) - factor * cutFirst;
    partly[last] = at(partly, last) - factor * cutLast;
    total += weight;
  }
  const endedBy = new Float64Array(cells);
  let factor = 0;
  for (let cell = 0; cell < cells - 1; cell++) {
    factor += at(steps, cell);
    endedBy[cell + 1] =
      at(endedBy, cell) + (Math.max(0, factor + at(partly, cell)) * massOf(law, cell)) / Math.max(total, 1e-12);
  }
  return { ...law, endedBy };
}

const upTo = ({ endedBy }: Law, index: number) => (index >= endedBy.length ? 1 : at(endedBy, index));
const massOf = (law: Law, cell: number) => upTo(law, cell + 1) - upTo(law, cell);
/** The cell that ends at or contains `ageMs`. */
function lastCell(law: Law, ageMs: number): number {
  const cell = cellAt(law, ageMs);
  return cell > 0 && at(law.agesMs, cell) === ageMs ? cell - 1 : cell;
}
function shareOfCell({ agesMs }: Law, cell: number, ageMs: number): number {
  const fromMs = at(agesMs, cell);
  const widthMs = at(agesMs, cell + 1) - fromMs;
  return widthMs > 0 ? Math.min(1, Math.max(0, (ageMs - fromMs) / widthMs)) : 0;
}

/** Spreads each cell of the body over as many neighbours as hold about √n of n jobs. */
function smoothed(law: Law, bodyCells: number, jobs: number): Law {
  const span = SMOOTHING / Math.sqrt(jobs);
  const pieces: Piece[] = [];
  for (let cell = 0; cell < bodyCells; cell++) {
    const mass = massOf(law, cell);
    if (mass <= 0) continue;
    const fromMs = at(law.agesMs, cell);
    const toMs = at(law.agesMs, cell + 1);
    const middleMs = (fromMs + toMs) / 2;
    const share = at(law.endedBy, cell) + mass / 2;
    const reachMs = (otherShare: number) =>
      Math.min(Math.abs(quantileMs(law, otherShare) - middleMs), WIDEST_SMOOTHING * middleMs);
    const earlierMs = reachMs(Math.max(0, share - span));
    const laterMs = reachMs(Math.min(1, share + span));
    const lowMs = middleMs - Math.min(earlierMs, MOST_SKEWED * laterMs);
    const highMs = middleMs + Math.min(laterMs, MOST_SKEWED * earlierMs);
    pieces.push(piece(Math.min(fromMs, lowMs), Math.max(toMs, highMs), mass));
  }
  const tail = Array.from({ length: law.agesMs.length - bodyCells }, (_, index) => massOf(law, bodyCells + index));
  return withTail(lawOf(pieces), tail);
}
