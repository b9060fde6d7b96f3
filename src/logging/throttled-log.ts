/** Warnings that somebody else can bring about as often as they like: the first of a kind in each while, with the number of those kept back. */
import type { Logger } from 'pino';

const WHILE_MS = 10_000;

export class SparseLog {
  readonly #kinds = new Map<string, { saidAtMs: number; keptBack: number }>();

  /** @param clock milliseconds; default: the time */
  constructor(
    private readonly log: Logger,
    private readonly clock: () => number = Date.now,
  ) {}

  /** @param kind of a closed set, since each is remembered */
  warn(kind: string, facts: object, message: string): void {
    const nowMs = this.clock();
    const last = this.#kinds.get(kind);
    if (last !== undefined && nowMs - last.saidAtMs < WHILE_MS) {
      last.keptBack++;
      return;
    }
    this.#kinds.set(kind, { saidAtMs: nowMs, keptBack: 0 });
    this.log.warn({ ...facts, keptBack: last?.keptBack ?? 0 }, message);
  }
}
