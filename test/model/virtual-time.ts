/** Virtual time: events run in order, and nothing really waits. */

/** Any time would do; this one reads well in a transcript, where times count from it. */
export const BEGIN_MS = 1_800_000_000_000;

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A binary heap of pending events, earliest first. Events of the same time run in the order in which they were added. */
export class VirtualTime {
  nowMs = BEGIN_MS;
  /** Events run so far. */
  events = 0;
  readonly #heap: Due[] = [];
  #order = 0;

  at(atMs: number, run: () => void): void {
    const due = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, run };
    const heap = this.#heap;
    let hole = heap.length;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = heap[above] as Due;
      if (isEarlier(parent, due)) break;
      heap[hole] = parent;
      hole = above;
    }
    heap[hole] = due;
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  /** @returns true if everything ended before this many events and this time */
  runAll(mostEvents: number, untilMs: number): boolean {
    for (let due = this.#pop(); due !== undefined; due = this.#pop()) {
      if (due.atMs > untilMs || this.events >= mostEvents) return false;
      this.nowMs = due.atMs;
      this.events++;
      due.run();
    }
    return true;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let hole = 0;
    for (;;) {
      let below = 2 * hole + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isEarlier(heap[below + 1] as Due, heap[below] as Due)) below++;
      const child = heap[below] as Due;
      if (isEarlier(last, child)) break;
      heap[hole] = child;
      hole = below;
    }
    heap[hole] = last;
    return first;
  }
}

function isEarlier(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
