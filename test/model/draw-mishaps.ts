/** Draws the mishaps of a scenario: faults of requests, and disruptions from outside. */
import type { Action } from '../../src/domain/target/actions.js';
import type { FailureName } from '../../src/domain/failures.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout, type Limits } from '../../src/domain/once/limits.js';
import type { Dice } from '../chaos/dice.js';
import type { Disruption, DisruptionKind, Fault, FaultEffect, Moment, Site, TimedDisruption } from './scenario.js';

/** The product's own limits, which mishaps are scaled by. */
export const LIMITS: Limits = withHeartbeatTimeout(DEFAULT_LIMITS);
const {
  visibilityWindowMs: WINDOW_MS,
  postTimeoutMs: POST_MS,
  readTimeoutMs: READ_MS,
  heartbeatTimeoutMs: HEARTBEAT_MS,
} = LIMITS;

/** Actions of a plan or of somebody else. A restart is twice as likely as any other. */
export const ANY_ACTION: readonly ((dice: Dice) => Action)[] = [
  () => ({ action: 'restart' }),
  () => ({ action: 'restart' }),
  () => ({ action: 'stop' }),
  () => ({ action: 'start' }),
  (dice) => ({ action: 'scale', replica: dice.whole(1, 5) }),
  () => ({ action: 'rollback', version: '1.4.0' }),
];
const ANY_FAILURE: readonly FailureName[] = [
  'Unreachable',
  'Unreachable',
  'Throttled',
  'UnreadableAnswer',
  'TargetNotFound',
];

function fault(dice: Dice, site: Site, what: FaultEffect, times = 1): Fault {
  const furthest = site === 'read' || site === 'poll' ? 6 : site === 'heartbeat' ? 8 : 3;
  return { site, nth: dice.whole(1, furthest), times, what };
}

/** An occasional outage affects many requests. */
function howOften(dice: Dice): number {
  return dice.one([1, 1, 1, 2, 3, 6, 20]);
}

function failing(dice: Dice, failures: readonly FailureName[] = ANY_FAILURE): FaultEffect {
  const failure = dice.one(failures);
  return {
    kind: 'fails',
    failure,
    ...(failure === 'Throttled' && dice.chance(0.5) ? { retryAfterMs: dice.whole(500, 30_000) } : {}),
    ...(failure === 'Unreachable' && dice.chance(0.2) ? { tokenExpired: true } : {}),
  };
}

/** Kinds of faults. Kinds that matter more appear more often. */
export const FAULTS: readonly ((dice: Dice) => Fault)[] = [
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
      dice.one<FaultEffect>([{ kind: 'hangs' }, { kind: 'answerLost' }, { kind: 'slow', ms: dice.whole(500, 12_000) }]),
      howOften(dice),
    ),
  (dice) =>
    fault(
      dice,
      'ask',
      dice.one<FaultEffect>([{ kind: 'hangs' }, { kind: 'slow', ms: dice.whole(500, 12_000) }]),
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

/** Kinds of disruptions, weighted in the same way. */
export const DISRUPTIONS: readonly DisruptionKind[] = [
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
  'terminateRun',
  'resetWorkflow',
  'resetWorkflow',
  'foreignAction',
  'foreignAction',
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
  'disruption',
];

/** Draws a disruption of this kind, with a moment and a delay. */
export function drawDisruption(dice: Dice, kind: DisruptionKind): TimedDisruption {
  const after = dice.one(MOMENTS);
  return { after, nth: dice.one([1, 1, 1, 2, 2, 3]), delayMs: drawDelay(dice), disruption: drawKind(dice, kind) };
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

function drawKind(dice: Dice, kind: DisruptionKind): Disruption {
  switch (kind) {
    case 'kill':
    case 'cancel':
    case 'terminate':
    case 'terminateRun':
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
    case 'foreignAction':
      return {
        kind,
        action: dice.one(ANY_ACTION)(dice),
        lasts: dice.whole(500, 60_000),
        idMs: dice.whole(0, WINDOW_MS),
        statusMs: dice.whole(0, WINDOW_MS),
        ends: dice.chance(0.8) ? 'SUCCEEDED' : 'FAILED',
      };
  }
}
