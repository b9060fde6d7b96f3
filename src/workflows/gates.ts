/** The gate before each target: the maintenance window and the change freezes of the run. Passes, waits as long as it may, or says why not. */
import { isCancellation, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { describeDuration } from '../domain/time/duration.js';
import { failureRecord, type FailureRecord } from '../domain/failures.js';
import {
  cutoffAt,
  FREEZES_AHEAD_MS,
  gateAt,
  LOOK_AGAIN_MS,
  type ClosedGate,
  type Closing,
  type Gate,
  type ReadFreezes,
  type Window,
} from '../domain/gates/gates.js';
import type { Guards } from '../domain/plan/plan.js';
import type { GateReport } from '../domain/report/report.js';
import { rootCause } from './failure.js';
import { readFreezes } from './proxies.js';
import type { RunState } from './run-state.js';
import { sleepUntil } from './timers.js';

export type Passage =
  | { readonly kind: 'open'; readonly closing: Closing | null }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'closed'; readonly failure: FailureRecord };

/** The time for which a schedule started this run, whatever jitter, catch-up or overlap made of it. */
const scheduledStartKey = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);
/** The report goes into the memo of the run. */
const MOST_REPORTS = 100;

export class Gates {
  readonly #window: Window | null;
  readonly #reports: GateReport[] = [];
  #waitedMs = 0;
  /** When the newest wait was over: the clock may be behind it (`sleepUntil`). */
  #wokeAtMs = 0;

  constructor(
    readonly guards: Guards | undefined,
    readonly state: RunState,
  ) {
    this.#window = guards?.window ? { ...guards.window, opensAtMs: guards.window.opensAtMs ?? nominalStartMs() } : null;
  }

  /** In all, before every target: it does not count against the deadline of the run. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  get reports(): readonly GateReport[] {
    return this.#reports;
  }

  /**
   * Before a target is begun, and never else: what has begun is finished or undone whatever the calendar says.
   * @param fromMs the first look is not before, by the server's clock: a worker's may be ahead that found the gate closed
   */
  async pass(target: string, fromMs = 0): Promise<Passage> {
    if (this.guards === undefined) return { kind: 'open', closing: null };
    try {
      if (fromMs > this.#nowMs()) this.#wokeAtMs = await sleepUntil(fromMs);
      return await this.#pass(target, this.guards);
    } catch (error) {
      if (!isCancellation(error)) throw error;
      return { kind: 'cancelled' };
    }
  }

  /** A target that had passed was left: nothing had been sent on it when the gate closed. */
  foundClosed(target: string, closing: Closing): void {
    this.#report(target, { open: false, ...closing, opensAtMs: null }, Date.now());
  }

  async #pass(target: string, guards: Guards): Promise<Passage> {
    const waitedBeforeMs = this.#waitedMs;
    let begunAtMs: number | null = null;
    for (;;) {
      const gate = await this.#look(guards);
      const nowMs = this.#nowMs();
      if (begunAtMs !== null) this.#waitedMs = waitedBeforeMs + nowMs - begunAtMs;
      if (!gate.open || this.#reports.at(-1)?.target === target) this.#report(target, gate, nowMs);
      if (gate.open) {
        if (begunAtMs !== null) this.state.waitFor(null);
        return { kind: 'open', closing: gate.closing };
      }
      begunAtMs ??= nowMs;
      const givesUpAtMs = begunAtMs + (guards.waitAtMostMs ?? 0) - waitedBeforeMs;
      const looksAgainAtMs = this.#nextLook(gate, nowMs, givesUpAtMs);
      if (looksAgainAtMs === null) return { kind: 'closed', failure: this.#failure(gate, guards) };
      this.state.waitFor({ why: gate.why, looksAgainAtMs, givesUpAtMs: Math.min(givesUpAtMs, this.#cutoffAtMs()) });
      this.#wokeAtMs = await sleepUntil(looksAgainAtMs);
    }
  }

  async #look({ freeze }: Guards): Promise<Gate> {
    const read = freeze.length === 0 ? { freezes: [], unreadable: [] } : await readCalendars(freeze);
    return gateAt(this.#nowMs(), this.#window, read.freezes, read.unreadable);
  }

  #nowMs(): number {
    return Math.max(Date.now(), this.#wokeAtMs);
  }

  /** `null`: waiting is over, or would be before the window opens. A frozen gate is waited for until then: a freeze may be lifted. */
  #nextLook({ opensAtMs }: ClosedGate, nowMs: number, waitUntilMs: number): number | null {
    const givesUpAtMs = Math.min(waitUntilMs, this.#cutoffAtMs());
    if (nowMs >= givesUpAtMs || (this.#window?.opensAtMs ?? 0) > givesUpAtMs) return null;
    return Math.min(opensAtMs ?? Infinity, nowMs + LOOK_AGAIN_MS, givesUpAtMs);
  }

  #cutoffAtMs(): number {
    return this.#window === null ? Infinity : cutoffAt(this.#window);
  }

  #failure({ failure, why }: ClosedGate, { waitAtMostMs }: Guards): FailureRecord {
    const waited =
      waitAtMostMs === null
        ? ''
        : `. The run waited ${describeDuration(this.#waitedMs)} and may wait ${describeDuration(waitAtMostMs)} at most`;
    return failureRecord(failure, `${why}${waited}`);
  }

  /** Looks one after another with the same answer are one line of the report. */
  #report(target: string, gate: Gate, atMs: number): void {
    const told = gate.open ? { failure: null, why: null, opensAtMs: null } : gate;
    const last = this.#reports.at(-1);
    const { failure, why, opensAtMs } = told;
    if (last !== undefined && last.target === target && last.failure === failure && last.why === why) {
      this.#reports.splice(-1, 1, { ...last, lastLookAtMs: atMs, looks: last.looks + 1 });
      return;
    }
    // The end tells more than the beginning: that is why the run went on, or did not.
    if (this.#reports.length === MOST_REPORTS) this.#reports.splice(MOST_REPORTS / 2, 1);
    this.#reports.push({ target, firstLookAtMs: atMs, lastLookAtMs: atMs, looks: 1, failure, why, opensAtMs });
  }
}

/** Calendars that cannot be asked count as frozen too. */
async function readCalendars(names: readonly string[]): Promise<ReadFreezes> {
  const nowMs = Date.now();
  try {
    return await readFreezes(names, nowMs, nowMs + FREEZES_AHEAD_MS);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { freezes: [], unreadable: [rootCause(error).message.slice(0, 300)] };
  }
}

function nominalStartMs(): number {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return (typedSearchAttributes.get(scheduledStartKey) ?? startTime).getTime();
}
