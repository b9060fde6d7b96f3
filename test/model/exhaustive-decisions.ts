/** Decisions about every step that a single fault leaves blocked: each also repeated, two at once, and beside commands to the run. */
import { TARGET_COMMANDS, type TargetCommandName } from '../../src/domain/steering/command-names.js';
import { AGAIN_AFTER_MS, commandAt } from './exhaustive-commands.js';
import { runOf, type FaultCase } from './exhaustive-cases.js';
import type { PlayedCase, PlayedRun } from './exhaustive-play.js';
import { playSteered, type SteeredCase, type SteeredGroup } from './exhaustive-steered.js';
import type { OperatorMove, PlannedRun, RunCommand } from './scenario.js';
import type { Machine } from './world.js';

/** When the operator decides after a step was blocked. */
export const DECIDES_AFTER_MS = 1_000;
/** An operator who is waited for in vain is waited for that long. */
export const NO_ONE: OperatorMove = { afterMs: 120_000, command: null };
/** How long a pause lasts. */
const PAUSED_FOR_MS = 60_000;
/** Before or after the decision. */
const BESIDE_MS = 10;

/** @returns the cases of a fault; `null` if it leaves no step blocked */
export function decisionsAfter(single: FaultCase, machine?: Machine): SteeredGroup | null {
  const run = blocking(runOf(single));
  const { id, faults, weight } = single;
  const group = { id, run, faults, weight, lines: {}, cases: [] };
  const [block] = playSteered(group, waiting(null), machine).blocks;
  return block === undefined ? null : { ...group, cases: casesOf(block) };
}

/** A failed step waits too. */
export function blocking(run: PlayedRun): PlayedRun {
  const steps = run.plan.steps.map((step) => ({ ...step, onFailure: 'pause' as const }));
  return { ...run, plan: { ...run.plan, steps } };
}

type Block = PlayedCase['blocks'][number];

function casesOf(block: Block): SteeredCase[] {
  const atMs = block.atMs + DECIDES_AFTER_MS;
  const abort = { ...waiting(null), name: 'abort', given: given([NO_ONE], [commandAt('abort', atMs)]) };
  return [
    ...[abort, ...againOf(abort, atMs)],
    ...TARGET_COMMANDS.flatMap((command) => [
      ...decided(command, block, atMs),
      ...besideOthers(command),
      ...besideRunCommands(command, atMs),
    ]),
  ];
}

function againOf(abort: SteeredCase, atMs: number): SteeredCase[] {
  return AGAIN_AFTER_MS.map((againAfterMs): SteeredCase => ({
    ...abort,
    name: `abort, again after ${againAfterMs} ms`,
    given: given([NO_ONE], [{ ...commandAt('abort', atMs), againAfterMs }]),
    as: 'abort',
    repeats: 'abort',
  }));
}

/** A decision alone, and repeated. One that is not a retry sends nothing of its step. */
function decided(command: TargetCommandName, { step }: Block, atMs: number): SteeredCase[] {
  const over = command === 'retryStep' ? null : { step, atMs };
  const once = { ...waiting(command), over };
  const again = [...AGAIN_AFTER_MS, 'atNextBlock' as const].map((againAfterMs): SteeredCase => ({
    ...waiting(command, { againAfterMs }),
    name: `${command}, again ${againAfterMs === 'atNextBlock' ? 'at the next block' : `after ${againAfterMs} ms`}`,
    as: command,
    repeats: command,
    over,
  }));
  return [once, ...again];
}

/** The second one is refused. */
function besideOthers(command: TargetCommandName): SteeredCase[] {
  return TARGET_COMMANDS.filter((other) => other !== command).map((beside) => ({
    ...waiting(command, { beside }),
    name: `${command} + ${beside}`,
    as: command,
  }));
}

function besideRunCommands(command: TargetCommandName, atMs: number): SteeredCase[] {
  const [decision, resume] = [waiting(command), commandAt('resume', atMs + PAUSED_FOR_MS)];
  const { operator } = decision.given;
  const withCommands = (name: string, commands: readonly RunCommand[], as: string | null): SteeredCase => ({
    ...{ ...decision, name, given: { ...(operator === undefined ? {} : { operator }), commands }, as },
  });
  return [
    withCommands(`pause before ${command}`, [commandAt('pause', atMs - BESIDE_MS), resume], command),
    withCommands(`pause + ${command}`, [commandAt('pause', atMs), resume], command),
    withCommands(`pause after ${command}`, [commandAt('pause', atMs + BESIDE_MS), resume], command),
    withCommands(`abort before ${command}`, [commandAt('abort', atMs - BESIDE_MS)], 'abort'),
    withCommands(`abort + ${command}`, [commandAt('abort', atMs)], null),
    withCommands(`abort after ${command}`, [commandAt('abort', atMs + BESIDE_MS)], null),
  ];
}

/** One decision; what is blocked again waits until its time is over. */
function waiting(command: TargetCommandName | null, more: Partial<OperatorMove> = {}): SteeredCase {
  const moves = command === null ? [NO_ONE] : [{ afterMs: DECIDES_AFTER_MS, command, ...more }, NO_ONE];
  return { name: command ?? 'no one decides', given: given(moves, []), as: null, repeats: null, over: null };
}

function given(
  operator: readonly OperatorMove[],
  commands: readonly RunCommand[],
): Pick<PlannedRun, 'operator' | 'commands'> {
  return { operator, commands };
}
