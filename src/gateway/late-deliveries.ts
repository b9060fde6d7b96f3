/** Deliveries that take longer than their sender waits. They are decided to the end, and the repeat finds what was decided instead of beginning anew. */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { orAborted } from '../time/pause.js';
import type { Alarm } from '../domain/alarms/alarm.js';
import { Undecided } from './rule-queue.js';

/** Chosen: far longer than a thousand alarms take that all start runs. */
const GIVE_UP_AFTER_MS = 120_000;
/** Chosen: Alertmanager comes again within seconds, and gives up when its group is due again. */
const KEPT_MS = 120_000;
/** Of at most 1,000 alarms each. The oldest is given up: what of it still waits is not decided before its repeat. */
const MOST_LATE = 50;

type Decide<Decided> = (signal: AbortSignal) => Promise<Decided>;

interface Work<Decided> {
  readonly decided: Promise<Decided>;
  giveUp(): void;
}

export class LateDeliveries<Decided> {
  /** The one kept longest first. */
  readonly #late = new Map<string, Work<Decided>>();

  /** @param keyOf asked only where it is needed. Rejects with the reason of the signal when that is aborted, while the decision goes on. */
  async decide(keyOf: () => string, signal: AbortSignal, decide: Decide<Decided>): Promise<Decided> {
    const known = this.#late.size === 0 ? undefined : this.#late.get(keyOf());
    const work = known ?? begin(decide);
    try {
      const decided = await orAborted(work.decided, signal);
      // Once: a later repeat may find that a brake has let go.
      if (known !== undefined) this.#late.delete(keyOf());
      return decided;
    } catch (error) {
      if (signal.aborted && known === undefined) this.#keep(keyOf(), work);
      throw error;
    }
  }

  #keep(key: string, work: Work<Decided>): void {
    const forget = () => {
      if (this.#late.get(key) === work) this.#late.delete(key);
    };
    this.#late.set(key, work);
    const [[oldest, given] = []] = this.#late;
    if (this.#late.size > MOST_LATE && oldest !== undefined) {
      this.#late.delete(oldest);
      given?.giveUp();
    }
    work.decided.then(() => setTimeout(forget, KEPT_MS).unref(), forget);
  }
}

function begin<Decided>(decide: Decide<Decided>): Work<Decided> {
  const tooLong = new AbortController();
  // One listener for each rule that the delivery reaches.
  setMaxListeners(0, tooLong.signal);
  const giveUp = () => tooLong.abort(new Undecided('it took too long'));
  const timer = setTimeout(giveUp, GIVE_UP_AFTER_MS).unref();
  return { decided: decide(tooLong.signal).finally(() => clearTimeout(timer)), giveUp };
}

/** The same for a repeat of a delivery alone. A time that only says when it was read is none. */
export function deliveryKey(
  sender: string,
  { alarms, notes }: { readonly alarms: readonly Alarm[]; readonly notes: readonly string[] },
  receivedAtMs: number,
): string {
  const parts = alarms.map(({ sender, name, status, episode, incident, labels, summary, atMs }) => {
    const saidAtMs = atMs === receivedAtMs ? null : atMs;
    return [sender, name, status, episode, incident, Object.entries(labels), summary, saidAtMs];
  });
  return createHash('sha256')
    .update(JSON.stringify([sender, parts, notes]))
    .digest('hex');
}
