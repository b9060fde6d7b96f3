/** What happens while a retry of a blocked step is carried out: a command to the run at every moment of it, a second fault at every request. */
import { pairsOf, runOf, type FaultCase } from './exhaustive-cases.js';
import { commandAt, momentsOf } from './exhaustive-commands.js';
import { blocking, DECIDES_AFTER_MS, NO_ONE } from './exhaustive-decisions.js';
import { playCase, type PlayedCase, type PlayedRun } from './exhaustive-play.js';
import { UNTOUCHED, type SteeredCase, type SteeredGroup } from './exhaustive-steered.js';
import { AGAIN } from './operator-flow.js';
import type { OperatorMove } from './scenario.js';
import type { Machine } from './world.js';

const RETRIES: OperatorMove = { afterMs: DECIDES_AFTER_MS, command: 'retryStep' };
const SKIPS: OperatorMove = { afterMs: DECIDES_AFTER_MS, command: 'skipStep' };
/** An abort before anybody decided. */
const ABORTED_BLOCKED = 'abort while blocked';
/** How long a pause lasts. */
const PAUSED_FOR_MS = 60_000;

interface Retried {
  readonly single: FaultCase;
  readonly run: PlayedRun;
  readonly played: PlayedCase;
  readonly block: PlayedCase['blocks'][number];
  /** When it was retried. */
  readonly fromMs: number;
}

/** @returns the cases of a fault; none if it leaves no step blocked */
export function retriesAfter(single: FaultCase, machine?: Machine): SteeredGroup[] {
  const run = steered(blocking(runOf(single)), [RETRIES, NO_ONE]);
  const played = playCase(run, single.faults, machine);
  const [block] = played.blocks;
  if (block === undefined) return [];
  const retried = { single, run, played, block, fromMs: block.atMs + DECIDES_AFTER_MS };
  return [...commandsDuring(retried, machine), ...faultsDuring(retried)];
}

function steered(run: PlayedRun, operator: readonly OperatorMove[]): PlayedRun {
  return { ...run, plan: { ...run.plan, operator, commands: [] } };
}

/** A pause, which does not change how the retry ends, and an abort, which leaves the step as it was if the retry sent nothing yet. */
function commandsDuring({ single, run, played, block, fromMs }: Retried, machine?: Machine): SteeredGroup[] {
  const { id, faults, weight } = single;
  const aborted = playCase(
    { ...run, plan: { ...run.plan, operator: [NO_ONE], commands: [commandAt('abort', fromMs)] } },
    faults,
    machine,
  );
  // A fault that comes later hits another request after an abort.
  const isHitBefore = faults.every(({ order }) => (played.asked[order - 1]?.atMs ?? fromMs) < block.atMs);
  const moments = momentsOf(run, faults, machine).filter(({ atMs }) => atMs >= fromMs);
  return moments.map((moment) => ({
    id: `${id}, retried/${moment.name}`,
    run,
    faults,
    weight: weight * moment.weight,
    lines: { [UNTOUCHED]: played.line, [ABORTED_BLOCKED]: aborted.line },
    cases: [
      caseOf('pause', UNTOUCHED, {
        commands: [commandAt('pause', moment.atMs), commandAt('resume', moment.atMs + PAUSED_FOR_MS)],
      }),
      {
        ...caseOf('abort', isHitBefore ? ABORTED_BLOCKED : null, { commands: [commandAt('abort', moment.atMs)] }),
        unlessSent: `${block.step}${AGAIN}1`,
      },
    ],
  }));
}

/** If the step is blocked again, it is retried again or skipped. */
function faultsDuring({ single, run, played, fromMs }: Retried): SteeredGroup[] {
  return pairsOf(single, played)
    .filter(({ faults: [, second] }) => (played.asked[(second?.order ?? 0) - 1]?.atMs ?? 0) >= fromMs)
    .map(({ id, faults, weight }) => ({
      ...{ id: `${id}, retried`, run, faults, weight, lines: {} },
      cases: [RETRIES, SKIPS].map((second) =>
        caseOf(`then ${second.command}`, null, { operator: [RETRIES, second, NO_ONE] }),
      ),
    }));
}

function caseOf(name: string, as: string | null, given: SteeredCase['given']): SteeredCase {
  return { name, given, as, repeats: null, over: null };
}
