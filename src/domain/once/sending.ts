/** The one POST of an attempt: the send lease before its first byte, what each answer means, and the search for the cloud job if the answer is lost. */
import type { FailureName } from '../failures.js';
import { actionIn, endInterrupted, fail, failAs, indeterminate, note, whereNamed } from './ending.js';
import { readingAge } from './entry.js';
import type { At, EventOf, RequestFailed, Standing, Step } from './events.js';
import { adopt, follow, readAfter } from './following.js';
import { inspect, judge, notOurs } from './evidence.js';
import type { Interruption, OnceState, Phase, PhaseOf } from './state.js';

/** The phase `connecting`: asks for the send lease once the connection is open. A process that froze while it connected must not send when it wakes. */
export function connecting(
  state: OnceState,
  _phase: PhaseOf<'connecting'>,
  event: EventOf<'connected' | 'failed'>,
  at: At,
): Step {
  if (event.kind === 'failed') return provedUnsent(state, event, at);
  // The acknowledged heartbeat already records what is true once the first byte is out, because the next attempt relies on it.
  const leasing: OnceState = {
    ...state,
    sent: 'unknown',
    isUnleased: false,
    phase: { name: 'leasing', askedAtMs: at.nowMs, wasUnleased: state.isUnleased },
  };
  const giveUpAtMs = at.nowMs + at.rules.limits.leaseMs;
  return { state: leasing, command: { kind: 'lease', isYoung: isYoung(state, at), giveUpAtMs } };
}

/**
 * True for a first attempt that sends within the margin after its schedule or not at all. It needs no description: the answer to its heartbeat
 * reports a cancel, a pause, a timeout and a closed run. Only a reset would need one. But the attempt after a reset concludes nothing for
 * the heartbeat timeout and the visibility window, which is `leaseMs` longer than margin, POST and visibility window, so it sees what this
 * attempt sent. Those `leaseMs` are for clocks that differ.
 */
function isYoung({ attempt, sentBefore, decidedAtMs }: OnceState, { nowMs, rules }: At): boolean {
  const { leaseMs, marginMs } = rules.limits;
  return attempt === 1 && sentBefore === 'no' && Math.abs(nowMs - decidedAtMs) + leaseMs <= marginMs;
}

/** The phase `leasing`. With the send lease the first byte may go: the server gives the step to no other attempt before this POST is over. */
export function leasing(
  state: OnceState,
  phase: PhaseOf<'leasing'>,
  event: EventOf<'standing' | 'timeUp'>,
  at: At,
): Step {
  const standing = event.kind === 'timeUp' ? 'unclear' : event.standing;
  const { askedAtMs } = phase;
  const held = standing === 'current' ? { ...state, heardAtMs: askedAtMs } : state;
  const fenced = fence(held, askedAtMs, standing, at);
  if (fenced === null)
    return {
      state: note(
        { ...held, phase: { name: 'sending', sentAtMs: at.nowMs, wasUnleased: phase.wasUnleased } },
        'sent',
        at,
      ),
      command: { kind: 'send' },
    };
  const unsent = note({ ...held, sent: state.sentBefore, isUnleased: phase.wasUnleased }, 'fenced', at, fenced.why);
  if ('by' in fenced) return endInterrupted(unsent, fenced.by, at);
  return standing === 'unclear' ? askAgain(unsent, fenced, at) : failUnsent(unsent, fenced, at);
}

function failUnsent(state: OnceState, { failure, why }: FencedBy, at: At): Step {
  const was = state.sentBefore === 'no' ? 'was not sent' : 'was not sent any more';
  return fail(state, failure, `${actionIn(at.rules)} ${was}: ${why}`, at);
}

/** After a reset the server could take this attempt's failure for another one's, so it is reported only if the server names this attempt. */
function askAgain(state: OnceState, { failure, why }: FencedBy, { nowMs, rules }: At): Step {
  const giveUpAtMs = nowMs + rules.limits.readTimeoutMs;
  const phase: Phase = { name: 'unleased', askedAtMs: nowMs, failure, why };
  return { state: { ...state, phase }, command: { kind: 'askServer', giveUpAtMs } };
}

/** The phase `unleased`: reports that nothing was sent if the server names this attempt as the current one. */
export function unleased(
  state: OnceState,
  phase: PhaseOf<'unleased'>,
  event: EventOf<'standing' | 'timeUp'>,
  at: At,
): Step {
  return whereNamed(state, phase.askedAtMs, event, at, (named) => failUnsent(named, phase, at));
}

interface FencedBy {
  readonly failure: FailureName;
  readonly why: string;
}

type Fenced = FencedBy | { readonly by: Interruption; readonly why: string };

/** @returns why the attempt must not send, or `null` if it may */
function fence({ interrupted }: OnceState, askedAtMs: number, standing: Standing, { nowMs, rules }: At): Fenced | null {
  const { closing, deadlineAtMs, limits } = rules;
  if (standing === 'superseded') return { by: 'superseded', why: 'another attempt is the current one' };
  if (standing === 'cancelled') return { by: 'cancel', why: 'the run was cancelled' };
  if (interrupted !== undefined) return { by: interrupted, why: 'the attempt was interrupted' };
  if (closing !== undefined && nowMs >= closing.atMs) return { failure: closing.failure, why: closing.why };
  if (nowMs >= deadlineAtMs) return { failure: 'DeadlinePassed', why: 'the deadline of the step has passed' };
  if (standing === 'unclear')
    return { failure: 'Unreachable', why: 'Temporal did not acknowledge the heartbeat before it' };
  return nowMs - askedAtMs > limits.leaseMs
    ? { failure: 'Throttled', why: 'too long since the heartbeat before it: another attempt may be at work' }
    : null;
}

/** The phase `sending`: what the answer to the POST means. */
export function sending(
  state: OnceState,
  { sentAtMs }: PhaseOf<'sending'>,
  event: EventOf<'accepted' | 'failed'>,
  at: At,
): Step {
  if (event.kind === 'accepted' && !isKnown(event.cloudJobId, at))
    return follow(note(state, 'accepted', at, event.cloudJobId), { id: event.cloudJobId, submittedAtMs: at.nowMs }, at);
  const failed = event.kind === 'failed' ? event : answeredWithOld(event);
  const { request, message } = failed;
  if (request === 'no' || (request === 'refused' && state.sentBefore === 'no')) return provedUnsent(state, failed, at);
  const { quietMs, visibilityWindowMs, postTimeoutMs, marginMs } = at.rules.limits;
  // ServiceStage may refuse because of our own cloud job, which an earlier attempt sent: a refusal proves nothing about that one.
  const answer = request === 'refused' ? 'refused' : 'unanswered';
  const untilMs = at.nowMs + (answer === 'refused' ? visibilityWindowMs : quietMs);
  // Even if the connection breaks at once, ServiceStage may accept the POST until its timeout is over. The next attempt may read another clock.
  const unseenUntilMs = sentAtMs + postTimeoutMs + visibilityWindowMs + marginMs;
  const clearAtMs = answer === 'refused' ? state.clearAtMs : Math.max(state.clearAtMs, unseenUntilMs);
  const noted = note({ ...state, clearAtMs }, answer, at, message);
  const { interrupted } = state;
  if (interrupted === 'stop' || interrupted === 'superseded') return endInterrupted(noted, interrupted, at);
  return readAgain(noted, { name: 'confirming', answer, message, untilMs }, at);
}

/** True for a cloud job from before the POST: its end would be that of an earlier action. */
function isKnown(cloudJobId: string, { rules: { before } }: At): boolean {
  return cloudJobId === before.lastJobId || before.knownCloudJobIds.includes(cloudJobId);
}

function answeredWithOld({ cloudJobId }: EventOf<'accepted'>): RequestFailed {
  const message = `the POST was answered with cloud job ${cloudJobId}, which is older than the POST`;
  return { kind: 'failed', failure: 'Unanswered', message, request: 'unknown' };
}

function provedUnsent(state: OnceState, event: RequestFailed, at: At): Step {
  const { request, message } = event;
  const { phase } = state;
  const isUnleased = phase.name === 'sending' ? phase.wasUnleased : state.isUnleased;
  const unsent = note(
    { ...state, sent: state.sentBefore, isUnleased },
    request === 'refused' ? 'refused' : 'notSent',
    at,
    message,
  );
  return state.interrupted === undefined ? failAs(unsent, event, at) : endInterrupted(unsent, state.interrupted, at);
}

/** The phase `confirming`: searches for the cloud job of a POST whose answer named none. A reading that fails decides nothing. */
export function confirming(
  state: OnceState,
  phase: PhaseOf<'confirming'>,
  event: EventOf<'reading' | 'inspected' | 'failed' | 'timeUp'>,
  at: At,
): Step {
  if (event.kind === 'reading') {
    const seen = { ...state, seen: event.reading };
    if (readingAge(at.rules.before, event.reading) !== 'new') return readAgain(seen, phase, at);
    return inspect(seen, at.rules.deadlineAtMs);
  }
  if (event.kind !== 'inspected') return readAgain(state, phase, at);
  const verdict = judge(state, event, at);
  if (verdict.kind === 'fits') return adopt(state, verdict.evidence, at);
  const maySearchAgain = at.nowMs < phase.untilMs || state.sentBefore === 'no';
  return verdict.kind === 'tooEarly' && maySearchAgain ? readAgain(state, phase, at) : notOurs(state, verdict, at);
}

function readAgain(state: OnceState, phase: PhaseOf<'confirming'>, at: At): Step {
  // There is always a pause before the first reading, even if no time is left.
  const isFirst = state.phase.name !== 'confirming';
  if (isFirst || at.nowMs < phase.untilMs) return readAfter(at.rules.limits.quietMs, state, phase, at);
  const { answer, message } = phase;
  return answer === 'unanswered'
    ? fail(state, 'Unanswered', message, at)
    : indeterminate(state, `An earlier attempt may have sent it, and this one was refused: ${message}`, at);
}
