/** Plots: combinations of mishaps that chance alone hardly ever produces. Only their exact timing is random. */
import type { Dice } from '../chaos/dice.js';
import { ANY_ACTION, LIMITS } from './draw-mishaps.js';
import {
  foreignScaleAtTheBeginning,
  LARGE_SKEW_MS,
  ONE_ACTION,
  PATIENT_CLOUD,
  STATE_ACTIONS,
  beyondTheBound,
  fault,
  firstAttemptIsUnclear,
  hidden,
  resetActivity,
  secondAttemptIsReset,
  slow,
  slowToShow,
  timed,
  unreachable,
  type Plot,
} from './plot-parts.js';

const {
  postTimeoutMs: POST_MS,
  heartbeatTimeoutMs: HEARTBEAT_MS,
  readTimeoutMs: READ_MS,
  leaseMs: LEASE_MS,
  quietMs: QUIET_MS,
  visibilityWindowMs: WINDOW_MS,
} = LIMITS;

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

  /** The same, and the run is cancelled meanwhile: the result counts as that of the step, and the next run begins beside the cloud job. */
  receivedAsTheEnd: (dice: Dice): Plot => ({
    actions: dice.one(STATE_ACTIONS)(dice),
    faults: [
      fault('read', 1, unreachable, 2),
      fault('report', 2, slow(dice.whole(3 * HEARTBEAT_MS, 5 * HEARTBEAT_MS))),
      fault('job', 1, slowToShow(dice), 2),
    ],
    disruptions: [
      timed('attemptEnds', 2, dice.whole(0, HEARTBEAT_MS - 500), resetActivity),
      timed('sending', 1, dice.whole(0, 3_000), { kind: 'cancel' }),
    ],
    cloud: PATIENT_CLOUD,
    temporal: { attemptAfterReset: 1 },
  }),

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

  /** A reset clears the heartbeats while a POST is under way, and the attempt still reports how it ended. */
  clearedUnderItsPost: (dice: Dice): Plot => ({
    actions: dice.one(ONE_ACTION)(dice),
    faults: [
      fault('post', 1, {
        kind: 'lost',
        arrives: true,
        acceptedAfterMs: dice.whole(POST_MS / 2, POST_MS),
        answeredAfterMs: dice.whole(10, 500),
      }),
      fault('job', 1, slowToShow(dice)),
    ],
    disruptions: [timed('sending', 1, dice.whole(0, 500), { kind: 'resetActivity', forgetting: true })],
    cloud: PATIENT_CLOUD,
    temporal: { attemptAfterReset: 2 },
  }),

  /** The workflow is reset under a POST, and the first attempt of the new run is lost before any heartbeat. */
  resetRunLosesItsFirstAttempt: (dice: Dice): Plot => ({
    actions: [{ action: 'restart' }],
    faults: hidden(dice),
    disruptions: [
      timed('sending', 1, dice.whole(0, 500), { kind: 'resetWorkflow', keep: 99, rescheduled: dice.chance(0.5) }),
      timed('attemptBegins', 2, 0, { kind: 'kill' }),
    ],
    cloud: PATIENT_CLOUD,
  }),

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

  /**
   * A reset run ends at once, because it cannot read the instance or is cancelled, while an attempt of the run before has its send lease. The run
   * after it must not act beside that attempt.
   */
  resetRunEndsEarly: (dice: Dice): Plot => {
    const isUnreadable = dice.chance(0.5);
    const nth = isUnreadable ? 1 : 2;
    const afterMs = dice.whole(0, 1_000);
    return {
      actions: [
        { action: 'scale', replica: 5 },
        { action: 'scale', replica: 6 },
      ],
      faults: [
        ...hidden(dice, nth),
        ...(isUnreadable ? [fault('observe', 2, { kind: 'fails', failure: 'NotAllowed' })] : []),
      ],
      disruptions: [
        timed('sending', nth, afterMs, { kind: 'resetWorkflow', keep: nth - 1, rescheduled: false }),
        ...(isUnreadable ? [] : [timed('sending', nth, afterMs, { kind: 'cancel' })]),
      ],
      cloud: PATIENT_CLOUD,
    };
  },

  /** A run that waited for a foreign cloud job before its first step is reset to within that wait, while it sends. */
  resetToTheFirstWait: (dice: Dice): Plot => {
    const nth = dice.whole(1, 2);
    return {
      actions: [{ action: 'scale', replica: 5 }, { action: dice.chance(0.5) ? 'restart' : 'stop' }],
      faults: dice.chance(0.5) ? hidden(dice, nth) : [],
      disruptions: [
        foreignScaleAtTheBeginning(dice),
        timed('sending', nth, dice.whole(0, 1_000), { kind: 'resetWorkflow', keep: 1, rescheduled: false }),
      ],
      cloud: PATIENT_CLOUD,
    };
  },

  /**
   * An attempt is lost in its POST, whose cloud job shows at the last moment. The next one waits that out, but is paused and resumed meanwhile, and
   * its reading, asked for too early, is answered late enough.
   */
  slowReadingAfterAPause: (dice: Dice): Plot => ({
    actions: dice.one(STATE_ACTIONS)(dice),
    faults: [
      fault('post', 1, {
        kind: 'lost',
        arrives: true,
        acceptedAfterMs: dice.whole(POST_MS - 300, POST_MS),
        answeredAfterMs: POST_MS,
      }),
      fault('job', 1, slowToShow(dice)),
      fault('read', 3, slow(READ_MS - dice.whole(20, 60))),
    ],
    disruptions: [
      timed('sending', 1, dice.whole(0, 300), { kind: 'kill' }),
      timed('retryWaits', 2, dice.whole(0, 50), {
        kind: 'pauseActivity',
        // It is resumed about when the cloud job shows.
        forMs: POST_MS + WINDOW_MS - HEARTBEAT_MS - dice.whole(1_000, 2_000),
        resetting: false,
      }),
    ],
    cloud: PATIENT_CLOUD,
    temporal: { clockSkewMs: LARGE_SKEW_MS },
  }),

  /** Somebody else scales the instance while the run reads it for the first time, and the run fails and goes back to what it read. */
  foreignJobAtTheFirstReading: (dice: Dice): Plot => ({
    actions: [{ action: 'scale', replica: 5 }, { action: dice.chance(0.5) ? 'restart' : 'stop' }],
    faults: [fault('job', 2, { kind: 'ends', status: 'FAILED' })],
    disruptions: [foreignScaleAtTheBeginning(dice)],
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
