/** What happens while a retry of a blocked step is carried out: a command to the run at every moment of it, a second fault at every request. */
import { pairsOf, runOf, type FaultCase } from './exhaustive-cases.js';
import { commandAt, momentsOf } from './exhaustive-commands.js';
import { blocking, DECIDES_AFTER_MS, NOBODY } from './exhaustive-decisions.js';
import { playCase, type PlayedCase, type PlayedRun } from './exhaustive-play.js';
import { UNTOUCHED, type SteeredCase, type SteeredGroup } from './exhaustive-steered.js';
import type { OperatorMove } from './scenario.js';
import type { Machine } from './world.js';

const RETRIES: OperatorMove = { afterMs: DECIDES_AFTER_MS, command: 'retryStep' };
const SKIPS: OperatorMove = { afterMs: DECIDES_AFTER_MS, command: 'skipStep' };
/** How long a pause lasts. */
const PAUSED_FOR_MS = 60_000;

interface Retried {
  readonly single: FaultCase;
  readonly run: PlayedRun;
  readonly played: PlayedCase;
  /** When it was retried. */
  readonly fromMs: number;
}

/** @returns the cases of a fault; none if it leaves no step blocked */
export function retriesAfter(single: FaultCase, machine?: Machine): SteeredGroup[] {
  const run = steered(blocking(runOf(single)), [RETRIES, NOBODY]);
  const played = playCase(run, single.faults, machine);
  const [block] = played.blocks;
  if (block === undefined) return [];
  const retried = { single, run, played, fromMs: block.atMs + DECIDES_AFTER_MS };
  return [...commandsDuring(retried, machine), ...faultsDuring(retried)];
}

function steered(run: PlayedRun, operator: readonly OperatorMove[]): PlayedRun {
  return { ...run, plan: { ...run.plan, operator, commands: [] } };
}

/** A pause, which does not change how the retry ends, and an abort. */
function commandsDuring({ single, run, played, fromMs }: Retried, machine?: Machine): SteeredGroup[] {
  const { id, faults, weight } = single;
  const moments = momentsOf(run, faults, machine).filter(({ atMs }) => atMs >= fromMs);
  return moments.map((moment) => ({
    id: `${id}, retried/${moment.name}`,
    run,
    faults,
    weight: weight * moment.weight,
    untouched: played.line,
    cases: [
      caseOf('pause', UNTOUCHED, {
        commands: [commandAt('pause', moment.atMs), commandAt('resume', moment.atMs + PAUSED_FOR_MS)],
      }),
      caseOf('abort', null, { commands: [commandAt('abort', moment.atMs)] }),
    ],
  }));
}

/** If the step is blocked again, it is retried again or skipped. */
function faultsDuring({ single, run, played, fromMs }: Retried): SteeredGroup[] {
  return pairsOf(single, played)
    .filter(({ faults: [, second] }) => (played.asked[(second?.order ?? 0) - 1]?.atMs ?? 0) >= fromMs)
    .map(({ id, faults, weight }) => ({
      ...{ id: `${id}, retried`, run, faults, weight, untouched: null },
      cases: [RETRIES, SKIPS].map((second) =>
        caseOf(`then ${second.command}`, null, { operator: [RETRIES, second, NOBODY] }),
      ),
    }));
}

function caseOf(name: string, as: string | null, given: SteeredCase['given']): SteeredCase {
  return { name, given, as, repeats: null, over: null };
}
