/**
 * The request budget of a process: a token bucket. POSTs take precedence over reads, and a 429 pauses all requests.
 * Written by hand because no rate limiter on npm does both.
 */

/** Rate and burst of the budget. */
export interface BudgetOptions {
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Milliseconds of a monotonic clock; tests pass their own. */
  readonly nowMs?: () => number;
}

interface Waiter {
  readonly priority: 'post' | 'read';
  readonly grant: () => void;
}

/** Grants requests at a limited rate, POSTs first. */
export class RequestBudget {
  readonly #requestsPerSecond: number;
  readonly #burst: number;
  readonly #nowMs: () => number;
  #tokens: number;
  #refilledAtMs: number;
  #closedUntilMs = 0;
  #waiters: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor({ requestsPerSecond, burst, nowMs = () => performance.now() }: BudgetOptions) {
    this.#requestsPerSecond = requestsPerSecond;
    this.#burst = burst;
    this.#nowMs = nowMs;
    this.#tokens = burst;
    this.#refilledAtMs = nowMs();
  }

  /** Waits for a place. @returns false if none was free within `withinMs`. @throws the signal's reason */
  async acquire(priority: 'post' | 'read', withinMs: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.#waiters.length === 0 && this.#acquireNow()) return true;
    return new Promise<boolean>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timeOut);
        signal?.removeEventListener('abort', onAbort);
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        settle();
      };
      const waiter: Waiter = { priority, grant: () => end(() => resolve(true)) };
      const onAbort = () => end(() => reject(signal?.reason as Error));
      const timeOut = setTimeout(() => end(() => resolve(false)), withinMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      const firstRead = this.#waiters.findIndex((other) => other.priority === 'read');
      this.#waiters.splice(priority === 'post' && firstRead >= 0 ? firstRead : this.#waiters.length, 0, waiter);
      this.#schedule();
    });
  }

  /** Returns a place that was not used. */
  giveBack(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
    this.#serve();
  }

  /** Pauses all requests after a 429, because refused requests may count as well. */
  closeFor(durationMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, this.#nowMs() + durationMs);
    this.#tokens = Math.min(this.#tokens, 1);
  }

  #acquireNow(): boolean {
    const nowMs = this.#nowMs();
    this.#tokens = Math.min(
      this.#burst,
      this.#tokens + ((nowMs - this.#refilledAtMs) / 1_000) * this.#requestsPerSecond,
    );
    this.#refilledAtMs = nowMs;
    if (nowMs < this.#closedUntilMs || this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #serve(): void {
    for (let next = this.#waiters[0]; next !== undefined && this.#acquireNow(); next = this.#waiters[0]) next.grant();
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#waiters.length === 0) return;
    const refillMs = Math.max(0, ((1 - this.#tokens) / this.#requestsPerSecond) * 1_000);
    const waitMs = Math.max(refillMs, this.#closedUntilMs - this.#nowMs());
    this.#timer = setTimeout(() => this.#serve(), Math.ceil(Math.max(1, waitMs)));
  }
}
