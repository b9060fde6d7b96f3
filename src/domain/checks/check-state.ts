/**
 * When a check asks again, and when it is over: the next state from the state and a judged answer. Pure. Times are epoch milliseconds by a
 * clock that never jumps.
 *
 * The wanted answer must appear within `withinMs`, and then hold for `stableMs` without a break. A break within that time begins again; one
 * after it fails. Time without requests proves nothing: after the loss of a worker, and after a pause of its process, the hold begins again.
 */
import type { HttpCheck } from './check.js';

/** What one attempt knows. */
export interface CheckState {
  /** When the first attempt began. */
  readonly startedAtMs: number;
  /** Until then the wanted answer may begin to hold. */
  readonly chanceUntilMs: number;
  readonly deadlineAtMs: number;
  /** Requests of all attempts. */
  readonly requests: number;
  /** When the first of the wanted answers in a row had arrived; `null`: the last answer was not a wanted one. */
  readonly heldSinceMs: number | null;
  /** When the last wanted answer had arrived. */
  readonly lastMetAtMs: number | null;
  /** The answers in a row that are not as wanted. */
  readonly failing: Failing | null;
}

interface Failing {
  readonly reason: string;
  readonly failures: number;
  readonly sinceMs: number;
}

/** The heartbeat details of a check: what the next attempt continues from, and what a watch shows. */
export interface CheckMemory {
  readonly startedAtMs: number;
  readonly requests: number;
  /** The shape of `OnceState.retrying`, so that whatever shows that shows this as well. */
  readonly retrying?: Failing & { readonly untilMs: number };
}

/** What follows an answer. */
export type CheckNext =
  | { readonly kind: 'ask'; readonly inMs: number }
  | { readonly kind: 'passed'; readonly heldMs: number }
  | { readonly kind: 'failed' }
  /** The deadline of the run came first. */
  | { readonly kind: 'late' };

/** One request: when it was sent and answered, and what was not as wanted. */
export interface Judged {
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  readonly unmet: readonly string[];
  /** Asking again does not help. */
  readonly isFinal: boolean;
}

/** Gaps between requests: they grow to five seconds, as those of readings do. */
const FIRST_GAP_MS = 250;
const GAP_GROWTH = 1.5;
const LONGEST_GAP_MS = 5_000;
const SHORTEST_GAP_MS = 20;
/** Without a request for longer than this it is not known whether the answer held. Chosen: two gaps and some time for a slow process. */
const UNSEEN_AFTER_MS = 15_000;

/** An attempt begins. Its first request is always sent: the time without a worker proves nothing. @param before the heartbeat details of the attempt before it */
export function beginCheck(
  { withinMs }: Pick<HttpCheck, 'withinMs'>,
  before: CheckMemory | null,
  nowMs: number,
  deadlineAtMs: number,
): CheckState {
  const startedAtMs = before?.startedAtMs ?? nowMs;
  return {
    startedAtMs,
    chanceUntilMs: Math.max(startedAtMs + withinMs, nowMs),
    deadlineAtMs,
    requests: before?.requests ?? 0,
    heldSinceMs: null,
    lastMetAtMs: null,
    failing: null,
  };
}

/** What an answer leads to. */
export function afterAnswer(
  check: Pick<HttpCheck, 'stableMs'>,
  before: CheckState,
  judged: Judged,
): { readonly state: CheckState; readonly next: CheckNext } {
  const state = counted(before, judged);
  return { state, next: nextAfter(check, state, judged) };
}

function counted(before: CheckState, { sentAtMs, answeredAtMs, unmet }: Judged): CheckState {
  const requests = before.requests + 1;
  const [reason] = unmet;
  if (reason !== undefined) {
    const { failures = 0, sinceMs = answeredAtMs } = before.failing ?? {};
    const failing = { reason, failures: failures + 1, sinceMs };
    return { ...before, requests, heldSinceMs: null, lastMetAtMs: null, failing };
  }
  const { heldSinceMs, lastMetAtMs } = before;
  const isSeen = heldSinceMs !== null && lastMetAtMs !== null && sentAtMs - lastMetAtMs <= UNSEEN_AFTER_MS;
  return {
    ...before,
    requests,
    heldSinceMs: isSeen ? heldSinceMs : answeredAtMs,
    lastMetAtMs: answeredAtMs,
    failing: null,
  };
}

function nextAfter({ stableMs }: Pick<HttpCheck, 'stableMs'>, state: CheckState, judged: Judged): CheckNext {
  const { heldSinceMs, chanceUntilMs, deadlineAtMs, requests } = state;
  const { sentAtMs, answeredAtMs: nowMs, isFinal } = judged;
  // It held at least from the first answer to the sending of this request: an answer describes a moment before it arrives.
  const heldMs = heldSinceMs === null ? 0 : Math.max(0, sentAtMs - heldSinceMs);
  if (heldSinceMs !== null && heldMs >= stableMs) return { kind: 'passed', heldMs };
  if (isFinal) return { kind: 'failed' };
  if (nowMs >= deadlineAtMs) return { kind: 'late' };
  if (heldSinceMs === null && nowMs >= chanceUntilMs) return { kind: 'failed' };
  const grown = Math.min(FIRST_GAP_MS * GAP_GROWTH ** Math.min(requests - 1, 20), LONGEST_GAP_MS);
  const soonMs =
    heldSinceMs === null
      ? Math.min(grown, chanceUntilMs - nowMs)
      : Math.min(
          grown,
          Math.max(SHORTEST_GAP_MS, stableMs / 2),
          Math.max(SHORTEST_GAP_MS, heldSinceMs + stableMs - nowMs),
        );
  return { kind: 'ask', inMs: Math.max(1, Math.min(soonMs, deadlineAtMs - nowMs)) };
}

/** The heartbeat details of a state. */
export function memoryOf({ startedAtMs, requests, failing, chanceUntilMs }: CheckState): CheckMemory {
  return {
    startedAtMs,
    requests,
    ...(failing === null ? {} : { retrying: { ...failing, untilMs: chanceUntilMs } }),
  };
}
