/** What was played, in figures: counted from the evidence, added up over seeds. */
import type { Evidence } from './evidence.js';

export type Totals = Readonly<Record<TotalName, number>>;

const TOTAL_NAMES = [
  'seeds',
  'runs',
  'decisions',
  'acceptedPosts',
  'foreignActions',
  'workersKilled',
  'workersFrozen',
  'serversStopped',
  'linksBroken',
  'answersLost',
  'resets',
  'terminates',
  'cancels',
  'commandsAccepted',
  'commandsRefused',
  'stepsDecided',
  'pauses',
  'webhooksReceived',
  'attempts',
  'adoptions',
  'indeterminates',
  'violations',
] as const;
type TotalName = (typeof TOTAL_NAMES)[number];

export const NOTHING: Totals = Object.fromEntries(TOTAL_NAMES.map((name) => [name, 0])) as Record<TotalName, number>;

export function add(left: Totals, right: Totals): Totals {
  return Object.fromEntries(TOTAL_NAMES.map((name) => [name, left[name] + right[name]])) as Record<TotalName, number>;
}

/** Faults after which the action was accepted but the caller does not learn its cloud job. */
const LOSES_THE_ANSWER = ['actThenReset', 'actThenStatus', 'actThenHang', 'actThenWrongBody', 'truncate', 'actLate'];

export function totalsOf({ scenes, disturbances }: Evidence, violations: number): Totals {
  const happened = [...disturbances, ...scenes.flatMap((scene) => scene.disturbances)];
  const count = (...kinds: string[]) => happened.filter(({ kind }) => kinds.includes(kind)).length;
  const accepted = scenes.flatMap((scene) => scene.accepted);
  const holders = scenes.flatMap((scene) => scene.holders);
  const sendings = scenes.flatMap((scene) => scene.sendings);
  const steps = holders.flatMap(({ report }) => [...(report?.steps ?? []), ...(report?.compensations ?? [])]);
  return {
    seeds: 1,
    runs: scenes.flatMap((scene) => scene.runs).length,
    decisions: holders.flatMap(({ decisions }) => decisions).length,
    acceptedPosts: accepted.filter(({ byConsole }) => !byConsole).length,
    foreignActions: accepted.filter(({ byConsole }) => byConsole).length,
    workersKilled: count('killWorker'),
    workersFrozen: count('freezeWorker'),
    serversStopped: count('stopServer'),
    linksBroken: count('cut', 'stall'),
    answersLost: count(...LOSES_THE_ANSWER),
    resets: count('resetActivity', 'pauseActivity', 'resetTarget'),
    terminates: count('terminateRun', 'terminateTarget'),
    cancels: count('cancel'),
    commandsAccepted: sendings.filter(({ result }) => result === 'accepted').length,
    commandsRefused: sendings.filter(({ result }) => result === 'refused').length,
    stepsDecided: steps.filter(({ decisions }) => decisions !== undefined).length,
    pauses: scenes
      .flatMap(({ runs }) => runs.flatMap(({ steered }) => steered.states))
      .filter(({ state }) => state === 'paused').length,
    webhooksReceived: scenes.flatMap(({ received }) => received).length,
    attempts: steps.reduce((sum, { attempts }) => sum + attempts, 0),
    adoptions: steps.filter(({ evidence }) => evidence !== undefined).length,
    indeterminates: steps.filter(({ result }) => result === 'indeterminate').length,
    violations,
  };
}
