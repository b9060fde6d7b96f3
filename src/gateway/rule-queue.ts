/** Alarms of one rule, or notes, on their way to its workflow: one update in flight, and the next one carries all that came meanwhile. So a flood costs few updates, and order is kept. */
import { MOST_ALARMS_AT_ONCE, type AlarmDecision, type RuleAlarm } from '../domain/alarms/alarm.js';

/** The alarms are not decided: the sender has to send them again, which is harmless. */
export class Undecided extends Error {
  override readonly name = 'Undecided';
}

/** One for each alarm; `null`: it counts only if the rule knows its firing, which it does not. */
export type RuleDecisions = readonly (AlarmDecision | null)[];

/** Ten full updates, about two seconds of a busy rule. Chosen: who would wait longer is told at once to come again. */
const MOST_WAITING = 2_000;
/** Far below the 2 MB that Temporal takes as one argument. */
const MOST_BYTES = 512 * 1024;

interface Waiting<Item, Decision> {
  readonly alarm: Item;
  readonly bytes: number;
  settle(decision: Decision): void;
  giveUp(reason: unknown): void;
}

export class RuleQueue<Item = RuleAlarm, Decision = AlarmDecision | null> {
  /** In the order they came; one whose sender has gone is taken out. */
  readonly #waiting = new Set<Waiting<Item, Decision>>();
  #isSending = false;

  /** @param isLight of an item that is mostly not sent on, so that it takes no room in an update */
  constructor(
    private readonly send: (alarms: readonly Item[]) => Promise<readonly Decision[]>,
    private readonly isLight: (item: Item) => boolean = () => false,
  ) {}

  /** Alarms that no update carries yet. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Decisions in the order of the alarms, once all are durable. Rejects with the signal's reason when that is aborted. @throws Undecided */
  async decide(alarms: readonly Item[], signal: AbortSignal): Promise<readonly Decision[]> {
    signal.throwIfAborted();
    if (this.length + alarms.length > MOST_WAITING) throw new Undecided('too many alarms wait for this rule');
    return new Promise((resolve, reject) => {
      const decisions: Decision[] = [];
      let open = alarms.length;
      const giveUp = (reason: unknown) => {
        for (const item of items) this.#waiting.delete(item);
        reject(reason);
      };
      const items = alarms.map((alarm, index): Waiting<Item, Decision> => {
        const settle = (decision: Decision) => {
          decisions[index] = decision;
          if (--open === 0) resolve(decisions);
        };
        return { alarm, bytes: Buffer.byteLength(JSON.stringify(alarm)), settle, giveUp };
      });
      signal.addEventListener('abort', () => giveUp(signal.reason), { once: true });
      for (const item of items) this.#waiting.add(item);
      void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#waiting.size > 0) {
      const batch = this.#takeBatch();
      try {
        const decisions = await this.send(batch.map(({ alarm }) => alarm));
        for (const [index, item] of batch.entries()) {
          const decision = decisions[index];
          if (decision === undefined) item.giveUp(new Undecided('the rule decided fewer alarms than it was given'));
          else item.settle(decision);
        }
      } catch (error) {
        for (const item of batch) item.giveUp(error);
      }
    }
    this.#isSending = false;
  }

  #takeBatch(): Waiting<Item, Decision>[] {
    const batch: Waiting<Item, Decision>[] = [];
    let bytes = 0;
    let count = 0;
    for (const item of this.#waiting) {
      if (!this.isLight(item.alarm)) {
        bytes += item.bytes;
        if (count === MOST_ALARMS_AT_ONCE || (count > 0 && bytes > MOST_BYTES)) break;
        count++;
      }
      batch.push(item);
      this.#waiting.delete(item);
    }
    return batch;
  }
}
