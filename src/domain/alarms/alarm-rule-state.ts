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
import { jsonBytes } from '../text/json-bytes.js';
import { PAYLOAD_BYTES } from '../sizes.js';

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
  /** Since when it fires: by the sender's clock where that is stateAfter, else when it was read. */
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

export interface Resolution {
  readonly incident: string;
  readonly atMs: number;
  /** When its sender last said so. Not there in what older rules left: then nobody can say anything after it. */
  readonly saidAtMs?: number;
}

export type WaitingFiring = Firing & { readonly stage: Waiting };
export type StartedFiring = Firing & { readonly stage: Started };

export interface RuleState {
  /** The one seen longest ago first. */
  readonly firings: readonly Firing[];
  /** The last of each incident, oldest first. */
  readonly resolutions: readonly Resolution[];
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

/** Owner and rule, beside the state. */
const NAMES_BYTES = 500;
const DAY_MS = 86_400_000;
/** Chosen: senders repeat within hours, and what is forgotten still has the id of its run taken. */
const REMEMBERED_MS = 7 * DAY_MS;
// All chosen, with the lengths of alarm-rule-checks.ts: without the log they stay below `PAYLOAD_BYTES`, which the log fills.
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

/** Of which a firing waits or was started. */
export function knownIncidents({ firings }: RuleState): string[] {
  return firings.flatMap(({ incident, stage }) => (stage.kind === 'calledOff' ? [] : [incident]));
}

/** Its labels lead to this rule, or a firing of its incident is known here. */
export function concerns(state: RuleState, { incident, onlyIfKnown }: RuleAlarm): boolean {
  return onlyIfKnown !== true || knownIncidents(state).includes(incident);
}

/** The firing as it is now, and as the one seen last; the record before, if any, is replaced. */
export function remember(state: RuleState, firing: Firing): RuleState {
  const others = state.firings.filter(({ runId }) => runId !== firing.runId);
  return { ...state, firings: [...others, firing] };
}

export function drop(state: RuleState, { runId }: Firing): RuleState {
  return { ...state, firings: state.firings.filter((firing) => firing.runId !== runId) };
}

/** A run of that id was there before: what was taken for its start counts no longer. */
export function takeBackStart(state: RuleState, runId: string): RuleState {
  const firing = state.firings.filter(isStarted).find((each) => each.runId === runId);
  const index = firing === undefined ? -1 : state.startsAtMs.lastIndexOf(firing.stage.startedAtMs);
  return index < 0 ? state : { ...state, startsAtMs: state.startsAtMs.toSpliced(index, 1) };
}

/** A resolution that arrives late does not take the place of a newer one. */
export function rememberResolution(state: RuleState, resolution: Resolution): RuleState {
  const { incident, atMs, saidAtMs } = resolution;
  const before = resolutionOf(state, incident);
  const latest: Resolution = {
    incident,
    atMs: Math.max(atMs, before?.atMs ?? 0),
    ...(saidAtMs === undefined ? {} : { saidAtMs: Math.max(saidAtMs, before?.saidAtMs ?? 0) }),
  };
  return { ...state, resolutions: [...state.resolutions.filter((each) => each !== before), latest] };
}

/** `null`: it was not resolved, as far as is remembered. */
export function resolvedAtMs(state: RuleState, incident: string): number | null {
  return resolutionOf(state, incident)?.atMs ?? null;
}

/** Chosen: longer than a sender keeps at a message that does not get through, or goes on saying what it has not heard anew. */
const SAID_AGAIN_AFTER_MS = 10 * 60_000;

/** Its sender says that it fires, so long after it said the contrary that the contrary was wrong. */
export function isSaidAgain(state: RuleState, { incident, saidAtMs }: RuleAlarm): boolean {
  const { saidAtMs: resolvedMs } = resolutionOf(state, incident) ?? {};
  return resolvedMs !== undefined && saidAtMs !== undefined && saidAtMs > resolvedMs + SAID_AGAIN_AFTER_MS;
}

function resolutionOf(state: RuleState, incident: string): Resolution | undefined {
  return state.resolutions.find((resolution) => resolution.incident === incident);
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

/**
 * What goes on to the next execution, as one argument: within the bounds, and with as much of the log, the newest lines, as there is room for.
 * An argument that is too long would fail the rule's workflow task for ever.
 */
export function forNextExecution(state: RuleState, nowMs: number): RuleState {
  const kept = { ...forget(state, nowMs), log: [] };
  let room = PAYLOAD_BYTES - NAMES_BYTES - jsonBytes(kept);
  const cutAt = state.log.findIndex((line) => (room -= jsonBytes(line) + 1) < 0);
  return { ...kept, log: cutAt < 0 ? state.log : state.log.slice(0, cutAt) };
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
