/**
 * The wait at the gate before each target, as one pure step: from what is known and what has just happened to what to do next. It has no
 * clock and no I/O; `src/workflows/gates.ts` carries out the commands. Times are epoch milliseconds.
 */
import { failureRecord, type FailureRecord } from '../failures.js';
import type { GateReport } from '../report/report.js';
import { describeDuration } from '../time/duration.js';
import {
  closesAt,
  gateAt,
  CHECK_AGAIN_MS,
  type ClosedGate,
  type Closing,
  type Gate,
  type ReadFreezes,
  type TargetWindow,
  type WaitingForGate,
} from './gates.js';

/** What a run is held to before one of its targets. */
export interface GateRules {
  readonly window: TargetWindow | null;
  /** How long the run may wait before all its targets together; `null`: it may not wait. */
  readonly waitAtMostMs: number | null;
}

/** What is known of the gate, over all targets of the run. */
export interface GateState {
  /** The latest time seen. After a wait the workflow's clock can be behind it (docs/decisions/0026). */
  readonly nowMs: number;
  /** The next check is not before this: a worker whose clock is ahead may have found the gate closed early. */
  readonly notBeforeMs: number;
  /** How long the run has waited, before all its targets together. */
  readonly waitedMs: number;
  /** When the newest check found the gate closed; `null` while the run does not wait. */
  readonly closedAtMs: number | null;
  /** Newest last. */
  readonly reports: readonly GateReport[];
}

/** The gate of a run that has not come to its first target. */
export const FIRST_GATE: GateState = { nowMs: 0, notBeforeMs: 0, waitedMs: 0, closedAtMs: null, reports: [] };

/** What happens at the gate. `ready`: the target has arrived, or a wait is over. */
export type GateEvent =
  | { readonly kind: 'ready' }
  | { readonly kind: 'calendarsRead'; readonly target: string; readonly calendars: ReadFreezes };

/** What to do next. `open` and `closed` are final for the target; `closing` is `null` if the gate stays open. */
export type GateCommand =
  | { readonly kind: 'readCalendars' }
  /** `waiting` is what to show meanwhile; `null`: nothing, the wait only lets the server's clock catch up. */
  | { readonly kind: 'wait'; readonly untilMs: number; readonly waiting: WaitingForGate | null }
  | { readonly kind: 'open'; readonly closing: Closing | null }
  | { readonly kind: 'closed'; readonly failure: FailureRecord };

/** How many lines the report keeps: it goes into the memo of the run. Chosen. */
export const MOST_GATE_REPORTS = 100;

/** @param clockMs the workflow's clock, or the time that the wait was for where that is later */
export function nextAtGate(
  before: GateState,
  event: GateEvent,
  rules: GateRules,
  clockMs: number,
): { readonly state: GateState; readonly next: GateCommand } {
  const nowMs = Math.max(before.nowMs, clockMs);
  const state = { ...before, nowMs };
  if (event.kind === 'calendarsRead') return checked(state, event, rules);
  const isEarly = nowMs < before.notBeforeMs;
  return {
    state,
    next: isEarly ? { kind: 'wait', untilMs: before.notBeforeMs, waiting: null } : { kind: 'readCalendars' },
  };
}

/** A target passed its gate, which closed before anything was sent on it. Its next check is not before that moment. */
export function closedAfterPassing(before: GateState, target: string, closing: Closing, clockMs: number): GateState {
  const state = { ...before, nowMs: Math.max(before.nowMs, clockMs), notBeforeMs: closing.atMs };
  return withReport(state, target, { open: false, ...closing, opensAtMs: null });
}

function checked(
  before: GateState,
  { target, calendars }: Extract<GateEvent, { kind: 'calendarsRead' }>,
  rules: GateRules,
): { state: GateState; next: GateCommand } {
  const { nowMs, closedAtMs } = before;
  const gate = gateAt(nowMs, rules.window, calendars.freezes, calendars.unreadable);
  const waitedMs = before.waitedMs + (closedAtMs === null ? 0 : nowMs - closedAtMs);
  // An open gate is worth a line only where the target found it closed before.
  const isReported = !gate.open || before.reports.at(-1)?.target === target;
  const reported = isReported ? withReport(before, target, gate) : before;
  const state = { ...reported, waitedMs, closedAtMs: gate.open ? null : nowMs };
  if (gate.open) return { state, next: { kind: 'open', closing: gate.closing } };
  const waiting = waitFor(gate, state, rules);
  return {
    state,
    next:
      waiting === null
        ? { kind: 'closed', failure: failureOf(gate, waitedMs, rules) }
        : { kind: 'wait', untilMs: waiting.looksAgainAtMs, waiting },
  };
}

/** @returns `null` if the time to wait is over, or will be before the window opens. A freeze is waited for until then: it may be lifted. */
function waitFor(
  { why, opensAtMs }: ClosedGate,
  { nowMs, waitedMs }: GateState,
  { window, waitAtMostMs }: GateRules,
): WaitingForGate | null {
  const closesAtMs = window === null ? Infinity : closesAt(window);
  const givesUpAtMs = Math.min(nowMs + (waitAtMostMs ?? 0) - waitedMs, closesAtMs);
  const opensFirstAtMs = window?.opensAtMs ?? 0;
  // A window that closes for the target as it opens never opens for it.
  if (nowMs >= givesUpAtMs || opensFirstAtMs > givesUpAtMs || opensFirstAtMs >= closesAtMs) return null;
  return { why, looksAgainAtMs: Math.min(opensAtMs ?? Infinity, nowMs + CHECK_AGAIN_MS, givesUpAtMs), givesUpAtMs };
}

function failureOf({ failure, why }: ClosedGate, waitedMs: number, { waitAtMostMs }: GateRules): FailureRecord {
  const waited =
    waitAtMostMs === null
      ? ''
      : `. The run waited ${describeDuration(waitedMs)} and may wait ${describeDuration(waitAtMostMs)} at most`;
  return failureRecord(failure, `${why}${waited}`);
}

/** Checks in a row with the same answer share one line. */
function withReport(state: GateState, target: string, gate: Gate): GateState {
  const { nowMs: atMs, reports } = state;
  const { failure, why, opensAtMs } = gate.open ? { failure: null, why: null, opensAtMs: null } : gate;
  const last = reports.at(-1);
  if (last !== undefined && last.target === target && last.failure === failure && last.why === why)
    return { ...state, reports: [...reports.slice(0, -1), { ...last, lastLookAtMs: atMs, looks: last.looks + 1 }] };
  const line = { target, firstLookAtMs: atMs, lastLookAtMs: atMs, looks: 1, failure, why, opensAtMs };
  // The lines in the middle go first: the last ones explain why the run continued or ended.
  const kept = reports.length < MOST_GATE_REPORTS ? reports : reports.toSpliced(MOST_GATE_REPORTS / 2, 1);
  return { ...state, reports: [...kept, line] };
}
