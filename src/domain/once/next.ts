/**
 * The once-only protocol as one pure machine: an attempt begins, and each event leads to a new state and the next command. No clock, no I/O,
 * no Temporal. `src/activities/once.ts` carries the commands out; docs/once-machine.md shows the tables that these functions make.
 */
import { endElsewhere, endInterrupted, note } from './ending.js';
import { clearAtMsOnEntry, isProvenUnsent, isUnleasedOnEntry, needsBarrier } from './entry.js';
import type { At, AttemptFacts, Command, Event, EventOf, OnceRules, Step } from './events.js';
import { afterLastReading, following, startPolling, verifying, withAgeSeen } from './following.js';
import { atBarrier, observing, reserve, reserving } from './observing.js';
import { confirming, connecting, leasing, sending, unleased } from './sending.js';
import { followingToSettle, settling, startSettling } from './settling.js';
import type { Ending, Interruption, OnceState, Phase, PhaseName, PhaseOf } from './state.js';
import { extendTrail, type TrailEntry } from './trail.js';

/**
 * An attempt to carry a decision out.
 *
 * @param previous what the attempt before left in its newest heartbeat; `null` if there is none
 * @param elsewhere why this worker must not serve the target; `null` if it may
 */
export function beginActing(
  rules: OnceRules,
  facts: AttemptFacts,
  previous: OnceState | null,
  nowMs: number,
  elsewhere: string | null = null,
): Step {
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
    // A reset schedules a decision again that was made when its baseline was read.
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
  const mustAsk = entered.cloudJob === null && needsBarrier(facts, previous, nowMs, limits);
  if (elsewhere !== null && !mustAsk) return endElsewhere(entered, elsewhere, at);
  if (entered.cloudJob !== null) {
    const followed = note(entered, 'followed', at, 'known from an earlier attempt');
    return { ...startPolling(followed, at), record: true };
  }
  if (!mustAsk) return reserve(entered, at);
  const askServer: Command = { kind: 'askServer', giveUpAtMs: nowMs + limits.readTimeoutMs };
  const leftNothing = previous === null && attempt > 1 && runId === decidedInRunId;
  const barrier: Phase = {
    name: 'barrier',
    askedAtMs: nowMs,
    leftNothing,
    ...(elsewhere === null ? {} : { elsewhere }),
  };
  return { state: { ...entered, phase: barrier }, command: askServer };
}

const ENTERED = {
  no: undefined,
  unknown: 'an earlier attempt may have sent',
  yes: 'an earlier attempt has sent',
} as const;

/** Adds the attempts that left no heartbeat: otherwise a report would suggest that they never ran. */
function trailBefore({ attempt }: AttemptFacts, previous: OnceState | null, nowMs: number): readonly TrailEntry[] {
  let trail = previous?.trail ?? [];
  for (let lost = Math.max((previous?.attempt ?? 0) + 1, attempt - 3); lost < attempt; lost++)
    trail = extendTrail(trail, { attempt: lost, atMs: nowMs, decision: 'leftNoTrace' });
  return trail;
}

/**
 * An attempt to settle what a step left, or an instance before a first step. Every attempt starts over, because all that matters is in `left`.
 *
 * @param prior how the step ended; `null` before a first step
 * @param elsewhere why this worker must not serve the target; `null` if it may
 */
export function beginSettling(
  rules: OnceRules,
  left: OnceState,
  prior: Ending | null,
  nowMs: number,
  elsewhere: string | null = null,
): Step {
  const { retrying: _over, interrupted: _past, ...known } = left;
  const state: OnceState = {
    ...known,
    atMs: nowMs,
    heardAtMs: nowMs,
    goal: { kind: 'settle', prior },
    phase: { name: 'settling', quietSinceMs: null, jobEnd: null },
  };
  const at = { rules, nowMs };
  return elsewhere === null ? startSettling(state, at) : endElsewhere(state, elsewhere, at);
}

/** What follows from an event. @throws TypeError if the phase does not wait for it: then the interpreter is wrong */
export function next(state: OnceState, event: Event, rules: OnceRules, nowMs: number): Step {
  const at = { rules, nowMs: Math.max(nowMs, state.atMs) };
  if (event.kind === 'interrupted') return interrupted(state, event.by, at);
  if (event.kind === 'heartbeat') return heartbeat(state, at);
  return handle({ ...state, atMs: at.nowMs }, event, at);
}

type Answer = Exclude<Event, { kind: 'interrupted' | 'heartbeat' }>;

/** What one phase does with the events that it waits for. */
interface Handler<In extends Phase, Taken extends Answer> {
  readonly handle: (state: OnceState, phase: In, event: Taken, at: At) => Step;
  readonly events: Readonly<Record<Taken['kind'], true>>;
}

/** @param events what the handler takes: one too few does not compile, nor one too many */
function waitsFor<In extends Phase, Taken extends Answer>(
  handle: Handler<In, Taken>['handle'],
  events: Handler<In, Taken>['events'],
): Handler<In, Taken> {
  return { handle, events };
}

/** What each phase waits for. A phase that is missing does not compile, nor an event that no phase takes. */
const HANDLERS = {
  barrier: waitsFor(atBarrier, { standing: true, timeUp: true }),
  reserving: waitsFor(reserving, { reserved: true, failed: true, timeUp: true }),
  observing: waitsFor(observing, { reading: true, inspected: true, failed: true, timeUp: true }),
  connecting: waitsFor(connecting, { connected: true, failed: true }),
  leasing: waitsFor(leasing, { standing: true, timeUp: true }),
  unleased: waitsFor(unleased, { standing: true, timeUp: true }),
  sending: waitsFor(sending, { accepted: true, failed: true }),
  confirming: waitsFor(confirming, { reading: true, inspected: true, failed: true, timeUp: true }),
  following: waitsFor(followingToAnyGoal, { polled: true, failed: true, timeUp: true }),
  lastReading: waitsFor(afterLastReading, { reading: true, failed: true, timeUp: true }),
  verifying: waitsFor(verifying, { reading: true, failed: true, timeUp: true }),
  settling: waitsFor(settling, { reading: true, inspected: true, failed: true, timeUp: true }),
  ended: null,
} satisfies { readonly [Name in PhaseName]: Handler<PhaseOf<Name>, never> | null };

type KindsOf<Of> = Of extends { readonly events: Readonly<Record<infer Kind extends Answer['kind'], true>> }
  ? Kind
  : never;
type TakenEvent = EventOf<KindsOf<(typeof HANDLERS)[PhaseName]>>;

function followingToAnyGoal(...[state, phase, event, at]: Parameters<typeof following>): Step {
  return (state.goal.kind === 'act' ? following : followingToSettle)(withAgeSeen(state, event), phase, event, at);
}

function handle(state: OnceState, event: TakenEvent, at: At): Step {
  const { phase } = state;
  // The handler has the phase's own name: the compiler does not see that.
  const handler = HANDLERS[phase.name] as Handler<Phase, TakenEvent> | null;
  if (handler === null || !(event.kind in handler.events))
    throw new TypeError(`The phase ${phase.name} does not wait for ${event.kind}`);
  return handler.handle(state, phase, event, at);
}

/** What an interruption does in each phase. `later`: what is under way continues, and the machine handles the interruption after it. */
const ON_INTERRUPTION: Readonly<Record<PhaseName, Readonly<Record<Interruption, 'end' | 'later'>>>> = {
  // The server's answer comes first: a superseded attempt must not report anything.
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

/** After too long a silence the server may have given the attempt up, and a heartbeat proves nothing any more. */
function heartbeat(state: OnceState, { nowMs, rules }: At): Step {
  const { heartbeatTimeoutMs, marginMs } = rules.limits;
  const isInTime = nowMs - state.heardAtMs <= heartbeatTimeoutMs - marginMs;
  return { state: { ...state, atMs: nowMs, heardAtMs: isInTime ? nowMs : state.heardAtMs }, command: null };
}

function interrupted(state: OnceState, by: Interruption, at: At): Step {
  const marked: OnceState = { ...state, atMs: at.nowMs, interrupted: by };
  // Settling is cancelled only before a first step, where nothing was sent.
  const means = state.goal.kind === 'settle' ? 'end' : ON_INTERRUPTION[state.phase.name][by];
  return means === 'end' ? endInterrupted(marked, by, at) : { state: marked, command: null };
}
