/** The promises, held against what truly happened; the same as those of the chaos suite, with nothing left to guess. */
import { notAloneThings } from './alone.js';
import { unknownThings } from './known.js';
import { sentTooOften } from './once.js';
import { leftOutThings } from './left-out.js';
import { notUndoneThings } from './undone.js';
import type { World } from './world.js';

/** A promise that did not hold. */
export interface Broken {
  readonly promise: 'once' | 'known' | 'undone' | 'alone' | 'ends' | 'contract';
  readonly what: string;
}

const CHECKS: Readonly<Record<Broken['promise'], (world: World, hasEnded: boolean) => readonly string[]>> = {
  contract: ({ chronicle }) => chronicle.breaches,
  once: sentTooOften,
  known: (world) => [...unknownThings(world), ...leftOutThings(world)],
  undone: notUndoneThings,
  alone: notAloneThings,
  ends: endlessThings,
};
const PROMISES = Object.keys(CHECKS) as readonly Broken['promise'][];

/** Beyond the visibility window nothing else is promised. */
const PROMISED_ALWAYS: readonly Broken['promise'][] = ['contract', 'once', 'ends'];

/** Empty where all is well. @param hasEnded whether everything came to an end by itself */
export function brokenPromises(world: World, hasEnded: boolean): readonly Broken[] {
  const { limits, cloud } = world.scenario;
  const promised = cloud.longestLagMs > limits.visibilityWindowMs ? PROMISED_ALWAYS : PROMISES;
  return promised.flatMap((promise) => CHECKS[promise](world, hasEnded).map((what) => ({ promise, what })));
}

function endlessThings({ chronicle }: World, hasEnded: boolean): readonly string[] {
  if (chronicle.breaches.length > 0) return [];
  const open = chronicle.holders.filter(({ closedAtMs }) => closedAtMs === null);
  const terminated = chronicle.holders.filter(({ status }) => status === 'TERMINATED');
  const asked = (chronicle.counts['blow terminate'] ?? 0) + (chronicle.counts['blow resetWorkflow'] ?? 0);
  return [
    ...(hasEnded ? [] : ['the interleaving did not come to an end']),
    ...open.map(({ runId }) => `${runId} did not come to a report`),
    ...terminated.slice(asked).map(({ runId }) => `${runId} was terminated, though nothing asked for it`),
  ];
}
