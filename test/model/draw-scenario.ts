/** Seed → scenario. Each seed draws from a few kinds of mishaps only, so that those that hurt only together meet often enough. */
import type { Action } from '../../src/domain/actions.js';
import type { FailureName } from '../../src/domain/failures.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout, type Limits } from '../../src/domain/once/limits.js';
import { Dice } from '../chaos/dice.js';
import type {
  Blow,
  BlowKind,
  CloudHabits,
  Fault,
  Mischief,
  Moment,
  PlannedAction,
  PlannedRun,
  Scenario,
  Site,
  TimedBlow,
} from './scenario.js';

const LIMITS: Limits = withHeartbeatTimeout(DEFAULT_LIMITS);
const {
  visibilityWindowMs: WINDOW_MS,
  postTimeoutMs: POST_MS,
  readTimeoutMs: READ_MS,
  heartbeatTimeoutMs: HEARTBEAT_MS,
} = LIMITS;

/** @param seed the same seed draws the same scenario */
export function drawScenario(seed: number): Scenario {
  const dice = new Dice(seed);
  const { faults, blows } = dice.one(WEATHERS);
  const faultKinds = dice.times(dice.whole(1, 4), () => dice.one(FAULTS));
  const blowKinds = dice.times(dice.whole(1, 3), () => dice.one(BLOWS));
  return {
    noise: seed,
    limits: LIMITS,
    cloud: drawCloud(dice),
    temporal: { attemptAfterReset: dice.one([1, 2]), clockSkewMs: dice.chance(0.2) ? 500 : 0 },
    runs: dice.times(dice.chance(0.3) ? 2 : 1, () => drawRun(dice)),
    faults: dice.times(dice.one(faults), () => dice.one(faultKinds)(dice)),
    blows: dice.times(dice.one(blows), () => drawBlow(dice, dice.one(blowKinds))),
  };
}

/** How many mishaps there are. Most interleavings have a few; a storm is seldom, since much of what it does is undone by itself. */
const WEATHERS: readonly { readonly faults: readonly number[]; readonly blows: readonly number[] }[] = [
  { faults: [0, 1, 1], blows: [0, 0, 1] },
  ...Array.from({ length: 6 }, () => ({ faults: [0, 1, 1, 2, 2, 3, 4], blows: [0, 1, 1, 2, 2, 3] })),
  { faults: [2, 4, 8], blows: [2, 4, 6] },
];

/** The visibility window is kept, but for a few interleavings: beyond it an action may be sent once more, a restart never. */
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

const ACTIONS: readonly ((dice: Dice) => Action)[] = [
  () => ({ action: 'restart' }),
  () => ({ action: 'restart' }),
  () => ({ action: 'stop' }),
  () => ({ action: 'start' }),
  (dice) => ({ action: 'scale', replica: dice.whole(1, 5) }),
  () => ({ action: 'rollback', version: '1.4.0' }),
];
const STOP: Action = { action: 'stop' };
const START: Action = { action: 'start' };
const ROLLBACK: Action = { action: 'rollback', version: '1.4.0' };

/** `recover`, and pairs that undo each other, come often: chance alone makes plans that make no sense. */
function drawActions(dice: Dice): readonly Action[] {
  return dice.one<() => readonly Action[]>([
    () => [dice.one(ACTIONS)(dice)],
    () => [dice.one(ACTIONS)(dice)],
    () => dice.times(2, () => dice.one(ACTIONS)(dice)),
    () => [STOP, START],
    () => [STOP, ROLLBACK, START],
    () => [{ action: 'scale', replica: dice.whole(1, 5) }, { action: 'restart' }],
    () => [
      { action: 'scale', replica: dice.whole(1, 5) },
      { action: 'scale', replica: dice.whole(1, 5) },
    ],
  ])();
}

function drawRun(dice: Dice): PlannedRun {
  return {
    steps: drawActions(dice).map((action) => drawStep(dice, action)),
    onCancel: dice.one(['compensate', 'compensate', 'stop-after-step', 'leave']),
    deadlineMs: dice.chance(0.8) ? 1_800_000 : dice.whole(30_000, 300_000),
    startsAfterMs: dice.chance(0.5) ? dice.whole(10, 1_000) : dice.whole(1_000, 60_000),
    ...(dice.chance(0.1) ? { closesAfterMs: dice.whole(0, 60_000) } : {}),
  };
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

const ANY_FAILURE: readonly FailureName[] = [
  'Unreachable',
  'Unreachable',
  'Throttled',
  'UnreadableAnswer',
  'TargetNotFound',
];

function fault(dice: Dice, site: Site, what: Mischief, times = 1): Fault {
  const furthest = site === 'read' || site === 'poll' ? 6 : site === 'heartbeat' ? 8 : 3;
  return { site, nth: dice.whole(1, furthest), times, what };
}

/** An outage now and then lasts for many requests. */
function howOften(dice: Dice): number {
  return dice.one([1, 1, 1, 2, 3, 6, 20]);
}

function failing(dice: Dice, failures: readonly FailureName[] = ANY_FAILURE): Mischief {
  const failure = dice.one(failures);
  return {
    kind: 'fails',
    failure,
    ...(failure === 'Throttled' && dice.chance(0.5) ? { retryAfterMs: dice.whole(500, 30_000) } : {}),
    ...(failure === 'Unreachable' && dice.chance(0.2) ? { tokenExpired: true } : {}),
  };
}

const FAULTS: readonly ((dice: Dice) => Fault)[] = [
  (dice) => fault(dice, 'read', failing(dice), howOften(dice)),
  (dice) => fault(dice, 'read', failing(dice), howOften(dice)),
  (dice) => fault(dice, 'read', { kind: 'slow', ms: dice.whole(500, READ_MS) }, howOften(dice)),
  (dice) => fault(dice, 'read', { kind: 'hangs' }, howOften(dice)),
  (dice) => fault(dice, 'observe', failing(dice), dice.whole(1, 3)),
  (dice) => fault(dice, 'poll', dice.chance(0.7) ? failing(dice) : { kind: 'hangs' }, howOften(dice)),
  (dice) => fault(dice, 'inspect', dice.chance(0.7) ? failing(dice) : { kind: 'hangs' }, howOften(dice)),
  (dice) =>
    fault(
      dice,
      'reserve',
      dice.chance(0.5) ? { kind: 'slow', ms: dice.whole(500, 5_000) } : { kind: 'hangs' },
      dice.whole(1, 2),
    ),
  (dice) => fault(dice, 'reserve', failing(dice, ['Unreachable', 'NotAllowed', 'Throttled'])),
  (dice) => fault(dice, 'connect', { kind: 'slow', ms: dice.whole(500, POST_MS / 2) }),
  (dice) =>
    fault(dice, 'connect', dice.chance(0.5) ? failing(dice, ['Unreachable']) : { kind: 'hangs' }, dice.whole(1, 3)),
  lostAnswer,
  lostAnswer,
  lostAnswer,
  lostAnswer,
  (dice) => fault(dice, 'post', { kind: 'slow', ms: dice.whole(500, POST_MS) }, dice.whole(1, 2)),
  (dice) =>
    fault(
      dice,
      'post',
      { kind: 'refused', failure: dice.one(['TargetBusy', 'InvalidStep', 'TargetNotFound', 'NotAllowed']) },
      dice.whole(1, 2),
    ),
  (dice) => fault(dice, 'post', failing(dice, ['Throttled', 'Unreachable']), dice.whole(1, 3)),
  late,
  late,
  (dice) =>
    fault(dice, 'job', { kind: 'ends', status: dice.one(['FAILED', 'PARTIALLY_FAILED', 'CANCELLED', 'ROLLBACKED']) }),
  (dice) => fault(dice, 'job', { kind: 'ends', status: 'FAILED' }),
  (dice) => fault(dice, 'job', { kind: 'lasts', ms: dice.whole(20_000, 400_000) }),
  (dice) => fault(dice, 'job', { kind: 'lasts', ms: Number.POSITIVE_INFINITY }),
  (dice) => fault(dice, 'job', { kind: 'doesNotConverge' }),
  (dice) => fault(dice, 'job', { kind: 'unknownFor', ms: dice.whole(500, 40_000) }),
  (dice) => fault(dice, 'job', { kind: 'withoutTasksFor', ms: dice.whole(500, 40_000) }),
  (dice) => fault(dice, 'job', { kind: 'withoutCreator' }),
  (dice) =>
    fault(
      dice,
      'heartbeat',
      dice.one<Mischief>([{ kind: 'hangs' }, { kind: 'answerLost' }, { kind: 'slow', ms: dice.whole(500, 12_000) }]),
      howOften(dice),
    ),
  (dice) =>
    fault(
      dice,
      'ask',
      dice.one<Mischief>([{ kind: 'hangs' }, { kind: 'slow', ms: dice.whole(500, 12_000) }]),
      dice.whole(1, 3),
    ),
  (dice) => fault(dice, 'report', { kind: 'slow', ms: dice.whole(500, 90_000) }, dice.whole(1, 2)),
  (dice) => fault(dice, 'task', { kind: 'slow', ms: dice.whole(500, 120_000) }, dice.whole(1, 2)),
  (dice) => fault(dice, 'dispatch', { kind: 'noWorker', ms: dice.whole(500, 200_000) }, dice.whole(1, 2)),
  (dice) => fault(dice, 'dispatch', { kind: 'deliveredLate', ms: dice.whole(500, 2 * HEARTBEAT_MS) }, dice.whole(1, 2)),
];

function lostAnswer(dice: Dice): Fault {
  const arrives = dice.chance(0.7);
  const acceptedAfterMs = dice.chance(0.5) ? dice.whole(1, 500) : dice.whole(1, POST_MS);
  const answeredAfterMs = dice.chance(0.5) ? dice.whole(1, 500) : dice.whole(1, POST_MS);
  return fault(dice, 'post', { kind: 'lost', arrives, acceptedAfterMs, answeredAfterMs }, dice.one([1, 1, 2]));
}

function late(dice: Dice): Fault {
  const latest = () => (dice.chance(0.4) ? WINDOW_MS - dice.whole(0, 100) : dice.whole(0, WINDOW_MS));
  return fault(dice, 'job', { kind: 'lags', idMs: latest(), statusMs: latest() }, dice.whole(1, 3));
}

const BLOWS: readonly BlowKind[] = [
  'kill',
  'kill',
  'kill',
  'freeze',
  'freeze',
  'cutOff',
  'cutOff',
  'stopWorker',
  'resetActivity',
  'resetActivity',
  'pauseActivity',
  'cancel',
  'cancel',
  'terminate',
  'resetWorkflow',
  'resetWorkflow',
  'colleague',
  'colleague',
  'delete',
];

const MOMENTS: readonly Moment[] = [
  'runBegins',
  'attemptBegins',
  'attemptBegins',
  'attemptEnds',
  'reading',
  'reading',
  'connecting',
  'connecting',
  'sending',
  'sending',
  'accepted',
  'accepted',
  'accepted',
  'answered',
  'jobEnds',
  'heartbeatTaken',
  'settleBegins',
  'retryWaits',
  'blow',
];

function drawBlow(dice: Dice, kind: BlowKind): TimedBlow {
  const after = dice.one(MOMENTS);
  return { after, nth: dice.one([1, 1, 1, 2, 2, 3]), delayMs: drawDelay(dice), blow: drawKind(dice, kind) };
}

function drawDelay(dice: Dice): number {
  return dice.one([
    0,
    dice.whole(0, 200),
    dice.whole(0, 2_000),
    dice.whole(0, 20_000),
    dice.whole(0, 2 * HEARTBEAT_MS),
  ]);
}

function drawFor(dice: Dice): number {
  return dice.one([
    dice.whole(10, 3_000),
    dice.whole(1_000, HEARTBEAT_MS),
    dice.whole(HEARTBEAT_MS - 10_000, HEARTBEAT_MS + 30_000),
    dice.whole(HEARTBEAT_MS, 4 * HEARTBEAT_MS),
  ]);
}

function drawKind(dice: Dice, kind: BlowKind): Blow {
  switch (kind) {
    case 'kill':
    case 'cancel':
    case 'terminate':
    case 'delete':
      return { kind };
    case 'freeze':
    case 'cutOff':
      return { kind, forMs: drawFor(dice) };
    case 'stopWorker':
      return { kind, graceMs: dice.one([0, 3_000, 30_000]) };
    case 'resetActivity':
      return { kind, forgetting: dice.chance(0.3) };
    case 'pauseActivity':
      return { kind, forMs: drawFor(dice), resetting: dice.chance(0.3) };
    case 'resetWorkflow':
      return { kind, keep: dice.one([0, 99, 99]), rescheduled: dice.chance(0.4) };
    case 'colleague':
      return {
        kind,
        action: dice.one(ACTIONS)(dice),
        lasts: dice.whole(500, 60_000),
        idMs: dice.whole(0, WINDOW_MS),
        statusMs: dice.whole(0, WINDOW_MS),
        ends: dice.chance(0.8) ? 'SUCCEEDED' : 'FAILED',
      };
  }
}
