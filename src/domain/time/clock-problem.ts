/** A machine whose clock is off, as an answer's `Date` shows it. An access key signs with the time; a token does not. */
import { describeDuration } from './duration.js';

/** A smaller difference is not reported: `Date` has whole seconds, and answers take time. Chosen. */
const NAMED_FROM_MS = 120_000;
/** A signature is good for 15 minutes (ServiceStage's documents); one less for the way of the answer. */
const BREAKS_SIGNATURES_FROM_MS = 14 * 60_000;

const THE_CLOCK_IS = 'the clock of this machine is';

/** What comes before the advice for a refused signature. */
export const CLOCK_ADVICE =
  'First set the clock of the machine right that the worker runs on (NTP): the signatures of an access key are good for 15 minutes.';

/** `the clock of this machine is 20m ahead of ServiceStage's`, or `null` for a clock that is right enough. Positive: ours is ahead. */
export function clockProblem(aheadMs: number | null): string | null {
  if (aheadMs === null || Math.abs(aheadMs) < NAMED_FROM_MS) return null;
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  return `${THE_CLOCK_IS} ${describeDuration(seconds * 1_000)} ${aheadMs > 0 ? 'ahead of' : 'behind'} ServiceStage's`;
}

/** What the reason of a refusal shows about the request. */
export interface Refusal {
  readonly isSigned: boolean;
  /** The refusal names the time of the signature as its cause. */
  readonly namesTime: boolean;
}

/** The clock as the cause of a refused signature, or `null` if it cannot be the cause. */
export function clockAsCause(aheadMs: number | null, { isSigned, namesTime }: Refusal): string | null {
  if (!isSigned || aheadMs === null) return null;
  return namesTime || Math.abs(aheadMs) >= BREAKS_SIGNATURES_FROM_MS ? clockProblem(aheadMs) : null;
}

/** Whether a failure's message names the clock. */
export function namesClock(message: string): boolean {
  return message.includes(THE_CLOCK_IS);
}
