/** Deliveries that take longer than their sender waits. They are decided all the same, and a repeat gets that decision instead of a second one. */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Alarm } from '../domain/alarms/alarm.js';
import { orAborted } from '../time/pause.js';
import { Undecided } from './rule-batcher.js';

/** Chosen: far longer than a thousand alarms need that all start runs. */
const GIVE_UP_AFTER_MS = 120_000;
/** Chosen: Alertmanager retries within seconds, and stops when its group is due again. */
const KEPT_MS = 120_000;
/** Deliveries of at most 1,000 alarms each. The oldest is given up: its alarms that still wait are not decided before a repeat. */
const MOST_PENDING = 50;

type Decide<Decided> = (signal: AbortSignal) => Promise<Decided>;

interface Work<Decided> {
  readonly decided: Promise<Decided>;
  giveUp(): void;
}

/** The deliveries that were not decided in time. */
export class PendingDeliveries<Decided> {
  /** Oldest first. */
  readonly #pending = new Map<string, Work<Decided>>();

  /**
   * Decides a delivery, or waits for the decision about an earlier copy of it.
   * @param keyOf called only if the key is needed
   * @throws the reason of the signal when it is aborted; the decision then continues in the background
   */
  async decide(keyOf: () => string, signal: AbortSignal, decide: Decide<Decided>): Promise<Decided> {
    const earlier = this.#pending.size === 0 ? undefined : this.#pending.get(keyOf());
    const work = earlier ?? begin(decide);
    try {
      const decided = await orAborted(work.decided, signal);
      // Only once: by the next repeat a brake may no longer hold.
      if (earlier !== undefined) this.#pending.delete(keyOf());
      return decided;
    } catch (error) {
      if (signal.aborted && earlier === undefined) this.#keep(keyOf(), work);
      throw error;
    }
  }

  #keep(key: string, work: Work<Decided>): void {
    const forget = () => {
      if (this.#pending.get(key) === work) this.#pending.delete(key);
    };
    this.#pending.set(key, work);
    const [[oldestKey, oldest] = []] = this.#pending;
    if (this.#pending.size > MOST_PENDING && oldestKey !== undefined) {
      this.#pending.delete(oldestKey);
      oldest?.giveUp();
    }
    work.decided.then(() => setTimeout(forget, KEPT_MS).unref(), forget);
  }
}

function begin<Decided>(decide: Decide<Decided>): Work<Decided> {
  const tooLong = new AbortController();
  // One listener per rule that the delivery reaches.
  setMaxListeners(0, tooLong.signal);
  const giveUp = () => tooLong.abort(new Undecided('it took too long'));
  const timer = setTimeout(giveUp, GIVE_UP_AFTER_MS).unref();
  return { decided: decide(tooLong.signal).finally(() => clearTimeout(timer)), giveUp };
}

/** The same key for a repeat of a delivery and for nothing else. Leaves out a time that is only that of reading. */
export function deliveryKey(
  sender: string,
  { alarms, notes }: { readonly alarms: readonly Alarm[]; readonly notes: readonly string[] },
  receivedAtMs: number,
): string {
  const parts = alarms.map(({ sender, name, status, episode, incident, labels, summary, atMs }) => {
    const ownAtMs = atMs === receivedAtMs ? null : atMs;
    return [sender, name, status, episode, incident, Object.entries(labels), summary, ownAtMs];
  });
  return createHash('sha256')
    .update(JSON.stringify([sender, parts, notes]))
    .digest('hex');
}
