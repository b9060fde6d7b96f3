/** When attempts poll their cloud jobs. In the product that depends on what the worker has learned, so a poll any time must be safe. */
import type { PollCommand } from '../../src/domain/once/events.js';
import { plainPollMs } from '../../src/domain/durations/plain-rule.js';
import type { Dice } from '../chaos/dice.js';

/** How long an attempt waits before a poll, if it does not poll earlier at `latestAtMs`. @param nowMs by the clock of its worker */
export type Polls = (poll: PollCommand, nowMs: number) => number;

/** Any time between at once and the latest, on average some seconds: an interleaving has a limited number of events. */
export function drawnPolls(dice: Dice): Polls {
  return (poll, nowMs) => {
    if (dice.chance(0.3)) return plainly(poll, nowMs);
    if (dice.chance(0.05)) return poll.latestAtMs - nowMs;
    return dice.whole(0, dice.one([500, 20_000, 120_000]));
  };
}

/** As a worker that has learned nothing. */
function plainly({ sinceMs, polls }: PollCommand, nowMs: number): number {
  return sinceMs + plainPollMs(polls) - nowMs;
}
