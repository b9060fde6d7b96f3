/** Plots: combinations of mishaps that chance alone hardly ever produces. Only their exact timing is random. */
import type { Action } from '../../src/domain/target/actions.js';
import type { Dice } from '../chaos/dice.js';
import { ANY_ACTION, LIMITS } from './draw-mishaps.js';
import type {
  Disruption,
  CloudHabits,
  Fault,
  FaultEffect,
  Moment,
  Site,
  TemporalHabits,
  TimedDisruption,
} from './scenario.js';

const {
  visibilityWindowMs: WINDOW_MS,
  postTimeoutMs: POST_MS,
  heartbeatTimeoutMs: HEARTBEAT_MS,
  readTimeoutMs: READ_MS,
  leaseMs: LEASE_MS,
  marginMs: MARGIN_MS,
  quietMs: QUIET_MS,
} = LIMITS;

/** The parts of a scenario that a plot fixes; the rest is drawn as usual. */
export interface Plot {
  /** The steps of the first run. */
  readonly actions: readonly Action[];
  readonly faults: readonly Fault[];
  readonly disruptions: readonly TimedDisruption[];
  readonly cloud?: Partial<CloudHabits>;
  readonly temporal?: Partial<TemporalHabits>;
}

/** Actions that name an end state, which may be sent a second time. */
const STATE_ACTIONS: readonly ((dice: Dice) => readonly Action[])[] = [
  () => [{ action: 'stop' }],
  () => [{ action: 'rollback', version: '1.4.0' }],
  (dice) => [{ action: 'scale', replica: dice.whole(1, 5) }],
];

const ONE_ACTION: typeof STATE_ACTIONS = [...STATE_ACTIONS, () => [{ action: 'restart' }]];

const fault = (site: Site, nth: number, what: FaultEffect, times = 1): Fault => ({ site, nth, times, what });
const timed = (after: Moment, nth: number, delayMs: number, what: Disruption): TimedDisruption => ({
  after,
  nth,
  delayMs,
  disruption: what,
});
const slow = (ms: number): FaultEffect => ({ kind: 'slow', ms });
const unreachable: FaultEffect = { kind: 'fails', failure: 'Unreachable' };
const resetActivity: Disruption = { kind: 'resetActivity', forgetting: false };

/** The POST is accepted late and shown late, and its answer does not arrive before its timeout. */
function hidden(dice: Dice, nth = 1, latestMs = POST_MS): readonly Fault[] {
  const acceptedAfterMs = dice.whole(POST_MS / 2, latestMs);
  const late = () => WINDOW_MS - dice.whole(0, 500);
  return [
    fault('post', nth, { kind: 'lost', arrives: true, acceptedAfterMs, answeredAfterMs: POST_MS }, 2),
    fault('job', 1, { kind: 'lags', idMs: late(), statusMs: late() }, 2),
  ];
}

/** The cloud must neither refuse the second POST nor show the first. */
const PATIENT_CLOUD: Partial<CloudHabits> = { busy: 'accept', longestLagMs: WINDOW_MS };

/** Enough to outweigh the pause after a lost attempt. Chosen: half of what `marginMs` covers, since the clocks of two workers may both be off. */
const LARGE_SKEW_MS = MARGIN_MS / 2;

/**
 * The second attempt is frozen or delayed until another attempt with its number sends, which is when the one after the reset has waited for
 * its bound.
 */
function beyondTheBound(dice: Dice): number {
  return 3 * HEARTBEAT_MS + dice.whole(0, POST_MS + 2 * QUIET_MS);
}

/** The first attempt fails unsent; the second is reset while it runs without sending a heartbeat. */
function secondAttemptIsReset(dice: Dice): readonly TimedDisruption[] {
  return [timed('retryWaits', 1, QUIET_MS + dice.whole(500, HEARTBEAT_MS - 500), resetActivity)];
}

/** The POST of the first attempt is lost, and its answer with it; the second attempt begins when nothing can appear any more. */
function firstAttemptIsUnclear(dice: Dice): readonly Fault[] {
  return [
    fault('post', 1, { kind: 'lost', arrives: false, acceptedAfterMs: 0, answeredAfterMs: dice.whole(10, 500) }),
    fault('dispatch', 2, { kind: 'noWorker', ms: dice.whole(POST_MS + WINDOW_MS, 2 * WINDOW_MS) }),
  ];
}

export const PLOTS = {
  /** A timer heartbeat arrives after the lease, and its attempt is killed during the POST. */
  heartbeatAfterTheLease: (dice: Dice): Plot => ({
    actions: dice.one(ONE_ACTION)(dice),
    faults: [
      fault('reserve', 1, slow(dice.whole(2_000, 4_900))),
      fault('read', 1, slow(dice.whole(1_000, 4_900))),
      fault('heartbeat', 1, slow(dice.whole(500, 6_000))),
      ...hidden(dice),
    ],
    disruptions: [timed('sending', 1, dice.whole(0, 2_000), { kind: 'kill' })],
    cloud: PATIENT_CLOUD,
  }),

  /** An attempt reaches its worker only when another attempt with its number sends. */
  handedOutBesideItsSuccessor: (dice: Dice): Plot => ({
    actions: dice.one(ONE_ACTION)(dice),
    faults: [
      fault('read', 1, unreachable),
      fault('dispatch', 2, { kind: 'deliveredLate', ms: beyondTheBound(dice) }),
      fault('read', 5, unreachable),
      ...hidden(dice),
    ],
    disruptions: secondAttemptIsReset(dice),
    cloud: PATIENT_CLOUD,
    temporal: { attemptAfterReset: 1 },
  }),

  /** The same, but early: by the previous worker's clock no attempt can have run in between, so the successor need not wait. */
  handedOutBesideAnEarlySuccessor: (dice: Dice): Plot => ({
    actions: dice.one(ONE_ACTION)(dice),
    faults: [
      fault('read', 1, unreachable),
      fault('dispatch', 2, { kind: 'deliveredLate', ms: HEARTBEAT_MS + dice.whole(1_000, POST_MS) }),
      // Bounds are measured by the clocks of workers, so something that arrives at the last moment can be missed by as much as two clocks
      // differ (docs/guarantees.md).
      ...hidden(dice, 1, POST_MS),
    ],
    disruptions: secondAttemptIsReset(dice),
    cloud: PATIENT_CLOUD,
    temporal: { attemptAfterReset: 2, clockSkewMs: LARGE_SKEW_MS },
  }),

  /** An attempt wakes from a freeze during its reading or its connection while another attempt with its number sends. */
  frozenBesideItsSuccessor: (dice: Dice): Plot => ({
    actions: dice.one(ONE_ACTION)(dice),
    faults: [fault('read', 1, unreachable), ...hidden(dice)],
    disruptions: [
      dice.chance(0.5)
        ? timed('attemptBegins', 2, dice.whole(10, 100), { kind: 'freeze', forMs: beyondTheBound(dice) })
        : timed('connecting', 1, 0, { kind: 'freeze', forMs: beyondTheBound(dice) }),
      ...secondAttemptIsReset(dice),
    ],
    cloud: PATIENT_CLOUD,
    temporal: { attemptAfterReset: 1 },
  }),

  /** The same, soon after the server timed it out: its successor waits for a bound only because of the reset. */
  frozenBesideAnEarlySuccessor: (dice: Dice): Plot => ({
    actions: dice.one(STATE_ACTIONS)(dice),
    faults: [...firstAttemptIsUnclear(dice), ...hidden(dice, 2)],
    disruptions: [
      timed('attemptBegins', 2, dice.whole(40, 120), {
        kind: 'freeze',
        forMs: HEARTBEAT_MS + dice.whole(QUIET_MS + 1_000, 3 * QUIET_MS),
      }),
      timed('attemptBegins', 2, dice.whole(500, HEARTBEAT_MS - 500), resetActivity),
    ],
    cloud: PATIENT_CLOUD,
    temporal: { attemptAfterReset: 2 },
  }),

  /** The server receives the result of an attempt only while another attempt with its number sends. */
  receivedBesideItsSuccessor: (dice: Dice): Plot => {
    const isUnclear = dice.chance(0.5);
    const failing = isUnclear
      ? [...firstAttemptIsUnclear(dice), fault('read', 3, unreachable)]
      : [fault('read', 1, unreachable, 2)];
    return {
      actions: dice.one(STATE_ACTIONS)(dice),
      faults: [
        ...failing,
        fault('report', 2, slow(dice.whole(HEARTBEAT_MS, 5 * HEARTBEAT_MS))),
        ...hidden(dice, isUnclear ? 2 : 1),
      ],
      disruptions: [timed('attemptEnds', 2, dice.whole(0, HEARTBEAT_MS - 500), resetActivity)],
      cloud: PATIENT_CLOUD,
    };
  },

  /** Between the two calls of a lease the attempt is reset, its heartbeats are cleared, it times out, and another attempt gets its number. */
  resetWithinTheLease: (dice: Dice): Plot => {
    const connectsInMs = dice.whole(POST_MS / 2 - 700, POST_MS / 2 - 10);
    return {
      actions: dice.one(ONE_ACTION)(dice),
      faults: [
        fault('read', 1, unreachable),
        fault('reserve', 2, slow(READ_MS - 100)),
        fault('read', 2, slow(READ_MS - 100)),
        fault('connect', 1, slow(connectsInMs)),
        // The second attempt: its heartbeat at the barrier arrives, those of the timer hang, and that of the lease is late.
        fault('heartbeat', 2, { kind: 'hangs' }),
        fault('heartbeat', 3, slow(dice.whole(1_000, LEASE_MS - 50))),
        fault('heartbeat', 4, { kind: 'hangs' }),
        // Its successor works for a while.
        fault('read', 3, slow(dice.whole(500, 3_000))),
        ...hidden(dice),
      ],
      disruptions: [
        timed('connecting', 1, connectsInMs + dice.whole(20, 500), { kind: 'resetActivity', forgetting: true }),
      ],
      cloud: PATIENT_CLOUD,
      temporal: { attemptAfterReset: 2 },
    };
  },

  /** Somebody else's cloud job shows while a POST may still be accepted, and the run is cancelled between two attempts. */
  foreignJobWhileUnclear: (dice: Dice): Plot => ({
    actions: dice.one(ONE_ACTION)(dice),
    faults: [
      fault('post', 1, {
        kind: 'lost',
        arrives: true,
        acceptedAfterMs: dice.whole(POST_MS - 3_000, POST_MS),
        answeredAfterMs: dice.whole(1, 1_000),
      }),
    ],
    disruptions: [
      timed('sending', 1, dice.whole(0, 6_000), {
        kind: 'foreignAction',
        action: dice.one(ANY_ACTION)(dice),
        lasts: dice.whole(500, 10_000),
        idMs: dice.whole(0, 1_000),
        statusMs: 0,
        ends: 'SUCCEEDED',
      }),
      timed('retryWaits', 1, dice.whole(0, 3_000), { kind: 'cancel' }),
    ],
    // If our user id is not known, somebody else's cloud job may be adopted (docs/guarantees.md).
    cloud: { ...PATIENT_CLOUD, ownUserKnown: true },
  }),

  /** A step fails, and somebody else acts before the run undoes it. */
  foreignJobBeforeTheUndo: (dice: Dice): Plot => ({
    actions: [{ action: 'scale', replica: dice.whole(1, 5) }, { action: dice.chance(0.5) ? 'restart' : 'stop' }],
    faults: [fault('job', 2, { kind: 'ends', status: 'FAILED' })],
    disruptions: [
      timed(dice.chance(0.5) ? 'accepted' : 'jobEnds', 2, dice.whole(0, 500), {
        kind: 'foreignAction',
        action: dice.one(ANY_ACTION)(dice),
        lasts: dice.whole(100, 3_000),
        idMs: dice.whole(0, 300),
        statusMs: dice.whole(0, 300),
        ends: 'SUCCEEDED',
      }),
    ],
    cloud: { busy: 'accept' },
  }),
} satisfies Record<string, (dice: Dice) => Plot>;

export type PlotName = keyof typeof PLOTS;

export const PLOT_NAMES = Object.keys(PLOTS) as readonly PlotName[];
