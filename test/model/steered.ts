/** Scenarios with commands to the run at random moments, and what such commands promise. */
import type { RunCommandName } from '../../src/domain/steering/command-names.js';
import { Dice } from '../chaos/dice.js';
import type { HolderRecord, Pause } from './ground-truth.js';
import { drawOperated } from './operated.js';
import { AGAIN } from './operator-flow.js';
import type { RunCommand, Scenario } from './scenario.js';
import { formatTime } from './transcript.js';
import type { World } from './world.js';

const COMMANDS: readonly RunCommandName[] = ['pause', 'pause', 'pause', 'resume', 'resume', 'abort'];
/** Messages are quick, or wait for a worker. */
const PASSED_ON_MS = [1, 5, 50, 500, 20_000];

/** The scenario of a seed, with an operator of blocked steps and of the run; its own dice, so that the scenario stays the same otherwise. */
export function drawSteered(seed: number): Scenario {
  const scenario = drawOperated(seed);
  const dice = new Dice(seed + 2_000_000_011);
  return { ...scenario, runs: scenario.runs.map((run) => ({ ...run, commands: drawCommands(dice) })) };
}

/** The last one ends a pause: a run that stays paused has no end. It comes after every repeat, since a repeat of what was refused may be accepted. */
export function drawCommands(dice: Dice): readonly RunCommand[] {
  let afterMs = 0;
  const drawn = dice.times(dice.whole(1, 5), () => {
    // Some come at the same moment as the one before.
    afterMs += dice.one([0, dice.whole(0, 500), dice.whole(0, 5_000), dice.whole(0, 60_000)]);
    return commandAt(dice, dice.one(COMMANDS), afterMs);
  });
  const lastMs = Math.max(...drawn.map((command) => command.afterMs + (command.againAfterMs ?? 0)));
  return [...drawn, commandAt(dice, dice.one(['resume', 'abort']), lastMs + dice.whole(1, 60_000))];
}

function commandAt(dice: Dice, command: RunCommandName, afterMs: number): RunCommand {
  const againAfterMs = dice.chance(0.4) ? dice.one([0, 10, 1_000, 30_000]) : null;
  return { command, afterMs, againAfterMs, passedOnMs: dice.one(PASSED_ON_MS) };
}

/** Nothing is sent while the state of a run is `paused`, and no step is begun while its target is held or after it was asked to stop. */
export function sentDespiteCommands({ truth }: World): readonly string[] {
  return truth.posts.flatMap(({ sentAtMs, attempt, holder, decision: { stepId, scheduledAtMs } }) => {
    // The run does not learn of a reset of its target, whose steps then begin again.
    if (wasReset(holder, truth.holders)) return [];
    const { cancelRequestedAtMs, chainId } = holder;
    const isCancelled = (atMs: number) => cancelRequestedAtMs !== null && cancelRequestedAtMs < atMs;
    const isForward = !stepId.startsWith('undo-');
    const isIn = (pause: Pause, atMs: number) =>
      pause.chainId === chainId && pause.fromMs < atMs && atMs < pause.untilMs;
    return [
      // Somebody may have cancelled the target itself, and its run does not know.
      ...(!isCancelled(sentAtMs) && truth.pauses.some((pause) => isIn(pause, sentAtMs))
        ? [`${attempt.name} sent at ${formatTime(sentAtMs)}, although its run was paused`]
        : []),
      // A decision that was accepted before is carried out.
      ...(isForward && !stepId.includes(AGAIN) && truth.holds.some((hold) => isIn(hold, scheduledAtMs))
        ? [`${attempt.name} sent for a step that was begun while its run was pausing or paused`]
        : []),
      ...(isForward && isCancelled(scheduledAtMs)
        ? [`${attempt.name} sent for a step that was begun after the cancel`]
        : []),
    ];
  });
}

function wasReset({ chainId }: HolderRecord, holders: readonly HolderRecord[]): boolean {
  return holders.some((other) => other.chainId === chainId && other.runId !== chainId);
}
