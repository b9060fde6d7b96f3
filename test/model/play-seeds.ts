/** Plays many seeds in this thread and adds up the results. */
import type { Counts } from './ground-truth.js';
import { playOne, type Draw } from './play.js';
import type { Machine } from './world.js';

/** The result of many interleavings. */
export interface Tally {
  readonly played: number;
  readonly events: number;
  readonly counts: Counts;
  /** Seeds that broke a promise, in the order they were played. */
  readonly broken: readonly number[];
}

/** @param stride plays every n-th seed, so that several processes can share a range */
export function playSeeds(from: number, to: number, stride: number, machine?: Machine, draw?: Draw): Tally {
  const counts: Counts = {};
  const broken: number[] = [];
  let played = 0;
  let events = 0;
  for (let seed = from; seed < to; seed += stride) {
    const one = playOne(seed, machine, draw);
    played++;
    events += one.events;
    for (const [what, count] of Object.entries(one.counts)) counts[what] = (counts[what] ?? 0) + count;
    if (one.broken.length > 0) broken.push(seed);
  }
  return { played, events, counts, broken };
}

/** Adds up the results of several processes or ranges. */
export function addUp(tallies: readonly Tally[]): Tally {
  const counts: Counts = {};
  for (const tally of tallies)
    for (const [what, count] of Object.entries(tally.counts)) counts[what] = (counts[what] ?? 0) + count;
  return {
    played: tallies.reduce((sum, { played }) => sum + played, 0),
    events: tallies.reduce((sum, { events }) => sum + events, 0),
    counts,
    broken: tallies.flatMap(({ broken }) => broken).sort((left, right) => left - right),
  };
}
