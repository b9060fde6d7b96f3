/** How long the server may leave a waiting caller without any answer. */

/** Counts from the first question that got no answer, not from the last answer: a process that stood still itself lost no server by that. */
export class Patience {
  #awaySinceMs: number | null = null;

  /** @param patienceMs milliseconds */
  constructor(private readonly patienceMs: number) {}

  answered(): void {
    this.#awaySinceMs = null;
  }

  /**
   * A question got no answer. Times are those of one monotonic clock, in milliseconds.
   * @returns whether to give up: after two questions in a row at least
   */
  unanswered(askedAtMs: number, nowMs: number): boolean {
    const isOver = this.#awaySinceMs !== null && nowMs - this.#awaySinceMs > this.patienceMs;
    this.#awaySinceMs ??= askedAtMs;
    return isOver;
  }
}
