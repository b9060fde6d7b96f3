/** Rate-limits warnings that outsiders can cause as often as they like: one per kind every 10 s or longer, with a count of those suppressed. */
import type { Logger } from 'pino';

const INTERVAL_MS = 10_000;

/** Warnings of a process, by kind. */
export class ThrottledLog {
  readonly #kinds = new Map<string, { loggedAtMs: number; suppressed: number }>();

  /**
   * @param clock epoch milliseconds. Default: the current time
   * @param intervalMs the shortest time between two of a kind. Default: 10 s
   */
  constructor(
    private readonly log: Logger,
    private readonly clock: () => number = Date.now,
    private readonly intervalMs: number = INTERVAL_MS,
  ) {}

  /** @param kind from a closed set, because each kind is remembered */
  warn(kind: string, facts: object, message: string): void {
    const nowMs = this.clock();
    const last = this.#kinds.get(kind);
    if (last !== undefined && nowMs - last.loggedAtMs < this.intervalMs) {
      last.suppressed++;
      return;
    }
    this.#kinds.set(kind, { loggedAtMs: nowMs, suppressed: 0 });
    this.log.warn({ ...facts, suppressed: last?.suppressed ?? 0 }, message);
  }
}
