/** The promises, checked against what truly happened. They are those of the chaos suite, but nothing has to be guessed here. */
import { notAloneThings } from './alone.js';
import { unapprovedThings } from './approved.js';
import { uncheckedThings } from './checked.js';
import { notHeldThings } from './held.js';
import { unknownDespiteDecisions, unknownThings } from './known.js';
import { sentTooOften } from './once.js';
import { sentTooSoon } from './operated.js';
import { repeatedByResumes } from './resumed.js';
import { sentDespiteCommands } from './steered.js';
import { leftOutThings } from './left-out.js';
import { notUndoneThings } from './undone.js';
import type { World } from './world.js';

/** A promise that did not hold. */
export interface Broken {
  readonly promise: 'once' | 'known' | 'undone' | 'alone' | 'ends' | 'contract';
  readonly what: string;
}

const CHECKS: Readonly<Record<Broken['promise'], (world: World, hasEnded: boolean) => readonly string[]>> = {
  contract: ({ truth }) => truth.breaches,
  once: (world) => [
    ...sentTooOften(world),
    ...sentTooSoon(world),
    ...repeatedByResumes(world),
    ...world.truth.miscounted,
  ],
  known: (world) =>
    isOperated(world)
      ? unknownDespiteDecisions(world)
      : [...unknownThings(world), ...leftOutThings(world), ...notHeldThings(world)],
  undone: notUndoneThings,
  alone: (world) => [
    ...notAloneThings(world),
    ...sentDespiteCommands(world),
    ...unapprovedThings(world),
    ...uncheckedThings(world),
  ],
  ends: endlessThings,
};
const PROMISES = Object.keys(CHECKS) as readonly Broken['promise'][];

/** Beyond the visibility window no other promise holds. */
const PROMISED_ALWAYS: readonly Broken['promise'][] = ['contract', 'once', 'ends'];

/** The names of retried decisions are not those of their steps, so what was undone is not compared with the report. */
const PROMISED_WITH_AN_OPERATOR: readonly Broken['promise'][] = ['contract', 'once', 'known', 'alone', 'ends'];

/**
 * @param hasEnded whether everything ended by itself
 *
 * @returns an empty list if every promise holds
 */
export function brokenPromises(world: World, hasEnded: boolean): readonly Broken[] {
  const { limits, cloud } = world.scenario;
  const isPromised = isOperated(world) ? PROMISED_WITH_AN_OPERATOR : PROMISES;
  const promised = cloud.longestLagMs > limits.visibilityWindowMs ? PROMISED_ALWAYS : isPromised;
  return promised.flatMap((promise) => CHECKS[promise](world, hasEnded).map((what) => ({ promise, what })));
}

/** True if somebody decides about a blocked step. */
function isOperated({ scenario: { runs } }: World): boolean {
  return runs.some(({ operator = [] }) => operator.some(({ command }) => command !== null));
}

function endlessThings({ truth }: World, hasEnded: boolean): readonly string[] {
  if (truth.breaches.length > 0) return [];
  const open = truth.holders.filter(({ closedAtMs }) => closedAtMs === null);
  const terminated = truth.holders.filter(({ status }) => status === 'TERMINATED');
  const asked = (truth.counts['disruption terminate'] ?? 0) + (truth.counts['disruption resetWorkflow'] ?? 0);
  return [
    ...(hasEnded ? [] : ['the interleaving did not come to an end']),
    ...open.map(({ runId }) => `${runId} did not come to a report`),
    ...terminated.slice(asked).map(({ runId }) => `${runId} was terminated, though nothing asked for it`),
  ];
}
