/** What the workflow of a rule remembers, as plain data that goes from one of its executions to the next, and its bounds. */
import type {
  AlarmLogLine,
  AlarmNote,
  AlarmRuleArguments,
  AlarmStart,
  Brakes,
  DecidedAlarm,
  RuleAlarm,
} from './alarm.js';

/** A firing that waits for its debounce, or has its run. One whose alarm a brake dropped is not remembered. */
export interface Firing {
  /** Workflow id of its run, whether that was started or not. */
  readonly runId: string;
  /** Of the alarm. */
  readonly episodeHash: string;
  readonly incident: string;
  /** 1 for the first of its episode; one more after each resolution. */
  readonly nth: number;
  readonly target: string;
  /** Since when it fires: by the sender's clock where that is believed, else when it was read. */
  readonly firedAtMs: number;
  readonly seenAtMs: number;
  readonly stage: Waiting | CalledOff | Started;
}

interface Waiting {
  readonly kind: 'waiting';
  readonly dueAtMs: number;
  readonly start: AlarmStart;
  readonly alarm: DecidedAlarm['alarm'];
}

interface CalledOff {
  readonly kind: 'calledOff';
}

interface Started {
  readonly kind: 'started';
  readonly startedAtMs: number;
  /** `null` while it is open, as far as is known. */
  readonly endedAtMs: number | null;
  readonly withdrawn: boolean;
}

export type WaitingFiring = Firing & { readonly stage: Waiting };
export type StartedFiring = Firing & { readonly stage: Started };

export interface RuleState {
  /** The one seen longest ago first. */
  readonly firings: readonly Firing[];
  /** When each incident was last resolved, oldest first. */
  readonly resolutions: readonly { readonly incident: string; readonly atMs: number }[];
  /** When runs were started, oldest first: what `atMost` counts. */
  readonly startsAtMs: readonly number[];
  /** Newest first. */
  readonly log: readonly AlarmLogLine[];
  /** As the newest alarm brought them; what falls due is measured by them too. */
  readonly brakes: Brakes | null;
}

/** Start argument of an execution that goes on from another. */
export interface ContinuedRule extends AlarmRuleArguments {
  readonly state?: RuleState;
}

export const EMPTY_STATE: RuleState = { firings: [], resolutions: [], startsAtMs: [], log: [], brakes: null };

const DAY_MS = 86_400_000;
/** Chosen: senders repeat within hours, and what is forgotten still has the id of its run taken. */
const REMEMBERED_MS = 7 * DAY_MS;
// All chosen, with the lengths of alarm-rule-checks.ts: together they stay below the 2 MB that a payload of Temporal may have.
const MOST_FIRINGS = 400;
const MOST_RESOLUTIONS = 500;
const MOST_LOGGED = 200;
/** Waiting or with a run under way. They are never forgotten, so there must not be more, whatever the brakes allow. */
export const MOST_OPEN = 200;
/** `atMost` cannot count further. */
export const MOST_RUNS = 1_000;

export function isWaiting(firing: Firing): firing is WaitingFiring {
  return firing.stage.kind === 'waiting';
}

export function isStarted(firing: Firing): firing is StartedFiring {
  return firing.stage.kind === 'started';
}

export function isOpenRun(firing: Firing): firing is StartedFiring {
  return isStarted(firing) && firing.stage.endedAtMs === null;
}

/** The firing as it is now, and as the one seen last; the record before, if any, is replaced. */
export function remember(state: RuleState, firing: Firing): RuleState {
  const others = state.firings.filter(({ runId }) => runId !== firing.runId);
  return { ...state, firings: [...others, firing] };
}

export function drop(state: RuleState, { runId }: Firing): RuleState {
  return { ...state, firings: state.firings.filter((firing) => firing.runId !== runId) };
}

/** A resolution that arrives late does not take the place of a newer one. */
export function rememberResolution(state: RuleState, incident: string, atMs: number): RuleState {
  const latestMs = Math.max(atMs, resolvedAtMs(state, incident) ?? 0);
  const others = state.resolutions.filter((resolution) => resolution.incident !== incident);
  return { ...state, resolutions: [...others, { incident, atMs: latestMs }] };
}

/** `null`: it was not resolved, as far as is remembered. */
export function resolvedAtMs(state: RuleState, incident: string): number | null {
  return state.resolutions.find((resolution) => resolution.incident === incident)?.atMs ?? null;
}

/**
 * Within the bounds. What is forgotten by number cannot start a second run either: its run has the id that a repeat would ask for,
 * and Temporal keeps that taken for as long as it keeps the run.
 */
export function forget(state: RuleState, nowMs: number): RuleState {
  const recent = state.firings.filter(
    (firing) => isWaiting(firing) || isOpenRun(firing) || firing.seenAtMs > nowMs - REMEMBERED_MS,
  );
  let tooMany = recent.length - MOST_FIRINGS;
  return {
    ...state,
    firings: recent.filter((firing) => isWaiting(firing) || isOpenRun(firing) || tooMany-- <= 0),
    resolutions: state.resolutions.slice(-MOST_RESOLUTIONS).filter(({ atMs }) => atMs > nowMs - REMEMBERED_MS),
    startsAtMs: state.startsAtMs.slice(-MOST_RUNS),
  };
}

export function logged(state: RuleState, line: AlarmLogLine): RuleState {
  return { ...state, log: [line, ...state.log].slice(0, MOST_LOGGED) };
}

export function noted(state: RuleState, rule: string, note: AlarmNote, nowMs: number): RuleState {
  const { sender, text, receivedAtMs } = note;
  return logged(state, {
    decidedAtMs: nowMs,
    rule,
    alarm: null,
    target: null,
    note: { sender, receivedAtMs },
    decision: { kind: 'noted', why: text, runId: null, untilMs: null },
  });
}

export function toldOf({ sender, name, status, episode, atMs, summary }: RuleAlarm): DecidedAlarm['alarm'] {
  return { sender, name, status, episode, atMs, summary };
}
