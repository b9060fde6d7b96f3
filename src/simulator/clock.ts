/** The simulator's time. It can run faster, be frozen and be advanced. All simulated state is derived from it. */
export class Clock {
  #scale: number;
  #anchorRealMs = Date.now();
  #anchorMs = Date.now();
  #frozen = false;

  constructor(scale: number) {
    this.#scale = scale;
  }

  /** Epoch milliseconds in the simulated cloud. */
  get nowMs(): number {
    return this.#frozen ? this.#anchorMs : this.#anchorMs + (Date.now() - this.#anchorRealMs);
  }

  /** The durations of cloud jobs are divided by this. */
  get scale(): number {
    return this.#scale;
  }

  change({
    advanceMs = 0,
    scale,
    freeze,
  }: {
    advanceMs?: number | undefined;
    scale?: number | undefined;
    freeze?: boolean | undefined;
  }): void {
    this.#anchorMs = this.nowMs + advanceMs;
    this.#anchorRealMs = Date.now();
    this.#scale = scale ?? this.#scale;
    this.#frozen = freeze ?? this.#frozen;
  }
}

/** Numbers from a seed (mulberry32): the same seed gives the same ids and durations. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
