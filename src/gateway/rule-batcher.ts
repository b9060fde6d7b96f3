/** Sends the alarms, or notes, of one rule in batches: one update is in flight, and the next carries everything that arrived meanwhile. A flood costs few updates, and order is kept. */
import { AsyncResource } from 'node:async_hooks';
import { MOST_ALARMS_AT_ONCE } from '../domain/alarms/alarm.js';

/** The alarms were not decided. Their sender must send them again, which is harmless. */
export class Undecided extends Error {
  override readonly name = 'Undecided';
}

/** Ten full updates, about two seconds of a busy rule. Chosen: a sender that would wait longer is asked to retry at once. */
const MOST_WAITING = 2_000;
/** Far below the 2 MB that Temporal accepts as one argument. */
const MOST_BYTES = 512 * 1024;

interface Waiting<Item, Decision> {
  readonly item: Item;
  readonly bytes: number;
  /** The delivery that brought the item: a batch belongs to the trace of its first one. */
  readonly delivery: AsyncResource;
  resolve(decision: Decision): void;
  reject(reason: unknown): void;
}

/** The batches of one rule. */
export class RuleBatcher<Item, Decision> {
  /** In the order of arrival. Items whose sender gave up are removed. */
  readonly #waiting = new Set<Waiting<Item, Decision>>();
  #isSending = false;

  /**
   * @param send one batch, to one decision per item in the same order
   * @param isFree true for an item that `send` mostly filters out, so that it does not count against the size of a batch
   */
  constructor(
    private readonly send: (items: readonly Item[]) => Promise<readonly Decision[]>,
    private readonly isFree: (item: Item) => boolean = () => false,
  ) {}

  /** Items that are in no update yet. */
  get length(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves to one decision per item, in the same order, once all are durable.
   * @throws Undecided, or the reason of the signal when it is aborted; items that are in no update yet are then dropped
   */
  async decide(items: readonly Item[], signal: AbortSignal): Promise<readonly Decision[]> {
    signal.throwIfAborted();
    if (this.length + items.length > MOST_WAITING) throw new Undecided('too many alarms wait for this rule');
    return new Promise((resolve, reject) => {
      const decisions: Decision[] = [];
      let open = items.length;
      const giveUp = (reason: unknown) => {
        for (const each of waiting) this.#waiting.delete(each);
        reject(reason);
      };
      const delivery = new AsyncResource('delivery');
      const waiting = items.map((item, index): Waiting<Item, Decision> => {
        const settle = (decision: Decision) => {
          decisions[index] = decision;
          if (--open === 0) resolve(decisions);
        };
        return { item, bytes: Buffer.byteLength(JSON.stringify(item)), delivery, resolve: settle, reject: giveUp };
      });
      signal.addEventListener('abort', () => giveUp(signal.reason), { once: true });
      for (const each of waiting) this.#waiting.add(each);
      void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#waiting.size > 0) {
      const batch = this.#nextBatch();
      try {
        const [first] = batch;
        const send = () => this.send(batch.map(({ item }) => item));
        const decisions = await (first === undefined ? send() : first.delivery.runInAsyncScope(send));
        for (const [index, each] of batch.entries()) {
          const decision = decisions[index];
          if (decision === undefined) each.reject(new Undecided('the rule decided fewer alarms than it was given'));
          else each.resolve(decision);
        }
      } catch (error) {
        for (const each of batch) each.reject(error);
      }
    }
    this.#isSending = false;
  }

  #nextBatch(): Waiting<Item, Decision>[] {
    const batch: Waiting<Item, Decision>[] = [];
    let bytes = 0;
    let count = 0;
    for (const each of this.#waiting) {
      if (!this.isFree(each.item)) {
        bytes += each.bytes;
        if (count === MOST_ALARMS_AT_ONCE || (count > 0 && bytes > MOST_BYTES)) break;
        count++;
      }
      batch.push(each);
      this.#waiting.delete(each);
    }
    return batch;
  }
}
