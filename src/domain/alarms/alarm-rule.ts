/** What a rule decides about an alarm: a pure state machine. Time, and what other runs do, are handed in; starting and signalling is done outside. */
import { UNMATCHED, type AlarmDecision, type AlarmStart, type Brakes, type RuleAlarm } from './alarm.js';
import { decision, heldBack, isSame, type Circumstances, type Question } from './alarm-brakes.js';
import {
  drop,
  isOpenRun,
  isSaidAgain,
  isStarted,
  isWaiting,
  MOST_OPEN,
  remember,
  rememberResolution,
  resolvedAtMs,
  toldOf,
  type Firing,
  type RuleState,
  type WaitingFiring,
} from './alarm-rule-state.js';
import type { RunSeen, RunsAsked, StartArguments } from '../contract.js';
import { describeDuration } from '../time/duration.js';
import { describeTime } from '../time/utc-time.js';

/** What has to be done for a decision to hold. */
export type Effect =
  | { readonly kind: 'start'; readonly runId: string; readonly runbook: string; readonly arguments: StartArguments }
  | { readonly kind: 'withdraw'; readonly runIds: readonly string[] };

export interface Decided {
  readonly state: RuleState;
  readonly decision: AlarmDecision;
  readonly effect: Effect | null;
}

export function decide(state: RuleState, alarm: RuleAlarm, now: Circumstances): Decided {
  if (now.rule === UNMATCHED) return undone(state, decision('unmatched', 'no rule of the file takes it'));
  return alarm.status === 'resolved' ? decideResolved(state, alarm, now) : decideFiring(state, alarm, now);
}

/** Waiting firings whose time has come, the longest due first. */
export function dueFirings(state: RuleState, nowMs: number): WaitingFiring[] {
  const due = state.firings.filter(isWaiting).filter(({ stage }) => stage.dueAtMs <= nowMs);
  return due.sort((left, right) => left.stage.dueAtMs - right.stage.dueAtMs);
}

/** Epoch milliseconds; `null`: nothing waits. */
export function nextDueAtMs(state: RuleState): number | null {
  const times = state.firings.filter(isWaiting).map(({ stage }) => stage.dueAtMs);
  return times.length === 0 ? null : Math.min(...times);
}

/** Chosen. Workers or server were away for so long that a resolution may have come in vain. */
const STALE_AFTER_MS = 5 * 60_000;

/** The end of a debounce: every brake is looked at again. */
export function decideDue(state: RuleState, firing: WaitingFiring, now: Circumstances): Decided {
  const others = drop(state, firing);
  const lateByMs = now.nowMs - firing.stage.dueAtMs;
  if (lateByMs > STALE_AFTER_MS) {
    const why = `it was due ${describeDuration(lateByMs)} ago, and whether it still fires is not known: a repeat may start it`;
    return undone(others, decision('calledOff', why));
  }
  const held = heldBack(others, firing, now);
  return held === null ? started(others, firing, firing.stage.start, now) : undone(others, held);
}

/** What has to be known of runs before these alarms, or these firings, are decided. */
export function runsToAsk(state: RuleState, questions: readonly Question[], brakes: Brakes, nowMs: number): RunsAsked {
  const open = state.firings.filter(isOpenRun);
  const counted = brakes.atOnce !== null || open.length >= MOST_OPEN / 2;
  const targets = [...new Set(questions.map(({ target }) => target))];
  const concerned = open.filter((run) => questions.some((question) => isSame(run, question)));
  return {
    runIds: (counted ? open : concerned).map(({ runId }) => runId),
    targets,
    sinceMs: nowMs - brakes.coolDownMs,
  };
}

/** Runs of the rule that have ended since are no longer open. */
export function noteEnds(state: RuleState, seen: readonly RunSeen[]): RuleState {
  const ends = new Map(seen.map(({ runId, endedAtMs }) => [runId, endedAtMs]));
  const firings = state.firings.map((firing): Firing => {
    if (!isOpenRun(firing)) return firing;
    return { ...firing, stage: { ...firing.stage, endedAtMs: ends.get(firing.runId) ?? null } };
  });
  return { ...state, firings };
}

function decideResolved(before: RuleState, alarm: RuleAlarm, { brakes, nowMs }: Circumstances): Decided {
  // Never ahead of the server's clock: the gateway's may be, and would silence what fires until then.
  const atMs = Math.min(believedAtMs(alarm) ?? alarm.receivedAtMs, nowMs);
  const { incident, saidAtMs } = alarm;
  const state = rememberResolution(before, { incident, atMs, ...(saidAtMs === undefined ? {} : { saidAtMs }) });
  const concerned = state.firings.filter((firing) => firing.incident === incident && firing.firedAtMs <= atMs);
  const waiting = concerned.filter(isWaiting);
  const calledOff = waiting.reduce(
    (each, firing) => remember(each, { ...firing, seenAtMs: nowMs, stage: { kind: 'calledOff' } }),
    state,
  );
  const runs = concerned.filter(isOpenRun).filter(({ stage }) => !stage.withdrawn);
  const [run] = runs;
  if (run !== undefined && brakes.onResolved === 'withdraw') {
    const asked = runs.reduce(
      (each, firing) => remember(each, { ...firing, seenAtMs: nowMs, stage: { ...firing.stage, withdrawn: true } }),
      calledOff,
    );
    const why = `it was resolved at ${describeTime(atMs)}: the run ${run.runId} is cancelled if it has begun nothing`;
    const effect: Effect = { kind: 'withdraw', runIds: runs.map(({ runId }) => runId) };
    return { state: asked, decision: decision('withdrawn', why, { runId: run.runId }), effect };
  }
  const [first] = waiting;
  if (first !== undefined) {
    const why = `it was resolved at ${describeTime(atMs)}, before ${describeTime(first.stage.dueAtMs)}: no run starts`;
    return undone(calledOff, decision('calledOff', why));
  }
  const { runId = null } = concerned.findLast(isStarted) ?? {};
  const why = `it was resolved at ${describeTime(atMs)}, and there is nothing to call off`;
  return undone(calledOff, decision('resolved', why, { runId }));
}

function decideFiring(state: RuleState, alarm: RuleAlarm, now: Circumstances): Decided {
  const { start, incident, episodeHash } = alarm;
  const latest = state.firings.findLast((firing) => firing.episodeHash === episodeHash);
  const isLatest = latest !== undefined && !firesAnew(state, latest, alarm);
  const goesOn = isSaidAgain(state, alarm) && isOver(state, alarm);
  const isKnown = isLatest && !(goesOn && latest.stage.kind === 'calledOff');
  const known = isKnown ? latest : coveredBy(state, alarm);
  if (known !== undefined) return repeated(remember(state, { ...known, seenAtMs: now.nowMs }), known, alarm);
  if (isOver(state, alarm) && !goesOn) return undone(state, decision('calledOff', overBecause(state, alarm)));
  if ('problem' in start) return undone(state, decision('noTarget', start.problem));
  const held = heldBack(state, { target: start.target, incident }, now);
  if (held !== null) return undone(state, held);
  // One that goes on after a false resolution is the same firing: its run has the same id, which can start once.
  const nth = isLatest ? latest.nth : (latest?.nth ?? 0) + 1;
  const firing = {
    runId: runIdOf(now, episodeHash, nth),
    episodeHash,
    incident,
    nth,
    target: start.target,
    firedAtMs: believedAtMs(alarm) ?? alarm.receivedAtMs,
    seenAtMs: now.nowMs,
  };
  const { debounceMs } = now.brakes;
  const stage = { kind: 'waiting', dueAtMs: now.nowMs + debounceMs, start, alarm: toldOf(alarm) } as const;
  if (debounceMs === 0) return started(state, { ...firing, stage }, start, now);
  const why = `the run ${firing.runId} starts at ${describeTime(stage.dueAtMs)}, unless the alarm is resolved before`;
  const waiting = decision('waiting', why, { runId: firing.runId, untilMs: stage.dueAtMs });
  return undone(remember(state, { ...firing, stage }), waiting);
}

/** The sender's time, unless it gives none or one ahead of ours: that tells nothing of what came first. */
function believedAtMs({ atMs, receivedAtMs }: RuleAlarm): number | null {
  return atMs < receivedAtMs ? atMs : null;
}

/** The same episode again, after a resolution, by the sender's own times. */
function firesAnew(state: RuleState, { firedAtMs }: Firing, alarm: RuleAlarm): boolean {
  const resolvedMs = resolvedAtMs(state, alarm.incident);
  const atMs = believedAtMs(alarm);
  return resolvedMs !== null && atMs !== null && resolvedMs >= firedAtMs && atMs > resolvedMs;
}

/** Copies of a pair of senders can differ in when it began: a run that waits, or was started after it began, is its run too. */
function coveredBy(state: RuleState, alarm: RuleAlarm): Firing | undefined {
  const atMs = believedAtMs(alarm) ?? alarm.receivedAtMs;
  return state.firings.findLast(
    (firing) =>
      firing.incident === alarm.incident &&
      (isWaiting(firing) || (isStarted(firing) && atMs <= firing.stage.startedAtMs)),
  );
}

/** A firing that arrives after its own resolution. */
function isOver(state: RuleState, alarm: RuleAlarm): boolean {
  const atMs = believedAtMs(alarm);
  return atMs !== null && atMs <= (resolvedAtMs(state, alarm.incident) ?? -Infinity);
}

function overBecause(state: RuleState, { incident, atMs }: RuleAlarm): string {
  return `it fired at ${describeTime(atMs)} and was resolved at ${describeTime(resolvedAtMs(state, incident) ?? atMs)}`;
}

function repeated(state: RuleState, firing: Firing, alarm: RuleAlarm): Decided {
  const { runId, stage } = firing;
  if (stage.kind === 'calledOff') return undone(state, decision('calledOff', overBecause(state, alarm)));
  const why =
    stage.kind === 'waiting'
      ? `it waits until ${describeTime(stage.dueAtMs)}`
      : `its run ${runId} was started at ${describeTime(stage.startedAtMs)}`;
  const untilMs = stage.kind === 'waiting' ? stage.dueAtMs : null;
  return undone(state, decision('repeated', why, { runId, untilMs }));
}

function started(before: RuleState, firing: WaitingFiring, start: AlarmStart, now: Circumstances): Decided {
  const { owner, rule, nowMs } = now;
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
    runbook: start.runbook,
    arguments: {
      ...(summary === '' ? {} : { reason: summary }),
      ...start.arguments,
      // The brakes were looked at for this target, and for no other.
      targets: [target],
      requestedBy: `alarm rule ${owner}/${rule}`,
    },
  };
  return { state, decision: decision('started', `the run ${runId} was started`, { runId }), effect };
}

/** Different rules, episodes and firings never share one; the same firing always has the same. */
function runIdOf({ owner, rule }: Circumstances, episodeHash: string, nth: number): string {
  return `alarm-${owner}-${rule}-${episodeHash.slice(0, 16)}${nth === 1 ? '' : `-${nth}`}`;
}

function undone(state: RuleState, decision: AlarmDecision): Decided {
  return { state, decision, effect: null };
}
