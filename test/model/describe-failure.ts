/** Describes an interleaving that broke a promise: its seed, the smallest scenario that still breaks it, and the transcript. */
import { playOne, playScenario, type Draw } from './play.js';
import type { Scenario } from './scenario.js';
import { shrink } from './shrink.js';
import { Transcript } from './transcript.js';
import type { Machine } from './world.js';

/** @param seed one that breaks a promise @param options of the command that plays it again */
export function describeFailure(seed: number, machine?: Machine, draw?: Draw, options = ''): string {
  const { broken, scenario } = playOne(seed, machine, draw);
  const [first] = broken;
  if (first === undefined) return `seed ${seed} breaks nothing`;
  const smallest = shrink(scenario, first, machine);
  const transcript = new Transcript();
  const { broken: still } = playScenario(smallest, machine, transcript);
  return [
    `seed ${seed}: ${first.promise}: ${first.what}`,
    `repeat it: npm run model -- --seed ${seed} --count 1${options}`,
    '',
    'shrunk to:',
    ...describeScenario(smallest),
    '',
    ...transcript.lines,
    '',
    ...still.map(({ promise, what }) => `${promise}: ${what}`),
  ].join('\n');
}

function describeScenario({ runs, cloud, temporal, faults, disruptions, noise }: Scenario): readonly string[] {
  const { initial, ...habits } = cloud;
  return [
    `  noise ${noise}, ${initial.status} ${initial.replica}, ${JSON.stringify({ ...habits, ...temporal })}`,
    ...runs.map((run) => `  run ${JSON.stringify(run)}`),
    ...faults.map((fault) => `  fault ${JSON.stringify(fault)}`),
    ...disruptions.map((disruption) => `  disruption ${JSON.stringify(disruption)}`),
  ];
}
