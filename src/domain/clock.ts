/** A machine whose clock is off, as an answer's `Date` shows it: requests are signed with the time, so it is the first thing to look at. */
import { describeDuration } from './duration.js';

/** Below it the difference is no cause: `Date` has whole seconds, and signatures are good for 15 minutes. Chosen. */
const NAMED_FROM_MS = 120_000;

const THE_CLOCK_IS = 'the clock of this machine is';

export const CLOCK_ADVICE =
  'Set the clock of the machine right that the worker runs on (NTP), then start again. The credentials may be good: requests are signed with the time.';

/** `the clock of this machine is 20m ahead of ServiceStage's`, or `null` for a clock that is right enough. Positive: ours is ahead. */
export function clockProblem(aheadMs: number | null): string | null {
  if (aheadMs === null || Math.abs(aheadMs) < NAMED_FROM_MS) return null;
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  return `${THE_CLOCK_IS} ${describeDuration(seconds * 1_000)} ${aheadMs > 0 ? 'ahead of' : 'behind'} ServiceStage's`;
}

/** Does a failure's message name the clock? */
export function namesClock(message: string): boolean {
  return message.includes(THE_CLOCK_IS);
}
