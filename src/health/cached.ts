/** Keeps a value that is costly to find, and finds it again at most once in a given time, however often it is asked for. */

/** The newest value, and its age in milliseconds. */
export interface Aged<Value> {
  readonly value: Value;
  readonly ageMs: number;
}

/** Every question is answered within this time, with the newest value known: the kubelet waits for one second. */
const PATIENCE_MS = 500;

/** Keeps the newest value. All who ask at the same time share one search. */
export class Cached<Value> {
  #newest: { readonly value: Value; readonly atMs: number } | null = null;
  #finding: Promise<void> | null = null;
  #begunAtMs = -Infinity;

  /**
   * @param find must not reject
   * @param everyMs the shortest time from one search to the next; 0: each question begins one
   * @param clock monotonic milliseconds
   */
  constructor(
    private readonly find: () => Promise<Value>,
    private readonly everyMs: number,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Answers within half a second; `null` if nothing was found yet. Never rejects. */
  async read(): Promise<Aged<Value> | null> {
    if (this.#finding === null && this.clock() - this.#begunAtMs >= this.everyMs)
      this.#finding = this.#find().finally(() => {
        this.#finding = null;
      });
    if (this.#finding !== null) await withinPatience(this.#finding);
    return this.#newest === null ? null : { value: this.#newest.value, ageMs: this.clock() - this.#newest.atMs };
  }

  async #find(): Promise<void> {
    this.#begunAtMs = this.clock();
    const value = await this.find();
    this.#newest = { value, atMs: this.clock() };
  }
}

async function withinPatience(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}
