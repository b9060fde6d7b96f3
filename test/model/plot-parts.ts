/** The parts that plots are made of. */
import type { Action } from '../../src/domain/target/actions.js';
import type { Dice } from '../chaos/dice.js';
import { LIMITS } from './draw-mishaps.js';
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
export const STATE_ACTIONS: readonly ((dice: Dice) => readonly Action[])[] = [
  () => [{ action: 'stop' }],
  () => [{ action: 'rollback', version: '1.4.0' }],
  (dice) => [{ action: 'scale', replica: dice.whole(1, 5) }],
];

export const ONE_ACTION: typeof STATE_ACTIONS = [...STATE_ACTIONS, () => [{ action: 'restart' }]];

export const fault = (site: Site, nth: number, what: FaultEffect, times = 1): Fault => ({ site, nth, times, what });
export const timed = (after: Moment, nth: number, delayMs: number, what: Disruption): TimedDisruption => ({
  after,
  nth,
  delayMs,
  disruption: what,
});
export const slow = (ms: number): FaultEffect => ({ kind: 'slow', ms });
export const unreachable: FaultEffect = { kind: 'fails', failure: 'Unreachable' };
export const resetActivity: Disruption = { kind: 'resetActivity', forgetting: false };

/** The POST is accepted late and shown late, and its answer does not arrive before its timeout. */
export function hidden(dice: Dice, nth = 1, latestMs = POST_MS): readonly Fault[] {
  const acceptedAfterMs = dice.whole(POST_MS / 2, latestMs);
  return [
    fault('post', nth, { kind: 'lost', arrives: true, acceptedAfterMs, answeredAfterMs: POST_MS }, 2),
    fault('job', 1, slowToShow(dice), 2),
  ];
}

/** The cloud job appears only when the visibility window is nearly over. */
export function slowToShow(dice: Dice): FaultEffect {
  const late = () => WINDOW_MS - dice.whole(0, 500);
  return { kind: 'lags', idMs: late(), statusMs: late() };
}

/** The cloud must neither refuse the second POST nor show the first. */
export const PATIENT_CLOUD: Partial<CloudHabits> = { busy: 'accept', longestLagMs: WINDOW_MS };

/** Enough to outweigh the pause after a lost attempt. Chosen: half of what `marginMs` covers, since the clocks of two workers may both be off. */
export const LARGE_SKEW_MS = MARGIN_MS / 2;

/**
 * The second attempt is frozen or delayed until another attempt with its number sends, which is when the one after the reset has waited for
 * its bound.
 */
export function beyondTheBound(dice: Dice): number {
  return 3 * HEARTBEAT_MS + dice.whole(0, POST_MS + 2 * QUIET_MS);
}

/** The first attempt fails unsent; the second is reset while it runs without sending a heartbeat. */
export function secondAttemptIsReset(dice: Dice): readonly TimedDisruption[] {
  return [timed('retryWaits', 1, QUIET_MS + dice.whole(500, HEARTBEAT_MS - 500), resetActivity)];
}

/** The POST of the first attempt is lost, and its answer with it; the second attempt begins when nothing can appear any more. */
export function firstAttemptIsUnclear(dice: Dice): readonly Fault[] {
  return [
    fault('post', 1, { kind: 'lost', arrives: false, acceptedAfterMs: 0, answeredAfterMs: dice.whole(10, 500) }),
    fault('dispatch', 2, { kind: 'noWorker', ms: dice.whole(POST_MS + WINDOW_MS, 2 * WINDOW_MS) }),
  ];
}

/** Somebody else scales the instance as soon as the run begins, and shows at once. */
export function foreignScaleAtTheBeginning(dice: Dice): TimedDisruption {
  return timed('runBegins', 1, 0, {
    kind: 'foreignAction',
    action: { action: 'scale', replica: dice.whole(1, 4) },
    lasts: dice.whole(500, 20_000),
    idMs: 0,
    statusMs: 0,
    ends: 'SUCCEEDED',
  });
}
