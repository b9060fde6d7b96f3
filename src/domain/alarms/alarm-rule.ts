/**
 * What a rule decides about an alarm: a pure state machine. The caller supplies the time and what other runs do, then starts and signals runs.
 *
 * 1. One firing starts at most one run. A repeat of it, or a copy that names an earlier start, gets the run that waits or was started.
 * 2. A resolution calls off every firing of its problem that began before it and has no run yet, including copies that arrive later.
 * 3. Nothing is called off for ever. A firing that begins after the resolution is new, and a sender that keeps
 * repeating a firing overrules its resolution.
 */
import { UNMATCHED, type AlarmDecision, type Brakes, type RuleAlarm } from './alarm.js';
import { decision, holdingBrake, overlaps, type DecisionContext, type IntendedRun } from './alarm-brakes.js';
import {
  beganAtMs,
  drop,
  isActive,
  isOpenRun,
  isOverruled,
  isStarted,
  isWaiting,
  loggedAlarm,
  MOST_OPEN,
  remember,
  rememberResolution,
  resolutionOf,
  senderTimeMs,
  type ActiveFiring,
  type Firing,
  type RuleState,
  type WaitingFiring,
} from './alarm-rule-state.js';
import type { RunSeen, RunsAsked, StartArguments } from '../contract.js';
import { alarmRuleRequester } from '../run/requester.js';
import { describeDuration } from '../time/duration.js';
import { describeTime } from '../time/utc-time.js';

/** What the workflow must do for a decision to take effect. */
export type Effect =
  | { readonly kind: 'start'; readonly runId: string; readonly runbook: string; readonly arguments: StartArguments }
  | { readonly kind: 'withdraw'; readonly runIds: readonly string[] };

/** A decision, the state after it, and what is left to do. */
export interface Decided {
  readonly state: RuleState;
  readonly decision: AlarmDecision;
  readonly effect: Effect | null;
}

/** Decides about one alarm that was delivered. */
export function decide(state: RuleState, alarm: RuleAlarm, context: DecisionContext): Decided {
  if (context.rule === UNMATCHED) return withoutEffect(state, decision('unmatched', 'no rule of the file matches it'));
  return alarm.status === 'resolved' ? decideResolved(state, alarm, context) : decideFiring(state, alarm, context);
}

/** Firings whose debounce has ended, the longest overdue first. */
export function dueFirings(state: RuleState, nowMs: number): WaitingFiring[] {
  const due = state.firings.filter(isWaiting).filter(({ stage }) => stage.dueAtMs <= nowMs);
  return due.sort((left, right) => left.stage.dueAtMs - right.stage.dueAtMs);
}

/** When the next debounce ends, in epoch milliseconds; `null` when no firing waits. */
export function nextDueAtMs(state: RuleState): number | null {
  const times = state.firings.filter(isWaiting).map(({ stage }) => stage.dueAtMs);
  return times.length === 0 ? null : Math.min(...times);
}

/** Chosen. After such an outage of workers or server a resolution may have been lost. */
const STALE_AFTER_MS = 5 * 60_000;

/** Decides about a firing whose debounce has ended. Every brake is checked again. */
export function decideDue(state: RuleState, firing: WaitingFiring, context: DecisionContext): Decided {
  const others = drop(state, firing);
  const lateByMs = context.nowMs - firing.stage.dueAtMs;
  if (lateByMs > STALE_AFTER_MS) {
    const why = `it was due ${describeDuration(lateByMs)} ago and may have been resolved since; a repeat can start it`;
    return withoutEffect(others, decision('calledOff', why));
  }
  const brake = holdingBrake(others, firing, context);
  return brake === null ? started(others, firing, context) : withoutEffect(others, brake);
}

/** Which runs the workflow must look up before it decides about these. */
export function runsToAsk(
  state: RuleState,
  intended: readonly IntendedRun[],
  brakes: Brakes,
  nowMs: number,
): RunsAsked {
  const open = state.firings.filter(isOpenRun);
  const countsAll = brakes.atOnce !== null || open.length >= MOST_OPEN / 2;
  const concerned = open.filter((run) => intended.some((each) => overlaps(run, each)));
  return {
    runIds: (countsAll ? open : concerned).map(({ runId }) => runId),
    targets: [...new Set(intended.map(({ target }) => target))],
    sinceMs: nowMs - brakes.coolDownMs,
  };
}

/** The state with the ends of the rule's own runs, as the look-up found them. */
export function recordRunEnds(state: RuleState, seen: readonly RunSeen[]): RuleState {
  const ends = new Map(seen.map(({ runId, endedAtMs }) => [runId, endedAtMs]));
  const firings = state.firings.map((firing): Firing => {
    if (!isOpenRun(firing)) return firing;
    return { ...firing, stage: { ...firing.stage, endedAtMs: ends.get(firing.runId) ?? null } };
  });
  return { ...state, firings };
}

function decideResolved(before: RuleState, alarm: RuleAlarm, { brakes, nowMs }: DecisionContext): Decided {
  // At most the server's time: a gateway whose clock is ahead would silence later firings.
  const atMs = Math.min(beganAtMs(alarm), nowMs);
  const { incident, saidAtMs } = alarm;
  const concerned = before.firings.filter((firing) => firing.incident === incident && firing.firedAtMs <= atMs);
  const waiting = concerned.filter(isWaiting);
  const open = concerned.filter(isOpenRun).filter(({ stage }) => !stage.withdrawn);
  const withdrawn = brakes.onResolved === 'withdraw' ? open : [];
  const changed: Firing[] = [
    ...waiting.map((firing) => ({ ...firing, seenAtMs: nowMs, stage: { kind: 'calledOff' } as const })),
    ...withdrawn.map((firing) => ({ ...firing, seenAtMs: nowMs, stage: { ...firing.stage, withdrawn: true } })),
  ];
  const resolution = { incident, atMs, ...(saidAtMs === undefined ? {} : { saidAtMs }) };
  const state = changed.reduce(remember, rememberResolution(before, resolution));
  const resolved = `it was resolved at ${describeTime(atMs)}`;
  const [run] = withdrawn;
  if (run !== undefined) {
    const why = `${resolved}; the run ${run.runId} is cancelled if it has not begun a target`;
    const effect: Effect = { kind: 'withdraw', runIds: withdrawn.map(({ runId }) => runId) };
    return { state, decision: decision('withdrawn', why, { runId: run.runId }), effect };
  }
  const [first] = waiting;
  if (first !== undefined) {
    const why = `${resolved}, before ${describeTime(first.stage.dueAtMs)}; no run starts`;
    return withoutEffect(state, decision('calledOff', why));
  }
  const { runId = null } = concerned.findLast(isStarted) ?? {};
  return withoutEffect(state, decision('resolved', `${resolved}, and there is nothing to call off`, { runId }));
}

function decideFiring(state: RuleState, alarm: RuleAlarm, context: DecisionContext): Decided {
  const { start, incident, episodeHash } = alarm;
  const latest = state.firings.findLast((firing) => firing.episodeHash === episodeHash);
  const known = latest === undefined || beganAfterResolution(state, alarm, latest) ? undefined : latest;
  const active = known !== undefined && isActive(known) ? known : sharedFiring(state, alarm);
  if (active !== undefined) return repeated(state, active, context.nowMs);
  if (isCalledOff(state, alarm, known)) return withoutEffect(state, decision('calledOff', whyCalledOff(state, alarm)));
  if ('problem' in start) return withoutEffect(state, decision('noTarget', start.problem));
  const { nowMs, brakes } = context;
  // A firing that was called off keeps the id of its run, so it still starts at most once.
  const nth = known?.nth ?? (latest?.nth ?? 0) + 1;
  const runId = runIdOf(context, episodeHash, nth);
  const brake = holdingBrake(state, { runId, target: start.target, incident }, context);
  if (brake !== null) return withoutEffect(state, brake);
  const firing: WaitingFiring = {
    runId,
    episodeHash,
    incident,
    nth,
    target: start.target,
    firedAtMs: beganAtMs(alarm),
    seenAtMs: nowMs,
    stage: { kind: 'waiting', dueAtMs: nowMs + brakes.debounceMs, start, alarm: loggedAlarm(alarm) },
  };
  return brakes.debounceMs === 0 ? started(state, firing, context) : waiting(state, firing);
}

/** True when the sender reuses the id of a firing for one that began after the last resolution. */
function beganAfterResolution(state: RuleState, alarm: RuleAlarm, { firedAtMs }: Firing): boolean {
  const resolution = resolutionOf(state, alarm.incident);
  const atMs = senderTimeMs(alarm);
  return resolution !== undefined && atMs !== null && firedAtMs <= resolution.atMs && resolution.atMs < atMs;
}

/** Copies of a pair of senders can disagree on when a firing began. It has a run if one waits, or was started after this beginning. */
function sharedFiring(state: RuleState, alarm: RuleAlarm): ActiveFiring | undefined {
  return state.firings
    .filter(isActive)
    .filter(({ incident }) => incident === alarm.incident)
    .findLast(({ stage }) => stage.kind === 'waiting' || beganAtMs(alarm) <= stage.startedAtMs);
}

/** @param known the firing itself, where an earlier copy of it was called off: a late copy without a time would seem new */
function isCalledOff(state: RuleState, alarm: RuleAlarm, known: Firing | undefined): boolean {
  const resolution = resolutionOf(state, alarm.incident);
  if (resolution === undefined || isOverruled(resolution, alarm)) return false;
  return (known?.firedAtMs ?? senderTimeMs(alarm) ?? Infinity) <= resolution.atMs;
}

function whyCalledOff(state: RuleState, { incident, atMs }: RuleAlarm): string {
  const resolvedAtMs = resolutionOf(state, incident)?.atMs ?? atMs;
  return `it fired at ${describeTime(atMs)} and was resolved at ${describeTime(resolvedAtMs)}`;
}

function repeated(state: RuleState, firing: ActiveFiring, nowMs: number): Decided {
  const { runId, stage } = firing;
  const [why, untilMs] =
    stage.kind === 'waiting'
      ? [`it waits until ${describeTime(stage.dueAtMs)}`, stage.dueAtMs]
      : [`its run ${runId} was started at ${describeTime(stage.startedAtMs)}`, null];
  return withoutEffect(remember(state, { ...firing, seenAtMs: nowMs }), decision('repeated', why, { runId, untilMs }));
}

function waiting(state: RuleState, firing: WaitingFiring): Decided {
  const { runId, stage } = firing;
  const why = `the run ${runId} starts at ${describeTime(stage.dueAtMs)}, unless the alarm is resolved before`;
  return withoutEffect(remember(state, firing), decision('waiting', why, { runId, untilMs: stage.dueAtMs }));
}

function started(before: RuleState, firing: WaitingFiring, { owner, rule, nowMs }: DecisionContext): Decided {
  const { runId, stage, target } = firing;
  const run: Firing = {
    ...firing,
    stage: { kind: 'started', startedAtMs: nowMs, endedAtMs: null, withdrawn: false },
  };
  const state = remember({ ...before, startsAtMs: [...before.startsAtMs, nowMs] }, run);
  const { summary } = stage.alarm;
  const effect: Effect = {
    kind: 'start',
    runId,
    runbook: stage.start.runbook,
    arguments: {
      ...(summary === '' ? {} : { reason: summary }),
      ...stage.start.arguments,
      // The brakes were checked for this target and no other.
      targets: [target],
      requestedBy: alarmRuleRequester(`${owner}/${rule}`),
    },
  };
  return { state, decision: decision('started', `the run ${runId} was started`, { runId }), effect };
}

/** The same for every copy of a firing, and different for every other rule and firing. */
function runIdOf({ owner, rule }: DecisionContext, episodeHash: string, nth: number): string {
  return `alarm-${owner}-${rule}-${episodeHash.slice(0, 16)}${nth === 1 ? '' : `-${nth}`}`;
}

function withoutEffect(state: RuleState, decision: AlarmDecision): Decided {
  return { state, decision, effect: null };
}
