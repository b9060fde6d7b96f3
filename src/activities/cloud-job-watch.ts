/**
 * Decides when to poll a cloud job, from what this worker has learned of durations, and passes on what the polls showed. All attempts of a
 * worker share one, because what one cloud job shows may bring the poll of another one forward.
 */
import type { Durations, JobKind } from '../domain/durations/durations.js';
import type { PollCommand } from '../domain/once/events.js';
import type { FollowedJob } from '../domain/once/state.js';
import { LONGEST_TIMER_MS } from '../time/pause.js';

/**
 * Sleepers are asked again in turns, so that the end of one cloud job does not stop the process for 500 others, nor makes them all poll in the same
 * millisecond. Chosen: 500 have been asked within a quarter of a second, and 2,000 within a second.
 */
const TURN_MS = 20;
const SLEEPERS_PER_TURN = 50;
/** What is learned within this time leads to one round. Chosen: short beside the fastest cloud jobs, which take two seconds. */
const ROUND_MS = 50;

/** With so little time left, a poll that is not expected to see the end is made at the latest time itself. Chosen: the longest gap of the plain rule. */
const LITTLE_MS = 5_000;

/** When to poll the cloud jobs that this worker follows. */
export class CloudJobWatch {
  readonly #sleepers = new Set<Sleeper>();
  /** Those still to be asked again in this round, the next one last. */
  #round: Sleeper[] = [];
  #turn: NodeJS.Timeout | undefined;
  #mayHaveLearned = false;

  /** @param durations what the worker has learned; anyone else who adds to it calls `askAgain` */
  constructor(readonly durations: Durations) {}

  /**
   * Waits until it is time to poll: never later than `latestAtMs`, and earlier or later than first intended if enough is learned meanwhile.
   *
   * @param clock epoch milliseconds
   * @throws the signal's reason, at once, when it is aborted
   */
  async untilPoll(kind: JobKind, poll: PollCommand, clock: () => number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const sleeper = new Sleeper(this.durations, kind, poll, clock);
    const onAbort = () => sleeper.wake();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#sleepers.add(sleeper);
    try {
      await sleeper.sleep();
    } finally {
      this.#sleepers.delete(sleeper);
      signal.removeEventListener('abort', onAbort);
    }
    signal.throwIfAborted();
  }

  /** A poll was answered. An adopted cloud job teaches nothing, because its age is not known. */
  saw(kind: JobKind, { id, runningAtMs, endedByMs }: FollowedJob): void {
    if (endedByMs !== undefined) this.durations.ended(kind, id, { runningAtMs: runningAtMs ?? 0, endedByMs });
    else if (runningAtMs !== undefined) this.durations.running(kind, id, runningAtMs);
    else return;
    this.askAgain();
  }

  /** The attempt follows the cloud job no longer. If its end was not seen, it no longer counts as running. */
  leave(kind: JobKind, { id, endedByMs }: FollowedJob): void {
    if (endedByMs !== undefined) return;
    this.durations.dropped(kind, id);
    this.askAgain();
  }

  /** Asks for every waiting cloud job again when to poll, soon, where something was learned. */
  askAgain(): void {
    this.#mayHaveLearned = true;
    if (this.#turn === undefined) this.#turn = setTimeout(() => this.#askTurn(), ROUND_MS).unref();
  }

  #askTurn(): void {
    this.#turn = undefined;
    if (this.#round.length === 0) {
      if (!this.#mayHaveLearned) return;
      this.#mayHaveLearned = false;
      this.#round = [...this.#sleepers].reverse();
    }
    for (const sleeper of this.#round.splice(-SLEEPERS_PER_TURN).reverse()) sleeper.askAgain();
    const isOver = this.#round.length === 0;
    if (!isOver || this.#mayHaveLearned)
      this.#turn = setTimeout(() => this.#askTurn(), isOver ? ROUND_MS : TURN_MS).unref();
  }
}

/** Waits for the time of one poll. */
class Sleeper {
  #pollAtMs = Infinity;
  #version: number;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | null = null;
  #isAwake = false;
  /**
   * When to poll if the end is expected only after the latest time, which is the step's deadline: halfway to it. Should the cloud job have ended
   * against all expectation, a poll at the deadline would leave no time to see the desired state.
   */
  readonly #unexpectedAtMs: number;

  constructor(
    private readonly durations: Durations,
    private readonly kind: JobKind,
    private readonly poll: PollCommand,
    private readonly clock: () => number,
  ) {
    this.#version = durations.version(kind);
    const leftMs = poll.latestAtMs - clock();
    this.#unexpectedAtMs = leftMs > LITTLE_MS ? poll.latestAtMs - leftMs / 2 : poll.latestAtMs;
  }

  async sleep(): Promise<void> {
    this.#plan();
    if (this.#isAwake) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#isAwake = true;
    clearTimeout(this.#timer);
    this.#wake?.();
  }

  /** Brings the poll forward if what was learned calls for it. Whether it can be put off is asked when it is due. */
  askAgain(): void {
    if (this.#isAwake) return;
    const version = this.durations.version(this.kind);
    if (version === this.#version) return;
    this.#version = version;
    this.#plan();
  }

  #plan(): void {
    const pollAtMs = this.#bestPollAtMs();
    if (pollAtMs >= this.#pollAtMs) return;
    this.#pollAtMs = pollAtMs;
    clearTimeout(this.#timer);
    this.#wakeInTime();
  }

  #bestPollAtMs(): number {
    const { cloudJobId, submittedAtMs, sinceMs, polls, lastRunningAtMs, latestAtMs } = this.poll;
    const nowMs = this.clock();
    const ageMs = Math.max(0, nowMs - submittedAtMs);
    const job = { polls, followedForMs: Math.max(0, nowMs - sinceMs), ageMs, lastRunningAtMs, cloudJobId };
    const expectedAtMs = nowMs + this.durations.nextPollAtMs(this.kind, job) - ageMs;
    return expectedAtMs <= latestAtMs ? expectedAtMs : this.#unexpectedAtMs;
  }

  #wakeInTime(): void {
    const leftMs = this.#pollAtMs - this.clock();
    if (leftMs <= 0) this.wake();
    else this.#timer = setTimeout(() => this.#wakeUnlessPutOff(), Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS));
  }

  /** Others may have seen meanwhile that the poll is not worth making yet. */
  #wakeUnlessPutOff(): void {
    if (this.#pollAtMs <= this.clock()) this.#pollAtMs = this.#bestPollAtMs();
    this.#wakeInTime();
  }
}
