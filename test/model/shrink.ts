/** Reduces a failing scenario: removes whatever the failure does not need, whatever the latencies. */
import type { Broken } from './invariants.js';
import { playScenario } from './play.js';
import type { PlannedRun, Scenario } from './scenario.js';
import type { Machine } from './world.js';

/**
 * With fewer mishaps the same latencies seldom coincide, so each smaller scenario is tried with this many seeds of noise. Chosen: a failure
 * shrinks within seconds.
 */
const NOISES = 80;

/** @returns the smallest scenario found that still breaks the promise */
export function shrink(scenario: Scenario, { promise }: Broken, machine?: Machine): Scenario {
  let smallest = scenario;
  for (;;) {
    const smaller = firstBroken(smallerOnes(smallest), promise, machine);
    if (smaller === null) return smallest;
    smallest = smaller;
  }
}

function firstBroken(candidates: readonly Scenario[], promise: Broken['promise'], machine?: Machine): Scenario | null {
  for (const candidate of candidates)
    for (let noise = 0; noise < NOISES; noise++) {
      const tried = noise === 0 ? candidate : { ...candidate, noise };
      if (playScenario(tried, machine).broken.some((broken) => broken.promise === promise)) return tried;
    }
  return null;
}

/** All scenarios with one thing removed. */
function smallerOnes(scenario: Scenario): readonly Scenario[] {
  const { runs, faults, disruptions, cloud, temporal } = scenario;
  const calm = { ...cloud, longestLagMs: 0 };
  return [
    ...without(disruptions).map((fewer) => ({ ...scenario, disruptions: fewer })),
    ...without(faults).map((fewer) => ({ ...scenario, faults: fewer })),
    ...(runs.length > 1 ? without(runs).map((fewer) => ({ ...scenario, runs: fewer })) : []),
    ...runs.flatMap((run, index) =>
      run.steps.length > 1
        ? without(run.steps).map((steps) => ({
            ...scenario,
            runs: runs.with(index, { ...run, steps: lastHolds(steps) }),
          }))
        : [],
    ),
    ...runs.flatMap((run, index) =>
      [
        ...without(run.asides ?? []).map((asides) => ({ ...run, asides })),
        ...without(run.votes ?? []).map((votes) => ({ ...run, votes })),
      ].map((fewer) => ({ ...scenario, runs: runs.with(index, fewer) })),
    ),
    ...runs.flatMap(({ closesAfterMs, ...run }, index) =>
      closesAfterMs === undefined ? [] : [{ ...scenario, runs: runs.with(index, run) }],
    ),
    ...faults.flatMap((fault, index) =>
      fault.times > 1 ? [{ ...scenario, faults: faults.with(index, { ...fault, times: 1 }) }] : [],
    ),
    ...(temporal.clockSkewMs > 0 ? [{ ...scenario, temporal: { ...temporal, clockSkewMs: 0 } }] : []),
    ...((temporal.elsewhere ?? 0) > 0 ? [{ ...scenario, temporal: { ...temporal, elsewhere: 0 } }] : []),
    ...(cloud.longestLagMs > 0 ? [{ ...scenario, cloud: calm }] : []),
    ...(cloud.ownUserKnown ? [] : [{ ...scenario, cloud: { ...cloud, ownUserKnown: true } }]),
    ...(cloud.wrongState === 'noop' ? [{ ...scenario, cloud: { ...cloud, wrongState: 'reject' as const } }] : []),
  ];
}

function without<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  return items.map((_item, index) => items.toSpliced(index, 1));
}

/** The last step of a run must see its state hold, as in every plan. */
function lastHolds(steps: PlannedRun['steps']): PlannedRun['steps'] {
  return steps.map(({ holds, ...step }, index) =>
    holds === false && index + 1 < steps.length ? { ...step, holds } : step,
  );
}
