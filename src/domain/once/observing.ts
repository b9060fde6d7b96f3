/** Before a send: whether the attempt may continue, and what each reading of the instance leads to. */
import { ruleOf, desiredStateHolds } from '../target/actions.js';
import { describeObservation } from '../target/target.js';
import { actionIn, end, endElsewhere, fail, failAs, indeterminate, note, whereNamed } from './ending.js';
import { entryMove, type EntryMove } from './entry.js';
import type { At, EventOf, ReadingEvent, Step } from './events.js';
import { adopt } from './following.js';
import { inspect, judge, mayShowTasks, notOurs } from './evidence.js';
import { nextHoldDelayMs } from './pacing.js';
import type { OnceState, PhaseOf } from './state.js';

/** After so many readings in a row that are older than the baseline the attempt ends. Chosen: a replica that lags catches up sooner. */
const STALE_READINGS = 4;

/** Waits for request budget and credentials first, so that nothing waits between the last reading and the send. */
export function reserve(state: OnceState, at: At): Step {
  const giveUpAtMs = at.nowMs + at.rules.limits.heartbeatTimeoutMs;
  return { state: { ...state, phase: { name: 'reserving' } }, command: { kind: 'reserve', giveUpAtMs } };
}

/** The phase `barrier`: an attempt that may be superseded continues only if the server names it as the current one. */
export function atBarrier(
  state: OnceState,
  phase: PhaseOf<'barrier'>,
  event: EventOf<'standing' | 'timeUp'>,
  at: At,
): Step {
  const isLostBefore = phase.leftNothing && event.kind === 'standing' && event.isAfterTimeout === true;
  const known = isLostBefore ? { ...state, ...afterLoss(state, at) } : state;
  const { elsewhere } = phase;
  return whereNamed(known, phase.askedAtMs, event, at, (named) =>
    elsewhere === undefined ? reserve(named, at) : endElsewhere(named, elsewhere, at),
  );
}

/** The attempt before was lost without any heartbeat, so without a send lease. If it sent all the same, that was accepted before now. */
function afterLoss({ atMs }: OnceState, { rules }: At): Pick<OnceState, 'isUnleased' | 'clearAtMs'> {
  return { isUnleased: true, clearAtMs: atMs + rules.limits.visibilityWindowMs };
}

/** The phase `reserving`: reads the instance once there is a place in the request budget. */
export function reserving(
  state: OnceState,
  _phase: PhaseOf<'reserving'>,
  event: EventOf<'reserved' | 'failed' | 'timeUp'>,
  at: At,
): Step {
  if (event.kind === 'failed') return failAs(state, event, at);
  if (event.kind === 'timeUp') return tooLate(state, at);
  const phase: PhaseOf<'observing'> = {
    name: 'observing',
    missingReadings: 0,
    staleReadings: 0,
    ...agreesSince(state, at),
  };
  return readAfter(0, state, phase, at);
}

/** Since when readings have agreed. */
type Agreement = Pick<PhaseOf<'observing'>, 'quietSinceMs' | 'heldSinceMs'>;

const NONE_AGREE: Agreement = { quietSinceMs: null, heldSinceMs: null };

/** The last reading of an earlier attempt counts as the first one if nothing was accepted after it. */
function agreesSince({ seen, sent, clearAtMs }: OnceState, { rules }: At): Agreement {
  if (seen === null || sent === 'no' || rules.action === null) return NONE_AGREE;
  const { visibilityWindowMs, marginMs } = rules.limits;
  if (seen.observedAtMs < clearAtMs - visibilityWindowMs - marginMs) return NONE_AGREE;
  return stillAgrees(entryMove(false, rules.action, rules.before, seen), NONE_AGREE, seen.observedAtMs);
}

/** Readings count together only as long as they agree: a reading of one kind ends the time of the other. */
function stillAgrees(move: EntryMove, { quietSinceMs, heldSinceMs }: Agreement, atMs: number): Agreement {
  if (move === 'quiet') return { quietSinceMs: quietSinceMs ?? atMs, heldSinceMs: null };
  if (move === 'alreadyDone' || move === 'skip') return { quietSinceMs: null, heldSinceMs: heldSinceMs ?? atMs };
  return NONE_AGREE;
}

/** The phase `observing`: what a reading of the instance, or of a cloud job found by it, leads to. */
export function observing(
  state: OnceState,
  phase: PhaseOf<'observing'>,
  event: EventOf<'reading' | 'inspected' | 'failed' | 'timeUp'>,
  at: At,
): Step {
  switch (event.kind) {
    case 'timeUp':
      return tooLate(state, at);
    case 'failed':
      // A single "not found" may be an error of the API: only two readings that agree prove that the instance was deleted.
      if (event.failure === 'TargetNotFound' && phase.missingReadings === 0)
        return readAfter(at.rules.limits.quietMs, state, { ...phase, missingReadings: 1 }, at);
      return failAs(state, event, at);
    case 'inspected':
      return afterInspection(state, event, at);
    case 'reading':
      return afterReading({ ...state, seen: event.reading }, { ...phase, missingReadings: 0 }, event, at);
  }
}

function afterReading(state: OnceState, phase: PhaseOf<'observing'>, event: ReadingEvent, at: At): Step {
  const { action, before, limits } = at.rules;
  if (action === null) throw new TypeError('There is no action to send');
  const { reading, askedAtMs } = event;
  const move = entryMove(state.sent === 'no', action, before, reading);
  const agreeing = { ...phase, ...stillAgrees(move, phase, at.nowMs) };
  return MOVES[move](state, agreeing, { ...at, reading, askedAtMs, quietMs: limits.quietMs });
}

interface Reading extends At, Pick<ReadingEvent, 'reading' | 'askedAtMs'> {
  readonly quietMs: number;
}

/** How each move of the entry table is carried out. */
const MOVES: Readonly<Record<EntryMove, (state: OnceState, phase: PhaseOf<'observing'>, at: Reading) => Step>> = {
  send: (state) => connect(state),
  skip: (state, phase, at) => skip(state, phase, at),
  deleted: (state, _phase, at) => fail(state, 'TargetNotFound', `${at.rules.target.path} is ${at.reading.status}`, at),
  // The next attempt reads again. Whether something may have been sent is in the state.
  busy: (state, _phase, at) => fail(state, 'TargetBusy', busyMessage(at), at, { firstDelayMs: 2 * at.quietMs }),
  changed: (state, _phase, at) => fail(state, 'TargetChanged', changedMessage(at), at),
  stale: (state, phase, at) => {
    const staleReadings = phase.staleReadings + 1;
    if (staleReadings >= STALE_READINGS) return fail(state, 'TargetBusy', staleMessage(at), at);
    return readAfter(at.quietMs, state, { ...phase, staleReadings }, at);
  },
  inspect: (state, phase, at) => inspect({ ...state, phase }, at.nowMs + at.rules.limits.heartbeatTimeoutMs),
  alreadyDone: (state, phase, at) =>
    onceClear(state, phase, at, {
      sinceMs: phase.heldSinceMs ?? at.nowMs,
      forMs: Math.max(at.quietMs, at.rules.verify.stableMs),
      conclude: done,
    }),
  quiet: (state, phase, at) =>
    onceClear(state, phase, at, {
      sinceMs: phase.quietSinceMs ?? at.nowMs,
      forMs: at.quietMs,
      conclude: sendAgain,
    }),
};

/**
 * Ends the step as skipped. If the action before it did not wait for its state to hold, the skip waits for that instead. If the state is lost
 * meanwhile, the step is sent after all.
 */
function skip(state: OnceState, phase: PhaseOf<'observing'>, at: Reading): Step {
  const { before, verify } = at.rules;
  const heldSinceMs = phase.heldSinceMs ?? at.nowMs;
  const heldForMs = Math.max(0, at.askedAtMs - heldSinceMs);
  if (before.notHeld === true && heldForMs < verify.stableMs)
    return readAfter(nextHoldDelayMs(at.nowMs - heldSinceMs, verify.stableMs), state, phase, at);
  return end(note(state, 'skipped', at, describeObservation(at.reading)), { kind: 'skipped' }, at);
}

interface Conclusion {
  /** Since when readings have agreed, and for how long they must. */
  readonly sinceMs: number;
  readonly forMs: number;
  readonly conclude: (state: OnceState, at: Reading) => Step;
}

/** Draws its conclusion only from readings that have agreed for long enough, and once nothing that was sent earlier can still appear. */
function onceClear(
  state: OnceState,
  phase: PhaseOf<'observing'>,
  at: Reading,
  { sinceMs, forMs, conclude }: Conclusion,
): Step {
  if (at.nowMs < state.clearAtMs) return notClearYet(state, 'An earlier attempt may have sent it', at);
  const leftMs = sinceMs + forMs - at.nowMs;
  if (leftMs > 0) return readAfter(Math.min(at.quietMs, leftMs), state, phase, at);
  // A slow answer may show the instance as it was before that time.
  if (at.askedAtMs < Math.max(state.clearAtMs, sinceMs + forMs)) return readAfter(0, state, phase, at);
  return conclude(state, at);
}

/** Leaves the wait to the server, as the delay before the next attempt, so that it survives this worker. */
function notClearYet(state: OnceState, what: string, at: At): Step {
  const retryInMs = state.clearAtMs - at.nowMs;
  return fail(state, 'Unanswered', `${what}, and what was sent may still appear`, at, { retryInMs });
}

/** The desired state holds and an earlier attempt may have caused it: it counts as ours, and the workflow settles it. */
function done(state: OnceState, at: Reading): Step {
  const { action, before } = at.rules;
  const heldBefore = action !== null && before.observation !== null && desiredStateHolds(action, before.observation);
  const noted = note(state, heldBefore ? 'skipped' : 'alreadyDone', at, describeObservation(at.reading));
  return end(noted, { kind: heldBefore ? 'skipped' : 'succeeded' }, at);
}

function sendAgain(state: OnceState, at: Reading): Step {
  const { action } = at.rules;
  if (action !== null && ruleOf(action).kind === 'edge' && !state.isUnleased)
    return indeterminate(
      state,
      `A ${action.action} may have been sent before and nothing shows it; it is not sent again unless a person decides so`,
      at,
    );
  return connect(state);
}

function connect(state: OnceState): Step {
  return { state: { ...state, phase: { name: 'connecting' } }, command: { kind: 'connect' } };
}

function afterInspection(state: OnceState, event: EventOf<'inspected'>, at: At): Step {
  const verdict = judge(state, event, at);
  if (verdict.kind === 'fits') return adopt(state, verdict.evidence, at);
  const id = state.seen?.lastJobId ?? 'unknown';
  if (mayShowTasks(verdict, state, at))
    return fail(state, 'Unanswered', `Cloud job ${id} shows no tasks yet, and may be ours`, at);
  if (at.nowMs < state.clearAtMs) return notClearYet(state, `Cloud job ${id} cannot be proved to be ours`, at);
  return notOurs(state, verdict, at);
}

function readAfter(inMs: number, state: OnceState, phase: PhaseOf<'observing'>, at: At): Step {
  const giveUpAtMs = at.nowMs + inMs + at.rules.limits.heartbeatTimeoutMs;
  return { state: { ...state, phase }, command: { kind: 'read', inMs, giveUpAtMs } };
}

function tooLate(state: OnceState, at: At): Step {
  return fail(state, 'Throttled', 'A place in the request budget did not come in time', at);
}

function busyMessage({ rules, reading }: Reading): string {
  const { lastJobId, lastJobStatus } = reading;
  return `${rules.target.path} is busy: ${describeObservation(reading)}, cloud job ${lastJobId ?? 'unknown'} ${lastJobStatus ?? ''}`.trim();
}

function staleMessage({ rules, reading }: Reading): string {
  return `Readings of ${rules.target.path} stay older than what is known (${reading.lastJobId ?? 'no cloud job'})`;
}

function changedMessage({ rules, reading }: Reading): string {
  const { target, before } = rules;
  return `${actionIn(rules)} was not sent: cloud job ${reading.lastJobId ?? 'none'} appeared on ${target.path} after ${before.lastJobId ?? 'none'}, and it is not ours (${describeObservation(reading)})`;
}
