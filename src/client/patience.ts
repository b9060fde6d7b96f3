/** How long a caller waits for a server that does not answer. */

/**
 * Counts from the first unanswered call rather than from the last answer, because this process may itself have been
 * stopped in between.
 */
export class Patience {
  #awaySinceMs: number | null = null;

  /** @param patienceMs milliseconds */
  constructor(private readonly patienceMs: number) {}

  answered(): void {
    this.#awaySinceMs = null;
  }

  /**
   * Records a call without an answer. Times are from one monotonic clock, in milliseconds.
   * @returns true if the caller should give up: after at least two unanswered calls in a row
   */
  unanswered(askedAtMs: number, nowMs: number): boolean {
    const isOver = this.#awaySinceMs !== null && nowMs - this.#awaySinceMs > this.patienceMs;
    this.#awaySinceMs ??= askedAtMs;
    return isOver;
  }
}
