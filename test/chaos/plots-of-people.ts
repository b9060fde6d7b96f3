/** Scenes in which people take part: they pause, resume, abort, approve and decide, some of them twice or two at once, at random moments. */
import type { CommandName } from '../../src/domain/steering/command-names.js';
import type { Dice } from './dice.js';
import { moment, onAction, onInstance, scene, type Plot } from './plot-parts.js';
import type { Moment, Order, Scene, SceneEvent } from './schedule.js';

type TimedEvent = Scene['events'][number];

/** Any of the plots that do not disrupt every worker. */
export function steeredPlot(dice: Dice, atMs: number): Omit<Scene, 'name'> {
  const drawn = Object.entries<Plot>(STEERED).filter(([name]) => name !== DISRUPTS_EVERY_WORKER);
  const [, play] = dice.one(drawn);
  return play(dice, atMs);
}

const DECISIONS = ['retryStep', 'retryStep', 'skipStep', 'markSucceeded'] as const;
const ALL: readonly CommandName[] = ['pause', 'pause', 'resume', 'abort', 'approve', 'reject', ...DECISIONS];

function order(dice: Dice, command: CommandName): Order {
  return { command, via: dice.one(['client', 'update']), times: dice.one([1, 1, 2]) };
}

function commands(dice: Dice, when: Moment, ...names: readonly CommandName[]): TimedEvent {
  return { moment: when, event: { kind: 'command', run: 0, orders: names.map((name) => order(dice, name)) } };
}

/** One, or two different ones at once. */
function someOf(dice: Dice, names: readonly CommandName[]): readonly CommandName[] {
  return dice.chance(0.3) ? [dice.one(names), dice.one(names)] : [dice.one(names)];
}

/** It fails, or is not answered and not carried out: either way the step is blocked. */
function blocks(dice: Dice): Pick<Scene, 'faults' | 'outcomes'> {
  const fails = { action: 'scale', nth: 1, executionStatus: 'FAILED' };
  return dice.one<() => Pick<Scene, 'faults' | 'outcomes'>>([
    () => ({ faults: [], outcomes: [fails] }),
    () => ({
      faults: [],
      outcomes: [
        { ...fails, action: 'restart' },
        ...(dice.chance(0.5) ? [{ ...fails, action: 'restart', nth: 2 }] : []),
      ],
    }),
    () => ({ faults: [onAction(2, { kind: 'reset' })], outcomes: [] }),
    () => ({
      faults: [onAction(2, { kind: 'actThenReset' }), { ...onInstance(6, { kind: 'status', status: 503 }), times: 40 }],
      outcomes: [],
    }),
  ])();
}

export const STEERED = {
  pausedInMidRun(dice: Dice, atMs: number) {
    const again = dice.chance(0.4);
    return scene(atMs, {
      runbook: dice.one(['chaos-operated', 'chaos-operated', 'chaos-many-steps', 'recover']),
      events: [
        commands(dice, moment('accepted', 1, dice.whole(0, 500)), 'pause'),
        commands(dice, moment('paused', 1, dice.whole(300, 2_500)), dice.chance(0.75) ? 'resume' : 'abort'),
        ...(again ? [commands(dice, moment('accepted', 2, dice.whole(0, 400)), 'pause', ...someOf(dice, ALL))] : []),
      ],
    });
  },
  pausedUnderAFailure(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: 'chaos-operated',
      ...blocks(dice),
      events: [
        commands(dice, moment('accepted', 1, dice.whole(0, 900)), 'pause'),
        commands(dice, moment('blocked', 1, dice.whole(0, 600)), ...someOf(dice, DECISIONS)),
        commands(dice, moment('paused', 1, dice.whole(300, 1_500)), 'resume'),
        commands(dice, moment('blocked', 1, dice.whole(1_500, 4_000)), ...someOf(dice, DECISIONS)),
      ],
    });
  },
  blockedThenDecided(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: 'chaos-operated',
      ...blocks(dice),
      events: [
        commands(dice, moment('blocked', 1, dice.whole(0, 1_500)), ...someOf(dice, DECISIONS)),
        commands(dice, moment('blocked', 1, dice.whole(2_000, 5_000)), ...someOf(dice, [...DECISIONS, 'abort'])),
      ],
    });
  },
  decidedDuringDisruption(dice: Dice, atMs: number) {
    const disruption = dice.one<SceneEvent>([
      { kind: 'resetActivity' },
      { kind: 'resetTarget', to: dice.one(['first', 'last']) },
      { kind: 'cancel', run: 0 },
      { kind: 'terminateTarget' },
    ]);
    return scene(atMs, {
      runbook: 'chaos-operated',
      ...blocks(dice),
      events: [
        commands(dice, moment('blocked', 1, dice.whole(0, 800)), ...someOf(dice, DECISIONS)),
        { moment: moment('blocked', 1, dice.whole(0, 2_500)), event: disruption },
      ],
    });
  },
  approvedOrNot(dice: Dice, atMs: number) {
    const byRequester: Order = { command: 'approve', via: dice.one(['client', 'update']), times: 1, byRequester: true };
    const decides = (nth: number): TimedEvent =>
      commands(
        dice,
        moment('asked', nth, dice.whole(0, 1_500)),
        ...dice.one<readonly CommandName[]>([
          ['approve'],
          ['approve'],
          ['approve'],
          ['approve', 'reject'],
          ['reject'],
          ['pause', 'approve'],
        ]),
      );
    return scene(atMs, {
      runbook: 'chaos-approved',
      outcomes: dice.chance(0.3) ? [{ nth: dice.whole(1, 2), executionStatus: 'FAILED' }] : [],
      events: [
        ...(dice.chance(0.4)
          ? [{ moment: moment('asked', 1, 0), event: { kind: 'command', run: 0, orders: [byRequester] } as const }]
          : []),
        decides(1),
        ...(dice.chance(0.85) ? [decides(2)] : []),
        ...(dice.chance(0.2) ? [commands(dice, moment('asked', 2, dice.whole(0, 900)), 'abort')] : []),
      ],
    });
  },
  checkedAndFlickering(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: 'chaos-checked',
      inputs: {
        first: dice.one(['check:up', 'check:up', 'check:flickers', 'check:down']),
        later: dice.one(['check:up', 'check:flickers', 'check:down', 'check:hangs']),
      },
      events: [
        commands(dice, moment('accepted', 1, dice.whole(0, 2_000)), ...someOf(dice, ['pause', 'abort', 'resume'])),
      ],
    });
  },
  resumedAfterFailure(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: 'chaos-resumed',
      outcomes: [{ nth: dice.whole(2, 3), executionStatus: 'FAILED' }],
      events: dice.chance(0.4)
        ? [commands(dice, moment('accepted', dice.whole(1, 2), dice.whole(0, 400)), dice.one(['abort', 'pause']))]
        : [],
      later: [{ runbook: 'chaos-resumed', afterMs: 1_000, resumes: 0 }],
    });
  },
  commandedAtRandom(dice: Dice, atMs: number) {
    const whenever = (): Moment =>
      moment(dice.one(['start', 'lease', 'accepted', 'accepted', 'blocked']), dice.whole(1, 3), dice.whole(0, 2_500));
    return scene(atMs, {
      runbook: dice.one(['chaos-operated', 'chaos-approved', 'scale-then-restart', 'recover', 'chaos-leave']),
      faults: dice.chance(0.5)
        ? [onAction(dice.whole(1, 2), { kind: dice.one(['actThenReset', 'reset', 'truncate']) })]
        : [],
      outcomes: dice.chance(0.4) ? [{ nth: dice.whole(1, 3), executionStatus: 'FAILED' }] : [],
      events: dice.times(dice.whole(2, 4), () => commands(dice, whenever(), ...someOf(dice, ALL))),
    });
  },
  steeredWithoutWorkers(dice: Dice, atMs: number) {
    const forMs = dice.whole(1_000, 3_000);
    return scene(atMs, {
      runbook: 'chaos-operated',
      events: [
        ...[0, 1].map((worker) => ({
          moment: moment('accepted', 1, 0),
          event: { kind: 'killWorker', worker, signal: 'SIGKILL', forMs } as const,
        })),
        commands(dice, moment('accepted', 1, dice.whole(100, 900)), 'pause'),
        commands(dice, moment('accepted', 1, dice.whole(100, 900)), ...someOf(dice, ['resume', 'abort', 'pause'])),
        commands(dice, moment('paused', 1, dice.whole(300, 1_500)), 'resume'),
      ],
    });
  },
} satisfies Record<string, Plot>;

export type SteeredPlotName = keyof typeof STEERED;

/** Played only by name. */
const DISRUPTS_EVERY_WORKER: SteeredPlotName = 'steeredWithoutWorkers';
