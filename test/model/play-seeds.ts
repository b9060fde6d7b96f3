/** Plays many seeds in this thread, and adds up what happened. */
import type { Counts } from './chronicle.js';
import { playOne } from './play.js';
import type { Machine } from './world.js';

/** What many interleavings came to. */
export interface Tally {
  readonly played: number;
  readonly events: number;
  readonly counts: Counts;
  /** Seeds that broke a promise, in the order in which they were played. */
  readonly broken: readonly number[];
}

/** @param stride every how many seeds one is played, so that several threads share a range */
export function playSeeds(from: number, to: number, stride: number, machine?: Machine): Tally {
  const counts: Counts = {};
  const broken: number[] = [];
  let played = 0;
  let events = 0;
  for (let seed = from; seed < to; seed += stride) {
    const one = playOne(seed, machine);
    played++;
    events += one.events;
    for (const [what, count] of Object.entries(one.counts)) counts[what] = (counts[what] ?? 0) + count;
    if (one.broken.length > 0) broken.push(seed);
  }
  return { played, events, counts, broken };
}

/** Of several threads or ranges. */
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
