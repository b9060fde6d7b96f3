/** Turns a seed into a schedule: which scenes are played and what goes wrong when. Pure; the same seed gives the same schedule. */
import { Dice } from './dice.js';
import { LATEST_ACCEPTED_MS, LATEST_VISIBLE_MS } from './plot-parts.js';
import { plot, plotNamed, type PlotName } from './plots.js';
import { steeredPlot } from './plots-of-people.js';
import type { Moment, ReceiverMode, Scene, SceneEvent, SceneFault, Schedule, Timed, WorldEvent } from './schedule.js';

/** Events happen within this time; after it nothing is disrupted until every run has ended. */
const STORM_MS = 9_000;
export const WORKERS = 2;

const SCENES = 24;
const AIMED_SCENES = 12;
/** Disruptions of a worker affect every scene: with more plots that disrupt workers, no worker would be left. */
const DISRUPTIVE_SCENES = 3;

/** @param aim only scenes of these plots and their disruptions, for mishaps that are too rare in a storm drawn from all plots */
export function makeSchedule(seed: number, aim: readonly PlotName[] = []): Schedule {
  const dice = new Dice(seed);
  return {
    seed,
    withCodec: seed % 10 >= 8,
    switches: {
      busy: dice.chance(0.5) ? 'reject' : 'accept',
      wrongState: dice.chance(0.3) ? 'noop' : 'reject',
      jobKeyCase: dice.one(['upper', 'lower']),
      statusAfterFailure: dice.one(['before', 'FAILED']),
      visibleLateMs: dice.chance(0.5) ? dice.whole(0, LATEST_VISIBLE_MS) : 0,
      convergeDelayMs: dice.chance(0.3) ? dice.whole(0, 400) : 0,
      jitter: 0.5,
    },
    receiver: dice.times(6, () =>
      dice.one<ReceiverMode>(['accepts', 'accepts', 'accepts', 'accepts', 'fails', 'hangs']),
    ),
    scenes: aim.length === 0 ? named(SCENES, (name) => scene(dice, name)) : aimedScenes(dice, aim),
    events: aim.length === 0 ? worldEvents(dice) : [],
  };
}

function aimedScenes(dice: Dice, aim: readonly PlotName[]): Scene[] {
  const scenes = named(AIMED_SCENES, (name) => ({ name, ...plotNamed(dice.one(aim), dice, dice.whole(0, STORM_MS)) }));
  const disrupts = scenes.some(({ events }) => events.some(({ event }) => 'worker' in event));
  return disrupts ? scenes.slice(0, DISRUPTIVE_SCENES) : scenes;
}

function named(count: number, make: (name: string) => Scene): Scene[] {
  return Array.from({ length: count }, (_item, index) => make(`s${index}`));
}

/** Runbooks with their weight and their inputs. */
const RUNBOOKS: readonly (readonly [name: string, inputs: (dice: Dice) => Record<string, unknown>])[] = [
  ['recover', () => ({})],
  ['recover', () => ({})],
  ['restart', () => ({})],
  ['restart', () => ({})],
  ['stop', () => ({})],
  ['start', () => ({})],
  ['scale', (dice) => ({ replica: dice.whole(1, 6) })],
  ['rollback', () => ({})],
  ['scale-then-restart', () => ({})],
  ['declared-undo', () => ({})],
  ['go-on', () => ({})],
  ['abort', () => ({})],
  ['short-deadline', () => ({})],
  ['chaos-stop-start', () => ({})],
  ['chaos-many-steps', () => ({})],
  ['chaos-keep', () => ({})],
  ['chaos-leave', () => ({})],
];

/** A run gives up a cloud job that never ends only at its step's deadline, which the catalogue sets in minutes. */
const WITH_DEADLINE = RUNBOOKS.filter(([name]) => name.startsWith('chaos-'));

/** Combinations of mishaps that matter are rare by chance alone, so most scenes are plots; in one of four, people take part. */
function scene(dice: Dice, name: string): Scene {
  if (dice.chance(0.25)) return { name, ...steeredPlot(dice, dice.whole(0, STORM_MS - 4_000)) };
  return dice.chance(0.5) ? { name, ...plot(dice, dice.whole(0, STORM_MS - 2_000)) } : mishap(dice, name);
}

function mishap(dice: Dice, name: string): Scene {
  const beginsAtMs = dice.whole(0, STORM_MS - 2_000);
  const runs = dice.times(dice.chance(0.25) ? 2 : 1, () => beginsAtMs + dice.whole(0, 2_500)).sort((a, b) => a - b);
  const outcomes = dice.chance(0.3) ? [outcome(dice)] : [];
  const needsDeadline = outcomes.some(({ neverEnds }) => neverEnds === true);
  return {
    name,
    status: dice.chance(0.12) ? 'STOPPED' : 'RUNNING',
    faults: dice.times(dice.one([0, 1, 1, 2, 3]), () => fault(dice)),
    outcomes,
    runs: runs.map((atMs) => {
      const [runbook, inputs] = dice.one(needsDeadline ? WITH_DEADLINE : RUNBOOKS);
      return { atMs, runbook, inputs: inputs(dice) };
    }),
    events: sceneEvents(dice, runs.length),
  };
}

const BEFORE_ACTING: readonly ((dice: Dice) => SceneFault['fault'])[] = [
  (dice) => ({ kind: 'status', status: dice.one([500, 502, 503, 400, 403, 404, 409]) }),
  () => ({ kind: 'throttle', retryAfterSeconds: 0.2 }),
  () => ({ kind: 'tokenExpired' }),
  () => ({ kind: 'reset' }),
  (dice) => ({ kind: 'hang', ms: dice.whole(100, 1_500) }),
  (dice) => ({ kind: 'delay', ms: dice.whole(50, 900) }),
  () => ({ kind: 'wrongBody' }),
  () => ({ kind: 'redirect' }),
];

const ACTING: readonly ((dice: Dice) => SceneFault['fault'])[] = [
  () => ({ kind: 'actThenReset' }),
  () => ({ kind: 'actThenReset' }),
  (dice) => ({ kind: 'actThenStatus', status: dice.one([500, 502, 504]) }),
  (dice) => ({ kind: 'actThenHang', ms: dice.whole(200, 1_500) }),
  () => ({ kind: 'actThenWrongBody' }),
  () => ({ kind: 'truncate' }),
  (dice) => ({ kind: 'actLate', ms: dice.whole(20, LATEST_ACCEPTED_MS) }),
  (dice) => ({ kind: 'visibleLate', ms: dice.whole(50, LATEST_VISIBLE_MS), statusMs: dice.whole(0, 300) }),
  (dice) => ({ kind: 'delay', ms: dice.whole(50, 900) }),
  (dice) => ({ kind: 'hang', ms: dice.whole(100, 1_500) }),
  () => ({ kind: 'reset' }),
];

function fault(dice: Dice): SceneFault {
  const onAction = dice.chance(0.6);
  return {
    on: { route: onAction ? 'action' : dice.one(['instance', 'instance', 'job']) },
    nth: onAction ? dice.whole(1, 3) : dice.whole(1, 10),
    times: dice.one([1, 1, 1, 2, 4]),
    fault: dice.one(onAction && dice.chance(0.8) ? ACTING : BEFORE_ACTING)(dice),
  };
}

function outcome(dice: Dice): Scene['outcomes'][number] {
  return {
    nth: dice.whole(1, 3),
    ...dice.one<Record<string, unknown>>([
      { executionStatus: 'FAILED' },
      { executionStatus: 'FAILED' },
      { executionStatus: 'PARTIALLY_FAILED' },
      { executionStatus: 'CANCELLED' },
      { converges: false },
      { durationMs: 2_000 },
      { durationMs: 5_000 },
      { neverEnds: true },
    ]),
  };
}

function sceneEvents(dice: Dice, runCount: number): Scene['events'] {
  return dice.times(dice.one([0, 0, 1, 1, 2]), () => ({ moment: moment(dice), event: sceneEvent(dice, runCount) }));
}

function moment(dice: Dice): Moment {
  return {
    after: dice.one(['start', 'lease', 'lease', 'accepted', 'accepted', 'accepted']),
    nth: dice.one([1, 1, 1, 2, 2, 3]),
    delayMs: dice.chance(0.7) ? dice.whole(0, 400) : dice.whole(0, 4_000),
  };
}

function sceneEvent(dice: Dice, runCount: number): SceneEvent {
  const run = dice.whole(0, runCount - 1);
  return dice.one<() => SceneEvent>([
    () => ({ kind: 'cancel', run }),
    () => ({ kind: 'cancel', run }),
    () => ({ kind: 'cancel', run }),
    () => ({
      kind: 'console',
      ...dice.one([
        { action: 'restart', parameters: {} },
        { action: 'stop', parameters: {} },
        { action: 'start', parameters: {} },
        { action: 'scale', parameters: { replica: 9 } },
      ]),
      visibleLateMs: dice.whole(0, LATEST_VISIBLE_MS),
    }),
    () => ({ kind: 'console', action: 'restart', parameters: {}, visibleLateMs: 0 }),
    () => ({ kind: 'resetActivity' }),
    () => ({ kind: 'pauseActivity', forMs: dice.whole(200, 5_000) }),
    () => ({ kind: 'resetTarget', to: dice.one(['first', 'last']) }),
    () => ({ kind: 'terminateRun', run }),
    () => ({ kind: 'terminateTarget' }),
  ])();
}

function worldEvents(dice: Dice): Timed<WorldEvent>[] {
  // Usually one worker is disrupted and the other takes over; sometimes both are disrupted.
  const targets = dice.chance(0.75)
    ? [dice.whole(0, WORKERS - 1)]
    : Array.from({ length: WORKERS }, (_item, index) => index);
  const events = dice.times(dice.whole(2, 4), () => ({
    atMs: dice.whole(1_000, STORM_MS),
    event: worldEvent(dice, dice.one(targets)),
  }));
  return events.sort((left, right) => left.atMs - right.atMs);
}

function worldEvent(dice: Dice, worker: number): WorldEvent {
  const kill = (signal: 'SIGKILL' | 'SIGTERM'): WorldEvent => ({
    kind: 'killWorker',
    worker,
    signal,
    forMs: dice.whole(0, 3_000),
  });
  return dice.one<() => WorldEvent>([
    () => kill('SIGKILL'),
    () => kill('SIGKILL'),
    () => kill('SIGTERM'),
    () => ({ kind: 'freezeWorker', worker, forMs: dice.whole(200, 9_000) }),
    () => ({ kind: 'freezeWorker', worker, forMs: dice.whole(4_000, 9_000) }),
    () => ({ kind: 'stopServer', signal: dice.one(['SIGTERM', 'SIGKILL']), forMs: dice.whole(100, 4_000) }),
    () => ({ kind: 'cut', link: 'temporal', worker, forMs: dice.whole(0, 6_000) }),
    () => ({ kind: 'stall', link: 'temporal', worker, forMs: dice.whole(300, 8_000) }),
    () => ({ kind: 'cut', link: 'serviceStage', worker, forMs: dice.whole(0, 2_000) }),
    () => ({ kind: 'stall', link: 'serviceStage', worker, forMs: dice.whole(100, 2_000) }),
    () => ({ kind: 'expireTokens' }),
    () => ({ kind: 'throttleAll', requests: dice.whole(1, 10), windowSeconds: 1, forMs: dice.whole(300, 2_500) }),
  ])();
}
