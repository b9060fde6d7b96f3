/**
 * The once-only protocol as one pure machine: an attempt begins, and each event leads to a new state and the next command. No clock, no I/O,
 * no Temporal. `src/activities/once.ts` carries the commands out; docs/guarantees.md shows the tables that these functions make.
 */
import { endInterrupted, note } from './ending.js';
import { clearAtMsOnEntry, isProvenUnsent, isUnleasedOnEntry, needsBarrier } from './entry.js';
import type { At, AttemptFacts, Command, Event, OnceRules, Step } from './events.js';
import { afterLastReading, following, startPolling, verifying } from './following.js';
import { atBarrier, observing, reserve, reserving } from './observing.js';
import { confirming, connecting, leasing, sending, unleased } from './sending.js';
import { followingToSettle, settling, startSettling } from './settling.js';
import type { Ending, Interruption, OnceState, PhaseName } from './state.js';
import { extendTrail, type TrailEntry } from './trail.js';

/**
 * An attempt to carry a decision out.
 *
 * @param previous what the attempt before left in its newest heartbeat; `null` where there is nothing
 */
export function beginActing(rules: OnceRules, facts: AttemptFacts, previous: OnceState | null, nowMs: number): Step {
  const { limits, before } = rules;
  const { attempt, scheduledAtMs, attemptScheduledAtMs, runId, decidedInRunId } = facts;
  const sent = previous?.cloudJob != null ? 'yes' : isProvenUnsent(facts, previous, limits) ? 'no' : 'unknown';
  const observedAtMs = before.observation?.observedAtMs ?? scheduledAtMs;
  const at = { rules, nowMs };
  const state: OnceState = {
    attempt,
    atMs: nowMs,
    sent,
    sentBefore: sent,
    isUnleased: isUnleasedOnEntry(facts, previous, limits),
    cloudJob: previous?.cloudJob ?? null,
    clearAtMs: clearAtMsOnEntry(facts, previous, nowMs, limits),
    // A reset schedules a decision anew that was made when its baseline was read.
    decidedAtMs: runId === decidedInRunId ? scheduledAtMs : Math.min(scheduledAtMs, observedAtMs),
    // The server hands the attempt out then or later; this process may begin it much later.
    heardAtMs: Math.min(nowMs, attemptScheduledAtMs),
    seen: previous?.seen ?? null,
    trail: trailBefore(facts, previous, nowMs),
    ...(previous?.retrying === undefined ? {} : { retrying: previous.retrying }),
    goal: { kind: 'act' },
    phase: { name: 'reserving' },
  };
  const entered = note(state, 'entered', at, ENTERED[sent]);
  if (entered.cloudJob !== null) {
    const followed = note(entered, 'followed', at, 'known from an earlier attempt');
    return { ...startPolling(followed, at), record: true };
  }
  if (!needsBarrier(facts, previous, nowMs, limits)) return reserve(entered, at);
  const askServer: Command = { kind: 'askServer', giveUpAtMs: nowMs + limits.readTimeoutMs };
  const leftNothing = previous === null && attempt > 1 && runId === decidedInRunId;
  return { state: { ...entered, phase: { name: 'barrier', askedAtMs: nowMs, leftNothing } }, command: askServer };
}

const ENTERED = {
  no: undefined,
  unknown: 'an earlier attempt may have sent',
  yes: 'an earlier attempt has sent',
} as const;

/** Attempts between that left no trace are named, since nobody may take them for nothing. */
function trailBefore({ attempt }: AttemptFacts, previous: OnceState | null, nowMs: number): readonly TrailEntry[] {
  let trail = previous?.trail ?? [];
  for (let lost = Math.max((previous?.attempt ?? 0) + 1, attempt - 3); lost < attempt; lost++)
    trail = extendTrail(trail, { attempt: lost, atMs: nowMs, decision: 'leftNoTrace' });
  return trail;
}

/**
 * Settles what a step left, or an instance before a first step. An attempt of it begins anew: all that matters is in `left`.
 *
 * @param prior how the step ended; `null` before a first step
 */
export function beginSettling(rules: OnceRules, left: OnceState, prior: Ending | null, nowMs: number): Step {
  const { retrying: _over, interrupted: _past, ...known } = left;
  const state: OnceState = {
    ...known,
    atMs: nowMs,
    heardAtMs: nowMs,
    goal: { kind: 'settle', prior },
    phase: { name: 'settling', quietSinceMs: null, jobEnd: null },
  };
  return startSettling(state, { rules, nowMs });
}

/** @throws TypeError where the phase does not wait for such an event: the interpreter is wrong */
export function next(state: OnceState, event: Event, rules: OnceRules, nowMs: number): Step {
  const at = { rules, nowMs: Math.max(nowMs, state.atMs) };
  if (event.kind === 'interrupted') return interrupted(state, event.by, at);
  if (event.kind === 'heartbeat') return heartbeat(state, at);
  return handle({ ...state, atMs: at.nowMs }, event, at);
}

/** The events that each phase waits for. An event that is missing here does not compile below. */
function handle(state: OnceState, event: Exclude<Event, { kind: 'interrupted' | 'heartbeat' }>, at: At): Step {
  const { phase } = state;
  switch (phase.name) {
    case 'barrier':
      if (event.kind === 'standing' || event.kind === 'timeUp') return atBarrier(state, phase, event, at);
      break;
    case 'reserving':
      if (event.kind === 'reserved' || event.kind === 'failed' || event.kind === 'timeUp')
        return reserving(state, event, at);
      break;
    case 'observing':
      if (isReadingOrInspection(event)) return observing(state, phase, event, at);
      break;
    case 'connecting':
      if (event.kind === 'connected' || event.kind === 'failed') return connecting(state, event, at);
      break;
    case 'leasing':
      if (event.kind === 'standing' || event.kind === 'timeUp') return leasing(state, phase, event, at);
      break;
    case 'unleased':
      if (event.kind === 'standing' || event.kind === 'timeUp') return unleased(state, phase, event, at);
      break;
    case 'sending':
      if (event.kind === 'accepted' || event.kind === 'failed') return sending(state, phase, event, at);
      break;
    case 'confirming':
      if (isReadingOrInspection(event)) return confirming(state, phase, event, at);
      break;
    case 'following':
      if (event.kind === 'polled' || event.kind === 'failed' || event.kind === 'timeUp')
        return (state.goal.kind === 'act' ? following : followingToSettle)(state, phase, event, at);
      break;
    case 'lastReading':
      if (event.kind === 'reading' || event.kind === 'failed' || event.kind === 'timeUp')
        return afterLastReading(state, phase, event, at);
      break;
    case 'verifying':
      if (event.kind === 'reading' || event.kind === 'failed' || event.kind === 'timeUp')
        return verifying(state, phase, event, at);
      break;
    case 'settling':
      if (isReadingOrInspection(event)) return settling(state, phase, event, at);
      break;
    case 'ended':
      break;
  }
  throw new TypeError(`The phase ${phase.name} does not wait for ${event.kind}`);
}

type ReadingOrInspection = Extract<Event, { kind: 'reading' | 'inspected' | 'failed' | 'timeUp' }>;

function isReadingOrInspection(event: Event): event is ReadingOrInspection {
  return event.kind === 'reading' || event.kind === 'inspected' || event.kind === 'failed' || event.kind === 'timeUp';
}

/** What being told to end means in each phase. `later`: what is under way goes on, and is looked at when it is over. */
const ON_INTERRUPTION: Readonly<Record<PhaseName, Readonly<Record<Interruption, 'end' | 'later'>>>> = {
  // What the server says of this attempt comes first: a superseded one must not say anything.
  barrier: { cancel: 'later', stop: 'later', superseded: 'end' },
  reserving: { cancel: 'end', stop: 'end', superseded: 'end' },
  observing: { cancel: 'end', stop: 'end', superseded: 'end' },
  // The fence sees it.
  connecting: { cancel: 'later', stop: 'later', superseded: 'later' },
  leasing: { cancel: 'later', stop: 'later', superseded: 'later' },
  unleased: { cancel: 'later', stop: 'later', superseded: 'end' },
  // Cutting the connection would not take back what the server already reads.
  sending: { cancel: 'later', stop: 'later', superseded: 'later' },
  // After the send a cancel is not obeyed: the cloud job cannot be stopped.
  confirming: { cancel: 'later', stop: 'end', superseded: 'end' },
  following: { cancel: 'later', stop: 'end', superseded: 'end' },
  // How it ends is known already.
  lastReading: { cancel: 'later', stop: 'later', superseded: 'end' },
  verifying: { cancel: 'later', stop: 'end', superseded: 'end' },
  settling: { cancel: 'end', stop: 'end', superseded: 'end' },
  ended: { cancel: 'later', stop: 'later', superseded: 'later' },
};

/** After too long a silence the server may have given the attempt up: a heartbeat of it proves nothing any more. */
function heartbeat(state: OnceState, { nowMs, rules }: At): Step {
  const { heartbeatTimeoutMs, marginMs } = rules.limits;
  const isInTime = nowMs - state.heardAtMs <= heartbeatTimeoutMs - marginMs;
  return { state: { ...state, atMs: nowMs, heardAtMs: isInTime ? nowMs : state.heardAtMs }, command: null };
}

function interrupted(state: OnceState, by: Interruption, at: At): Step {
  const told: OnceState = { ...state, atMs: at.nowMs, interrupted: by };
  // Settling is cancelled only before a first step, where nothing was sent.
  const means = state.goal.kind === 'settle' ? 'end' : ON_INTERRUPTION[state.phase.name][by];
  return means === 'end' ? endInterrupted(told, by, at) : { state: told, command: null };
}
