/** Scenes that combine mishaps as in the stories of the protocol; only their exact timing is random. */
import type { Dice } from './dice.js';
import {
  LATEST_ACCEPTED_MS,
  LATEST_VISIBLE_MS,
  moment,
  onAction,
  onInstance,
  scene,
  type Parts,
  type Plot,
} from './plot-parts.js';
import { STEERED, type SteeredPlotName } from './plots-of-people.js';
import type { Scene, SceneEvent, SceneFault } from './schedule.js';

/** Any of the runbooks that a storm is drawn from. */
export function plot(dice: Dice, atMs: number): Omit<Scene, 'name'> {
  return dice.one(Object.values(DRAWN))(dice, atMs);
}

export function plotNamed(name: PlotName, dice: Dice, atMs: number): Omit<Scene, 'name'> {
  return { ...DRAWN, ...AIMED, ...STEERED }[name](dice, atMs);
}

export function isPlotName(name: string): name is PlotName {
  return PLOT_NAMES.includes(name);
}

const SEVERAL_STEPS = ['recover', 'chaos-stop-start', 'chaos-many-steps', 'scale-then-restart', 'chaos-keep'];
const ANY = [...SEVERAL_STEPS, 'restart', 'restart', 'stop', 'rollback', 'chaos-leave'];

const operatorActs = (dice: Dice): SceneEvent => ({
  kind: 'console',
  ...dice.one([
    { action: 'restart', parameters: {} },
    { action: 'stop', parameters: {} },
    { action: 'scale', parameters: { replica: 9 } },
  ]),
  visibleLateMs: dice.whole(0, LATEST_VISIBLE_MS),
});

const losesTheAnswer = (dice: Dice): SceneFault['fault'] =>
  dice.one<SceneFault['fault']>([
    { kind: 'actThenReset' },
    { kind: 'actThenStatus', status: 502 },
    { kind: 'actThenHang', ms: dice.whole(300, 1_500) },
    { kind: 'truncate' },
    { kind: 'actLate', ms: dice.whole(20, LATEST_ACCEPTED_MS) },
  ]);
const losesTheRequest = (dice: Dice): SceneFault['fault'] =>
  dice.one<SceneFault['fault']>([
    { kind: 'reset' },
    { kind: 'hang', ms: dice.whole(100, 1_200) },
    { kind: 'status', status: 504 },
  ]);
/** Accepted, but with a delay, so that other events happen while the POST is open. */
const slowPost = (dice: Dice): SceneFault['fault'] => ({ kind: 'delay', ms: dice.whole(400, 900) });

/** The entry reading is delayed, and its worker is frozen meanwhile; what it sends shows late. */
function frozenOverItsReading(dice: Dice, { fromMs, toMs }: { fromMs: number; toMs: number }): Parts {
  return {
    runbook: dice.one(['scale-then-restart', 'chaos-many-steps', 'restart', 'declared-undo']),
    faults: [
      onInstance(3, { kind: 'delay', ms: 240 }),
      ...[1, 2].map((nth) =>
        onAction(nth, { kind: 'visibleLate', ms: LATEST_VISIBLE_MS, statusMs: LATEST_VISIBLE_MS }),
      ),
    ],
    events: [
      {
        moment: moment('faultHit', 1, 0),
        event: { kind: 'freezeWorker', worker: dice.whole(0, 1), forMs: dice.whole(fromMs, toMs) },
      },
    ],
  };
}

const DRAWN = {
  lostAnswerThenCancel(dice: Dice, atMs: number) {
    const nth = dice.whole(1, 2);
    return scene(atMs, {
      runbook: dice.one(ANY),
      faults: [onAction(nth, losesTheAnswer(dice))],
      events: [{ moment: moment('accepted', nth, dice.whole(0, 400)), event: { kind: 'cancel', run: 0 } }],
    });
  },
  unseenThenCancel(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(SEVERAL_STEPS),
      faults: [
        onAction(1, {
          kind: 'actThenReset',
          visibleLateMs: dice.whole(500, LATEST_VISIBLE_MS),
          statusLateMs: dice.whole(0, LATEST_VISIBLE_MS),
        }),
        // One attempt after another fails to read, so the cancel meets an attempt that does not know the result of the POST.
        { ...onInstance(4, { kind: 'status', status: 503 }), times: dice.whole(4, 14) },
      ],
      events: [{ moment: moment('accepted', 1, dice.whole(0, 300)), event: { kind: 'cancel', run: 0 } }],
    });
  },
  lostRequestThenOperator(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(ANY),
      faults: [onAction(1, losesTheRequest(dice))],
      events: [{ moment: moment('lease', 1, dice.whole(0, 900)), event: operatorActs(dice) }],
    });
  },
  operatorBetweenStepsThenFailure(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(SEVERAL_STEPS),
      outcomes: [{ nth: 2, executionStatus: 'FAILED', durationMs: dice.whole(400, 1_500) }],
      events: [{ moment: moment('accepted', dice.whole(1, 2), dice.whole(0, 1_200)), event: operatorActs(dice) }],
    });
  },
  operatorAtTheStart(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(SEVERAL_STEPS),
      outcomes: dice.chance(0.5) ? [{ nth: 2, executionStatus: 'FAILED' }] : [],
      events: [
        { moment: moment('start', 1, dice.whole(0, 150)), event: operatorActs(dice) },
        { moment: moment('accepted', 2, dice.whole(0, 500)), event: { kind: 'cancel', run: 0 } },
      ],
    });
  },
  doesNotConverge(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(['scale-then-restart', 'chaos-many-steps', 'declared-undo', 'abort', 'go-on']),
      outcomes: [{ action: dice.one(['scale', 'restart', 'start']), nth: 1, converges: false }],
    });
  },
  resetThenCancel(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(ANY),
      faults: dice.chance(0.5) ? [onAction(1, slowPost(dice))] : [],
      events: [
        {
          moment: moment('lease', 1, dice.whole(200, 1_200)),
          event: { kind: 'resetTarget', to: dice.one(['first', 'last']) },
        },
        { moment: moment('lease', 1, dice.whole(800, 4_000)), event: { kind: 'cancel', run: 0 } },
      ],
    });
  },
  resetUnderAnOpenPost(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(ANY),
      faults: [onAction(1, slowPost(dice))],
      events: [
        {
          moment: moment('lease', 1, dice.whole(200, 1_000)),
          event: dice.one<SceneEvent>([
            { kind: 'resetActivity' },
            { kind: 'resetTarget', to: 'last' },
            { kind: 'resetTarget', to: 'first' },
          ]),
        },
      ],
    });
  },
  terminatedThenStartedAgain(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(ANY),
      faults: [onAction(1, slowPost(dice))],
      events: [
        {
          moment: moment('lease', 1, dice.whole(100, 1_200)),
          event: dice.one<SceneEvent>([
            { kind: 'terminateTarget' },
            { kind: 'terminateTarget' },
            { kind: 'terminateRun', run: 0 },
          ]),
        },
      ],
      later: [{ runbook: dice.one(ANY), afterMs: dice.whole(1_000, 3_000) }],
    });
  },
  seenLate(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(SEVERAL_STEPS),
      faults: [1, 2, 3].map((nth) =>
        onAction(nth, { kind: 'visibleLate', ms: dice.whole(400, LATEST_VISIBLE_MS), statusMs: dice.whole(0, 800) }),
      ),
      outcomes: dice.chance(0.4) ? [{ nth: dice.whole(2, 3), executionStatus: 'FAILED' }] : [],
    });
  },
  provedUnsentThenLost(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(ANY),
      // The third reading of an instance is the one before the first send: plan, first observation, entry.
      faults: [
        onInstance(3, { kind: 'status', status: 503 }),
        onAction(1, { kind: 'throttle', retryAfterSeconds: 0.1 }),
        onAction(2, losesTheAnswer(dice)),
      ],
      events: dice.chance(0.5)
        ? [{ moment: moment('accepted', 1, dice.whole(0, 300)), event: { kind: 'resetActivity' } }]
        : [],
    });
  },
  refusedAfterALostAnswer(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(ANY),
      faults: [
        onAction(1, losesTheRequest(dice)),
        onAction(2, losesTheAnswer(dice)),
        onInstance(4, { kind: 'wrongBody' }),
      ],
      outcomes: [{ nth: 1, durationMs: dice.whole(200, 2_500) }],
    });
  },
  frozenBeforeItsSend(dice: Dice, atMs: number) {
    // It wakes with an old answer while its successor works (story 11).
    return scene(atMs, frozenOverItsReading(dice, { fromMs: 5_500, toMs: 9_000 }));
  },
  cancelledTwice(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(SEVERAL_STEPS),
      events: [
        { moment: moment('accepted', 2, dice.whole(0, 600)), event: { kind: 'cancel', run: 0 } },
        { moment: moment('accepted', 3, dice.whole(0, 400)), event: { kind: 'cancel', run: 0 } },
      ],
    });
  },
} satisfies Record<string, Plot>;

/** They disrupt every worker, or need a storm of their own: played only by name. */
const AIMED = {
  provedUnsentThenKilled(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(['scale-then-restart', 'chaos-many-steps', 'restart', 'declared-undo']),
      faults: [
        onAction(1, { kind: 'throttle', retryAfterSeconds: 0.1 }),
        // Accepted at once, but the worker is killed before the answer comes: only the heartbeats are left (story 6b).
        onAction(2, { kind: 'actThenHang', ms: 900 }),
      ],
      events: [0, 1].map((worker) => ({
        moment: moment('accepted', 1, 0),
        event: { kind: 'killWorker', worker, signal: 'SIGKILL', forMs: dice.whole(0, 2_000) } as const,
      })),
    });
  },
  lostAnswerSeenLate(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(['scale-then-restart', 'chaos-many-steps', 'recover', 'declared-undo']),
      faults: [
        onAction(1, { kind: 'actThenReset', visibleLateMs: LATEST_VISIBLE_MS, statusLateMs: LATEST_VISIBLE_MS }),
      ],
    });
  },
  lostAnswerSeenLateThenCancel(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(SEVERAL_STEPS),
      faults: [
        onAction(1, { kind: 'actThenReset', visibleLateMs: LATEST_VISIBLE_MS, statusLateMs: LATEST_VISIBLE_MS }),
      ],
      events: [{ moment: moment('accepted', 1, 0), event: { kind: 'cancel', run: 0 } }],
    });
  },
  lostAnswerThenFailed(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(['scale-then-restart', 'chaos-many-steps', 'recover', 'declared-undo']),
      faults: [onAction(1, { kind: 'actThenReset' })],
      // The desired state does not hold, so only the new cloud job shows that the action was sent.
      outcomes: [{ nth: 1, executionStatus: 'FAILED' }],
    });
  },
  pausedThenCancelled(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(ANY),
      // The answer is lost while the activity is paused, so that no attempt runs when the cancel comes.
      faults: [onAction(1, { kind: 'actThenHang', ms: 1_500 })],
      events: [
        { moment: moment('accepted', 1, 0), event: { kind: 'pauseActivity', forMs: 4_000 } },
        { moment: moment('accepted', 1, dice.whole(1_800, 2_800)), event: { kind: 'cancel', run: 0 } },
      ],
    });
  },
  resetForgetting(dice: Dice, atMs: number) {
    return scene(atMs, {
      runbook: dice.one(ANY),
      // The attempt continues until its answer is lost. The one after the reset is number 1 again, without any details.
      faults: [onAction(1, { kind: 'actThenHang', ms: 1_500 })],
      events: [{ moment: moment('accepted', 1, 0), event: { kind: 'resetActivity', forgetting: true } }],
    });
  },
  frozenThenReset(dice: Dice, atMs: number) {
    // It wakes before its fence: both the old attempt and the new one may send.
    const parts = frozenOverItsReading(dice, { fromMs: 2_000, toMs: 3_000 });
    const reset: Scene['events'][number] = {
      moment: moment('faultHit', 1, 0),
      event: { kind: 'resetTarget', to: 'last' },
    };
    return scene(atMs, { ...parts, events: [...(parts.events ?? []), reset] });
  },
  operatorDoesTheSame(dice: Dice, atMs: number) {
    const action = dice.one(['restart', 'stop']);
    return scene(atMs, {
      runbook: action,
      faults: [onAction(1, { kind: 'hang', ms: 1_200 })],
      // While the request hangs and is lost: after the entry reading, and before the next reading.
      events: [
        {
          moment: moment('faultHit', 1, dice.whole(100, 600)),
          event: { kind: 'console', action, parameters: {}, visibleLateMs: 0 },
        },
      ],
    });
  },
  outOfTime(_dice: Dice, atMs: number) {
    return scene(atMs, { runbook: 'short-deadline' });
  },
} satisfies Record<string, Plot>;

export type PlotName = keyof typeof DRAWN | keyof typeof AIMED | SteeredPlotName;

export const PLOT_NAMES: readonly string[] = Object.keys({ ...DRAWN, ...AIMED, ...STEERED });
