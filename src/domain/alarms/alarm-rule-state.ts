/** What the workflow of a rule remembers, and the bounds of that. Plain data: each execution of the workflow hands it to the next. */
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

/** A firing that waits for its debounce, has a run, or was called off. A firing that a brake held back is not remembered. */
export interface Firing {
  /** Workflow id of its run, whether or not the run was started. */
  readonly runId: string;
  readonly episodeHash: string;
  readonly incident: string;
  /** Counts firings under one id of the sender's: 1, and one more for each that begins after a resolution. */
  readonly nth: number;
  readonly target: string;
  /** When it began, as `beganAtMs` has it. Epoch milliseconds, like every time here. */
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
  /** `null` while the run is open, as far as the rule knows. */
  readonly endedAtMs: number | null;
  /** True once the run was asked to withdraw. */
  readonly withdrawn: boolean;
}

/** The last resolution of a problem. */
export interface Resolution {
  readonly incident: string;
  /** When the problem was resolved: by the sender's clock, and never later than the server's. */
  readonly atMs: number;
  /** When its sender last reported it. Missing for senders that do not repeat the current state; then no firing overrules it. */
  readonly saidAtMs?: number;
}

/** A firing whose run starts at the end of the debounce. */
export type WaitingFiring = Firing & { readonly stage: Waiting };
/** A firing whose run was started; the run may have ended. */
export type StartedFiring = Firing & { readonly stage: Started };
/** A firing that waits or has its run. */
export type ActiveFiring = Firing & { readonly stage: Waiting | Started };

/** Everything a rule remembers. */
export interface RuleState {
  /** Sorted by `seenAtMs`, oldest first. */
  readonly firings: readonly Firing[];
  /** One for each problem, oldest first. */
  readonly resolutions: readonly Resolution[];
  /** When runs were started, oldest first; `atMost` counts them. */
  readonly startsAtMs: readonly number[];
  /** Newest first. */
  readonly log: readonly AlarmLogLine[];
  /** The brakes that the newest alarm brought. They also apply to firings that are due. */
  readonly brakes: Brakes | null;
}

/** Start argument of the next execution of a rule's workflow. */
export interface ContinuedRule extends AlarmRuleArguments {
  readonly state?: RuleState;
}

/** The state of a rule that has decided nothing. */
export const EMPTY_STATE: RuleState = { firings: [], resolutions: [], startsAtMs: [], log: [], brakes: null };

/** For owner and rule, which are stored beside the state. */
const NAMES_BYTES = 500;
const DAY_MS = 86_400_000;
/** Chosen: senders repeat within hours. After that the id of the run still blocks a second start. */
const REMEMBERED_MS = 7 * DAY_MS;
// All chosen. With the lengths in alarm-rule-checks.ts they keep the state without its log below `PAYLOAD_BYTES`; the log fills the rest.
const MOST_FIRINGS = 400;
const MOST_RESOLUTIONS = 500;
const MOST_LOGGED = 200;
/** Firings that wait or have an open run. These are never forgotten, so no rule may have more, whatever its brakes allow. */
export const MOST_OPEN = 200;
/** The most runs that `atMost` can count. */
export const MOST_RUNS = 1_000;

/** True for a firing whose run starts at the end of the debounce. */
export function isWaiting(firing: Firing): firing is WaitingFiring {
  return firing.stage.kind === 'waiting';
}

/** True for a firing whose run was started. */
export function isStarted(firing: Firing): firing is StartedFiring {
  return firing.stage.kind === 'started';
}

/** True for a firing that was not called off. */
export function isActive(firing: Firing): firing is ActiveFiring {
  return firing.stage.kind !== 'calledOff';
}

/** True for a firing whose run is under way, as far as the rule knows. */
export function isOpenRun(firing: Firing): firing is StartedFiring {
  return isStarted(firing) && firing.stage.endedAtMs === null;
}

/** Problems with a firing that waits or was started. */
export function knownIncidents({ firings }: RuleState): string[] {
  return firings.filter(isActive).map(({ incident }) => incident);
}

/** True unless the alarm counts only where its problem is known, and it is not known here. */
export function concerns(state: RuleState, { incident, onlyIfKnown }: RuleAlarm): boolean {
  return onlyIfKnown !== true || knownIncidents(state).includes(incident);
}

/** The sender's own time, or `null` when it gives none or its clock is ahead: such a time does not prove what came first. */
export function senderTimeMs({ atMs, receivedAtMs }: RuleAlarm): number | null {
  return atMs < receivedAtMs ? atMs : null;
}

/** When a firing began or a problem was resolved: the sender's own time if it counts, else when the gateway read the alarm. */
export function beganAtMs(alarm: RuleAlarm): number {
  return senderTimeMs(alarm) ?? alarm.receivedAtMs;
}

/** Stores the firing as the one seen last, in place of an earlier version. */
export function remember(state: RuleState, firing: Firing): RuleState {
  return { ...state, firings: [...drop(state, firing).firings, firing] };
}

/** The state without the firing. */
export function drop(state: RuleState, { runId }: Firing): RuleState {
  return { ...state, firings: state.firings.filter((firing) => firing.runId !== runId) };
}

/** Removes a start from those that `atMost` counts, when a run of that id turned out to exist already. */
export function uncountStart(state: RuleState, runId: string): RuleState {
  const firing = state.firings.filter(isStarted).find((each) => each.runId === runId);
  const index = firing === undefined ? -1 : state.startsAtMs.lastIndexOf(firing.stage.startedAtMs);
  return index < 0 ? state : { ...state, startsAtMs: state.startsAtMs.toSpliced(index, 1) };
}

/** Stores a resolution. One that arrives late does not replace a newer one. */
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

/** The last resolution of the problem, if one is remembered. */
export function resolutionOf(state: RuleState, incident: string): Resolution | undefined {
  return state.resolutions.find((resolution) => resolution.incident === incident);
}

/** Chosen: longer than a sender retries one message, or repeats a state that it has not updated. */
const OVERRULED_AFTER_MS = 10 * 60_000;

/** True when the sender still reports the firing long after it reported the resolution, which must have been wrong. */
export function isOverruled(resolution: Resolution, alarm: RuleAlarm): boolean {
  const { saidAtMs: resolvedSentAtMs = Infinity } = resolution;
  return (alarm.saidAtMs ?? -Infinity) > resolvedSentAtMs + OVERRULED_AFTER_MS;
}

/**
 * The state within its bounds. What is forgotten here cannot start a second run: a repeat asks for the same run id,
 * which Temporal does not allow again for as long as it keeps the run.
 */
export function forget(state: RuleState, nowMs: number): RuleState {
  const isKept = (firing: Firing) => isWaiting(firing) || isOpenRun(firing);
  const recent = state.firings.filter((firing) => isKept(firing) || firing.seenAtMs > nowMs - REMEMBERED_MS);
  let tooMany = recent.length - MOST_FIRINGS;
  return {
    ...state,
    firings: recent.filter((firing) => isKept(firing) || tooMany-- <= 0),
    resolutions: state.resolutions.slice(-MOST_RESOLUTIONS).filter(({ atMs }) => atMs > nowMs - REMEMBERED_MS),
    startsAtMs: state.startsAtMs.slice(-MOST_RUNS),
  };
}

/**
 * The state for the next execution: within its bounds, and with the newest lines of the log that fit into one argument.
 * An argument that is too long would make the workflow task fail for ever.
 */
export function forNextExecution(state: RuleState, nowMs: number): RuleState {
  const kept = { ...forget(state, nowMs), log: [] };
  let room = PAYLOAD_BYTES - NAMES_BYTES - jsonBytes(kept);
  const cutAt = state.log.findIndex((line) => (room -= jsonBytes(line) + 1) < 0);
  return { ...kept, log: cutAt < 0 ? state.log : state.log.slice(0, cutAt) };
}

/** Adds a line to the log, which keeps the newest 200. */
export function addToLog(state: RuleState, line: AlarmLogLine): RuleState {
  return { ...state, log: [line, ...state.log].slice(0, MOST_LOGGED) };
}

/** Adds a note to the log. */
export function addNote(state: RuleState, rule: string, note: AlarmNote, nowMs: number): RuleState {
  const { sender, text, receivedAtMs } = note;
  return addToLog(state, {
    decidedAtMs: nowMs,
    rule,
    alarm: null,
    target: null,
    note: { sender, receivedAtMs },
    decision: { kind: 'noted', why: text, runId: null, untilMs: null },
  });
}

/** What the log keeps of an alarm. */
export function loggedAlarm({ sender, name, status, episode, atMs, summary }: RuleAlarm): DecidedAlarm['alarm'] {
  return { sender, name, status, episode, atMs, summary };
}
