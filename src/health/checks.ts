/** One check of a process: whether it can do a part of its work, and why not. */
import { clipText, printable } from '../domain/text/text.js';
import { Cached } from './cached.js';

/** What a check found. */
export interface Verdict {
  readonly ok: boolean;
  /** One sentence for people, without secrets. */
  readonly reason: string;
}

/** A check and how long its answer counts. */
export interface Check {
  /** What it throws counts as not ok, with the message as the reason. */
  readonly ask: () => Verdict | Promise<Verdict>;
  /** The shortest time from one question to the next, milliseconds; 0: it costs nothing. */
  readonly everyMs: number;
}

/** What was found before counts for so many intervals, while later questions get no answer. Chosen. */
const KEPT_INTERVALS = 6;
const LEAST_KEPT_MS = 30_000;
const LONGEST_REASON_BYTES = 300;

/** A check with its newest answer. */
export class CachedCheck {
  readonly #found: Cached<Verdict>;
  readonly #keptMs: number;

  /** @param clock monotonic milliseconds */
  constructor({ ask, everyMs }: Check, clock?: () => number) {
    this.#found = new Cached(() => verdictOf(ask), everyMs, clock);
    this.#keptMs = Math.max(LEAST_KEPT_MS, KEPT_INTERVALS * everyMs);
  }

  /** Never rejects, and answers within half a second. */
  async verdict(): Promise<Verdict> {
    const found = await this.#found.read();
    if (found === null) return { ok: false, reason: 'there is no answer yet' };
    const { value, ageMs } = found;
    return ageMs <= this.#keptMs ? value : { ok: false, reason: `no answer for ${Math.round(ageMs / 1_000)} s` };
  }
}

async function verdictOf(ask: Check['ask']): Promise<Verdict> {
  try {
    const { ok, reason } = await ask();
    return { ok, reason: shown(reason) };
  } catch (error) {
    return { ok: false, reason: shown(error instanceof Error ? error.message : String(error)) };
  }
}

function shown(reason: string): string {
  return printable(clipText(reason, LONGEST_REASON_BYTES));
}
