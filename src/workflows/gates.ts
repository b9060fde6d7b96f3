/** The gate before each target: the maintenance window and the change freezes of the run. Carries out what `nextAtGate` decides. */
import { isCancellation, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  closedAfterPassing,
  FIRST_GATE,
  nextAtGate,
  type GateCommand,
  type GateEvent,
  type GateRules,
  type GateState,
} from '../domain/gates/gate-wait.js';
import { FREEZES_AHEAD_MS, type Closing, type ReadFreezes, type WaitingForGate } from '../domain/gates/gates.js';
import type { Guards, TargetPlan } from '../domain/plan/plan.js';
import { timeNeeded } from '../domain/plan/usual.js';
import type { GateReport } from '../domain/report/report.js';
import { rootCause } from './failure.js';
import { readFreezes } from './proxies.js';
import type { RunProgressView } from './run-progress.js';
import { sleepUntil } from './timers.js';

/** How the wait for a gate ended: it is open, it stays closed for as long as the run may wait, or the run was cancelled. */
export type GateResult = Extract<GateCommand, { kind: 'open' | 'closed' }> | { readonly kind: 'cancelled' };

/** The time for which a schedule started this run, before jitter, catch-up and overlap. */
const scheduledStartKey = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** The gates of one run. Without guards every gate is open. */
export class Gates {
  readonly #rules: GateRules;
  readonly #calendars: readonly string[];
  #state: GateState = FIRST_GATE;

  constructor(
    readonly guards: Guards | undefined,
    readonly progress: RunProgressView,
    /** Called each time the run is about to wait. */
    private readonly onWait: (target: string, waiting: WaitingForGate) => void = () => {},
  ) {
    const { window = null, waitAtMostMs = null, freeze = [] } = guards ?? {};
    this.#rules = {
      window: window === null ? null : { ...window, opensAtMs: window.opensAtMs ?? nominalStartMs() },
      waitAtMostMs,
    };
    this.#calendars = freeze;
  }

  /** Before all targets together; it does not count against the deadline of the run. */
  get waitedMs(): number {
    return this.#state.waitedMs;
  }

  get reports(): readonly GateReport[] {
    return this.#state.reports;
  }

  /** Asked before a target is started, and never after: what has started is finished or undone, whatever is in the calendar. */
  async waitUntilOpen(targetPlan: TargetPlan): Promise<GateResult> {
    if (this.guards === undefined) return { kind: 'open', closing: null };
    try {
      return await this.#waitUntilOpen(targetPlan.target.path, this.#rulesFor(targetPlan));
    } catch (error) {
      if (!isCancellation(error)) throw error;
      return { kind: 'cancelled' };
    }
  }

  /** The gate closed after the target had passed it, before anything was sent: it must wait again. */
  recordClosed(target: string, closing: Closing): void {
    this.#state = closedAfterPassing(this.#state, target, closing, Date.now());
  }

  #rulesFor(targetPlan: TargetPlan): GateRules {
    const { window } = this.#rules;
    if (window === null || window.fit === false) return this.#rules;
    return { ...this.#rules, window: { ...window, needed: timeNeeded(targetPlan) } };
  }

  async #waitUntilOpen(target: string, rules: GateRules): Promise<GateResult> {
    let event: GateEvent = { kind: 'ready' };
    let clockMs = Date.now();
    for (;;) {
      const { state, next } = nextAtGate(this.#state, event, rules, clockMs);
      this.#state = state;
      switch (next.kind) {
        case 'open':
          this.progress.waitsFor(null);
          return next;
        case 'closed':
          return next;
        case 'readCalendars':
          event = { kind: 'calendarsRead', target, calendars: await readCalendars(this.#calendars, state.nowMs) };
          clockMs = Date.now();
          break;
        case 'wait':
          if (next.waiting !== null) {
            this.progress.waitsFor(next.waiting);
            this.onWait(target, next.waiting);
          }
          clockMs = await sleepUntil(next.untilMs);
          event = { kind: 'ready' };
          break;
      }
    }
  }
}

/** Calendars that no worker could be asked for count as frozen too. */
async function readCalendars(names: readonly string[], fromMs: number): Promise<ReadFreezes> {
  if (names.length === 0) return { freezes: [], unreadable: [] };
  try {
    return await readFreezes(names, fromMs, fromMs + FREEZES_AHEAD_MS);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { freezes: [], unreadable: [rootCause(error).message.slice(0, 300)] };
  }
}

function nominalStartMs(): number {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return (typedSearchAttributes.get(scheduledStartKey) ?? startTime).getTime();
}
