/** When a failed step is retried, and the reason that is kept until then. It decides how soon, never what is concluded. */
import { FAILURES, type FailureName } from '../failures.js';
import type { Limits } from './limits.js';
import { clipText } from '../text/text.js';
import { describeTime } from '../time/utc-time.js';

/** Why a step is being retried. It is kept in the heartbeat details of its activity. Times are epoch milliseconds. */
export interface Retrying {
  readonly failure: FailureName;
  /** The newest reason, in words. */
  readonly reason: string;
  /** Attempts, or readings while a cloud job is followed, that failed in a row. */
  readonly failures: number;
  /** When the first of them failed. */
  readonly sinceMs: number;
  /** The step's deadline: it is retried until then. */
  readonly untilMs: number;
  /** Set if the newest failure was an expired token: the next attempt has a new one. */
  readonly tokenExpired?: true;
}

/** The server keeps 4 KB of a pending activity's last failure; message, details and what a codec adds share them. */
const LONGEST_REASON_BYTES = 800;

/** Counts one more failure, with its reason. */
export function failedAgain(
  before: Retrying | undefined,
  { failure, reason, nowMs, untilMs }: { failure: FailureName; reason: string; nowMs: number; untilMs: number },
): Retrying {
  return {
    failure,
    reason: clipText(reason, LONGEST_REASON_BYTES),
    failures: (before?.failures ?? 0) + 1,
    sinceMs: before?.sinceMs ?? nowMs,
    untilMs,
  };
}

/** For operators: the reason first, then since when and until when. */
export function describeRetrying({ reason, failures, sinceMs, untilMs }: Retrying): string {
  const since = failures === 1 ? '' : `failed ${failures} times since ${describeTime(sinceMs)}, `;
  return `${reason} (${since}tried again until ${describeTime(untilMs)})`;
}

/**
 * Longest delay by what failed, in multiples of `quietMs` (30 s and 15 s with the defaults). Somebody else's cloud job ends soon, and the search for an action whose answer was lost starts at once;
 * an API that is unreachable or throttles gains nothing from more requests.
 */
const LONGEST_DELAY_IN_QUIETS = 6;
const LONGEST_DELAYS_IN_QUIETS: Partial<Record<FailureName, number>> = { TargetBusy: 3, Unanswered: 3 };

/** What the delay before the next attempt depends on. */
export interface RetryDelayRequest {
  readonly failure: FailureName;
  /** Failures in a row, this one too. */
  readonly failures: number;
  /** Delay after the first. */
  readonly firstDelayMs: number;
  /** Until the step's deadline. */
  readonly leftMs: number;
  readonly limits: Limits;
}

/**
 * Milliseconds until the next attempt: twice as long after each failure in a row, up to a bound, and never more than half of what is left
 * until the deadline, so that the last attempts come near it.
 */
export function retryDelayMs({ failure, failures, firstDelayMs, leftMs, limits }: RetryDelayRequest): number {
  const longest = Math.max(
    firstDelayMs,
    (LONGEST_DELAYS_IN_QUIETS[failure] ?? LONGEST_DELAY_IN_QUIETS) * limits.quietMs,
  );
  const first = Math.max(firstDelayMs, failures > 1 ? limits.quietMs : 0);
  const grown = Math.min(first * 2 ** Math.min(failures - 1, 30), longest);
  return Math.max(1, Math.round(Math.min(grown, Math.max(firstDelayMs, leftMs / 2))));
}

/** True if this failure counts as one more in a row. What is wrong with the worker proves nothing about the step. */
export function countsAsFailure(name: FailureName): boolean {
  return FAILURES[name].retryable && name !== 'WorkerStopped' && name !== 'OtherProject';
}
