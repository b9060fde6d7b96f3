/** How an attempt ends: what it leaves for the next one, and how soon that comes. */
import { FAILURES, type FailureName } from '../failures.js';
import { describeAction } from '../target/actions.js';
import { describeTime } from '../time/utc-time.js';
import type { At, EventOf, OnceRules, RequestFailed, Step } from './events.js';
import { unseenAttemptMs } from './limits.js';
import { countsAsFailure, failedAgain, retryDelayMs } from './retrying.js';
import { finalFailure, type Ending, type Interruption, type OnceState } from './state.js';
import { extendTrail, type Decision } from './trail.js';

/** The last attempt that may meet an unreadable answer. Chosen: an API that changed its format does not change back within a step. */
const UNREADABLE_ATTEMPTS = 5;

/** Decisions whose note gives the reason why the attempt ended. */
const WITH_REASON: readonly Decision[] = ['notSent', 'refused', 'unanswered', 'fenced', 'stopped'];

/** The action for messages. An instance that is settled before a first step has none. */
export function actionIn({ action }: Pick<OnceRules, 'action'>): string {
  return action === null ? 'It' : describeAction(action);
}

/** The state with one more entry in its trail. */
export function note(state: OnceState, decision: Decision, { nowMs }: At, text?: string): OnceState {
  const entry = { attempt: state.attempt, atMs: nowMs, decision, ...(text === undefined ? {} : { note: text }) };
  return { ...state, trail: extendTrail(state.trail, entry) };
}

/** Ends the attempt. */
export function end(state: OnceState, ending: Ending, at: At): Step {
  const last = { ...state, ...silentAtEnd(state, at), atMs: at.nowMs };
  return { state: { ...last, phase: { name: 'ended', ending } }, command: { kind: 'end' } };
}

/**
 * If no heartbeat of an attempt reached the server for the heartbeat timeout, another attempt may have begun and sent. After a
 * reset the server can treat the end of the old attempt as that of the new one, which has the same number. The new one waited for a bound before
 * it sent, so only an end that comes much later must set a bound of its own.
 */
function silentAtEnd({ goal, sent, heardAtMs, clearAtMs }: OnceState, { nowMs, rules }: At): Partial<OnceState> {
  const { heartbeatTimeoutMs, marginMs } = rules.limits;
  const silentForMs = nowMs - heardAtMs;
  if (goal.kind !== 'act' || sent === 'yes' || silentForMs <= heartbeatTimeoutMs - marginMs) return {};
  const unseenMs = unseenAttemptMs(rules.limits);
  if (silentForMs <= unseenMs) return { sent: 'unknown' };
  return { sent: 'unknown', isUnleased: false, clearAtMs: Math.max(clearAtMs, nowMs + unseenMs) };
}

interface Delays {
  /** The exact delay before the next attempt. */
  readonly retryInMs?: number;
  /** The delay after a first failure, which grows with each failure in a row. Default: `quietMs`. */
  readonly firstDelayMs?: number;
  readonly tokenExpired?: true;
}

/** Ends the attempt with a failure, which is retried if the table `FAILURES` allows it and the deadline leaves time. */
export function fail(state: OnceState, failure: FailureName, message: string, at: At, delays: Delays = {}): Step {
  const { nowMs, rules } = at;
  const { deadlineAtMs, limits } = rules;
  let failed = state;
  if (countsAsFailure(failure)) {
    const again = failedAgain(state.retrying, { failure, reason: message, nowMs, untilMs: deadlineAtMs });
    failed = { ...state, retrying: delays.tokenExpired === true ? { ...again, tokenExpired: true } : again };
  }
  const retryInMs =
    delays.retryInMs === undefined
      ? retryDelayMs({
          failure,
          failures: failed.retrying?.failures ?? 1,
          firstDelayMs: delays.firstDelayMs ?? limits.quietMs,
          leftMs: deadlineAtMs - nowMs,
          limits,
        })
      : Math.max(1, Math.round(delays.retryInMs));
  if (!FAILURES[failure].retryable || nowMs + retryInMs >= deadlineAtMs)
    return end(failed, finalFailure(failure, finalMessage(failed, failure, message)), at);
  if (!WITH_REASON.includes(failed.trail.at(-1)?.decision ?? 'entered'))
    failed = note(failed, 'failed', at, `${failure}: ${message}`);
  return { ...end(failed, { kind: 'failed', failure, message, retryInMs }, at), record: true };
}

function finalMessage({ retrying }: OnceState, failure: FailureName, message: string): string {
  if (!FAILURES[failure].retryable) return message;
  const { failures = 1, sinceMs = 0 } = retrying ?? {};
  const since = failures === 1 ? '' : `; it failed ${failures} times since ${describeTime(sinceMs)}`;
  return `${message} (no other attempt fits before the deadline of the step${since})`;
}

/** Ends the attempt because a request to ServiceStage failed. */
export function failAs(state: OnceState, error: RequestFailed, at: At): Step {
  const { failure, message, retryAfterMs, tokenExpired } = error;
  const { quietMs } = at.rules.limits;
  if (failure === 'UnreadableAnswer' && state.attempt >= UNREADABLE_ATTEMPTS)
    return end(state, finalFailure(failure, message), at);
  if (retryAfterMs !== undefined) return fail(state, failure, message, at, { retryInMs: retryAfterMs });
  if (tokenExpired === true) {
    // The next attempt has a new token and may begin at once. If that token is refused as well, it waits as after any failure.
    const again = state.retrying?.tokenExpired === true;
    return fail(state, failure, message, at, { tokenExpired, ...(again ? {} : { retryInMs: 1 }) });
  }
  const isSlow = failure === 'TargetBusy' || failure === 'UnreadableAnswer';
  return fail(state, failure, message, at, { firstDelayMs: isSlow ? 2 * quietMs : quietMs });
}

/**
 * Ends with `Indeterminate`: reading cannot show whether the action was carried out. The lease on the instance is released after that, so the
 * attempt is retried while something sent earlier may still appear, or an earlier attempt may still send.
 */
export function indeterminate(state: OnceState, message: string, at: At): Step {
  const { clearAtMs } = state;
  if (at.nowMs < clearAtMs)
    return fail(state, 'Unanswered', `${message}; something sent before may still appear`, at, {
      retryInMs: clearAtMs - at.nowMs,
    });
  return end(state, { kind: 'indeterminate', failure: 'Indeterminate', message }, at);
}

/** Ends an attempt that was asked to end or was superseded: it sends nothing more. */
export function endInterrupted(state: OnceState, by: Interruption, at: At): Step {
  // It reports nothing: after a reset the server could take its failure for the current attempt's.
  if (by === 'superseded') return end(state, { kind: 'superseded' }, at);
  if (by === 'cancel') {
    const noted = note(state, 'stopped', at, 'cancel requested');
    return end(noted, { kind: 'cancelled', message: 'Cancelled before this attempt sent anything' }, at);
  }
  const why = 'the worker stopped, or the activity was paused or reset';
  const message = `The attempt was asked to end: ${why}`;
  const stopped = state.goal.kind === 'settle' ? state : note(state, 'stopped', at, why);
  // Another attempt reports how the step ends, even if the deadline has passed meanwhile.
  return { ...end(stopped, { kind: 'failed', failure: 'WorkerStopped', message, retryInMs: 1 }, at), record: true };
}

/** How long the next attempt waits, so that another worker can take it. Chosen. */
export const ELSEWHERE_RETRY_MS = 5_000;

/**
 * Ends an attempt that was given to a worker of another project. It sends and reads nothing: there, neither the instance nor its cloud job exists,
 * which would be a false proof that they were deleted. The next attempt receives what this one knows.
 */
export function endElsewhere(state: OnceState, why: string, at: At): Step {
  const noted = state.goal.kind === 'settle' ? state : note(state, 'stopped', at, why);
  const ending: Ending = { kind: 'failed', failure: 'OtherProject', message: why, retryInMs: ELSEWHERE_RETRY_MS };
  return { ...end(noted, ending, at), record: true };
}

/**
 * Continues with `proceed` only if the server named this attempt as the current one and nothing has asked it to end. Without a clear answer the
 * attempt ends and reports nothing.
 */
export function whereNamed(
  state: OnceState,
  askedAtMs: number,
  event: EventOf<'standing' | 'timeUp'>,
  at: At,
  proceed: (named: OnceState) => Step,
): Step {
  const standing = event.kind === 'timeUp' ? 'unclear' : event.standing;
  if (standing === 'superseded' || standing === 'unclear') return endInterrupted(state, 'superseded', at);
  const named = { ...state, heardAtMs: askedAtMs };
  if (standing === 'cancelled') return endInterrupted(named, 'cancel', at);
  return state.interrupted === undefined ? proceed(named) : endInterrupted(named, state.interrupted, at);
}
