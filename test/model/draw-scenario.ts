/** Turns a seed into a scenario. Each seed draws from only a few kinds of mishaps, so that combinations that matter occur often enough. */
import type { Action } from '../../src/domain/target/actions.js';
import { Dice } from '../chaos/dice.js';
import { ANY_ACTION, DISRUPTIONS, drawDisruption, FAULTS, LIMITS } from './draw-mishaps.js';
import { PLOT_NAMES, PLOTS, type PlotName } from './draw-plots.js';
import type { CloudHabits, PlannedAction, PlannedRun, Scenario, TemporalHabits } from './scenario.js';

const { visibilityWindowMs: WINDOW_MS } = LIMITS;

/** One seed in this many plays a plot. Chosen: each plot is played 600 times in 100,000 interleavings. */
const SEEDS_PER_PLOT = 12;

/** In one seed of this many, workers of another project ask for tasks of the same queue. Chosen. */
const SEEDS_PER_STRAY_QUEUE = 16;

/** @param seed the same seed draws the same scenario */
export function drawScenario(seed: number): Scenario {
  const dice = new Dice(seed);
  const plot = plotOf(seed);
  return plot === null ? drawn(seed, dice) : plotted(seed, dice, plot);
}

/** The plot that a seed plays, if any, found without drawing the scenario. */
export function plotOf(seed: number): PlotName | null {
  const index = seed % SEEDS_PER_PLOT === 0 ? (seed / SEEDS_PER_PLOT) % PLOT_NAMES.length : -1;
  return PLOT_NAMES[index] ?? null;
}

function drawn(seed: number, dice: Dice): Scenario {
  const { faults, disruptions } = dice.one(WEATHERS);
  const faultKinds = dice.times(dice.whole(1, 4), () => dice.one(FAULTS));
  const disruptionKinds = dice.times(dice.whole(1, 3), () => dice.one(DISRUPTIONS));
  return {
    noise: seed,
    limits: LIMITS,
    cloud: drawCloud(dice),
    temporal: { ...drawTemporal(dice), ...(seed % SEEDS_PER_STRAY_QUEUE === 1 ? { elsewhere: 0.3 } : {}) },
    runs: dice.times(dice.chance(0.3) ? 2 : 1, () => drawRun(dice, drawActions(dice))),
    faults: dice.times(dice.one(faults), () => dice.one(faultKinds)(dice)),
    disruptions: dice.times(dice.one(disruptions), () => drawDisruption(dice, dice.one(disruptionKinds))),
  };
}

function drawTemporal(dice: Dice): TemporalHabits {
  return { attemptAfterReset: dice.one([1, 2]), clockSkewMs: dice.chance(0.2) ? 500 : 0 };
}

/** One run with enough time for its plot, on a running instance, sometimes with one more mishap of any kind. */
function plotted(seed: number, dice: Dice, name: PlotName): Scenario {
  const { actions, faults, disruptions, cloud, temporal } = PLOTS[name](dice);
  const { closesAfterMs: _never, ...run } = drawRun(dice, actions);
  const steps = run.steps.map((step) => ({ ...step, deadlineMs: PLOT_STEP_MS, onFailure: 'compensate' as const }));
  const first = { ...run, steps, deadlineMs: PLOT_RUN_MS };
  const habits = drawCloud(dice);
  const status = 'RUNNING';
  const initial = { ...habits.initial, status, availableReplica: habits.initial.replica };
  return {
    noise: seed,
    limits: LIMITS,
    cloud: { ...habits, initial, ...cloud },
    temporal: { ...drawTemporal(dice), ...temporal },
    runs: [first, ...dice.times(dice.chance(0.3) ? 1 : 0, () => drawRun(dice, drawActions(dice)))],
    faults: [...faults, ...dice.times(dice.chance(0.1) ? 1 : 0, () => dice.one(FAULTS)(dice))],
    disruptions: [
      ...disruptions,
      ...dice.times(dice.chance(0.1) ? 1 : 0, () => drawDisruption(dice, dice.one(DISRUPTIONS))),
    ],
  };
}

/** Longer than any plot lasts. */
const PLOT_STEP_MS = 240_000;
const PLOT_RUN_MS = 1_800_000;

/** The number of mishaps. Most interleavings have a few. Storms are rare, because many of their mishaps cancel each other out. */
const WEATHERS: readonly { readonly faults: readonly number[]; readonly disruptions: readonly number[] }[] = [
  { faults: [0, 1, 1], disruptions: [0, 0, 1] },
  ...Array.from({ length: 6 }, () => ({ faults: [0, 1, 1, 2, 2, 3, 4], disruptions: [0, 1, 1, 2, 2, 3] })),
  { faults: [2, 4, 8], disruptions: [2, 4, 6] },
];

/** The visibility window holds except in a few interleavings. Beyond it an action may be sent once more, but never a restart. */
function drawLongestLagMs(dice: Dice): number {
  if (dice.chance(0.02)) return 4 * WINDOW_MS;
  return dice.chance(0.5) ? WINDOW_MS : dice.whole(0, WINDOW_MS);
}

function drawCloud(dice: Dice): CloudHabits {
  const isStopped = dice.chance(0.12);
  const replica = dice.whole(1, 4);
  return {
    initial: {
      status: isStopped ? 'STOPPED' : 'RUNNING',
      version: '1.4.1',
      replica,
      availableReplica: isStopped ? 0 : replica,
      hosts: [],
    },
    firstJobId: dice.chance(0.1) ? null : 'J0',
    busy: dice.one(['reject', 'accept']),
    wrongState: dice.chance(0.3) ? 'noop' : 'reject',
    statusAfterFailure: dice.one(['before', 'FAILED']),
    ownUserKnown: dice.chance(0.8),
    usualDurationMs: dice.one([2_000, 6_000, 15_000]),
    longestLagMs: drawLongestLagMs(dice),
  };
}

const STOP: Action = { action: 'stop' };
const START: Action = { action: 'start' };
const ROLLBACK: Action = { action: 'rollback', version: '1.4.0' };

/** `recover`, and pairs that undo each other, are frequent, because random plans rarely make sense. */
function drawActions(dice: Dice): readonly Action[] {
  return dice.one<() => readonly Action[]>([
    () => [dice.one(ANY_ACTION)(dice)],
    () => [dice.one(ANY_ACTION)(dice)],
    () => dice.times(2, () => dice.one(ANY_ACTION)(dice)),
    () => [STOP, START],
    () => [STOP, ROLLBACK, START],
    () => [{ action: 'scale', replica: dice.whole(1, 5) }, { action: 'restart' }],
    () => [
      { action: 'scale', replica: dice.whole(1, 5) },
      { action: 'scale', replica: dice.whole(1, 5) },
    ],
  ])();
}

function drawRun(dice: Dice, actions: readonly Action[]): PlannedRun {
  return {
    steps: drawSteps(dice, actions),
    onCancel: dice.one(['compensate', 'compensate', 'stop-after-step', 'leave']),
    deadlineMs: dice.chance(0.8) ? 1_800_000 : dice.whole(30_000, 300_000),
    startsAfterMs: dice.chance(0.5) ? dice.whole(10, 1_000) : dice.whole(1_000, 60_000),
    ...(dice.chance(0.1) ? { closesAfterMs: dice.whole(0, 60_000) } : {}),
  };
}

/** As planned: a step that an action follows need not hold, unless its file sets how long. Plans of older workers hold every step. */
function drawSteps(dice: Dice, actions: readonly Action[]): readonly PlannedAction[] {
  const isPassing = dice.chance(0.7);
  return actions.map((action, index) => {
    const step = drawStep(dice, action);
    return isPassing && index + 1 < actions.length ? { ...step, holds: false } : step;
  });
}

function drawStep(dice: Dice, action: Action): PlannedAction {
  return {
    action,
    deadlineMs: dice.one([60_000, 90_000, 150_000]),
    stableMs: dice.one([0, 0, 4_000]),
    onFailure: dice.one(['compensate', 'compensate', 'compensate', 'continue', 'abort']),
    compensation: dice.chance(0.9)
      ? { kind: 'default' }
      : dice.one([
          { kind: 'none', reason: 'declared' },
          { kind: 'irreversible', reason: 'declared' },
        ]),
  };
}
