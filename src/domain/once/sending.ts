/** The one POST of an attempt: the send lease before its first byte, and what each kind of answer means. An attempt never sends twice. */
import { describeAction } from '../actions.js';
import type { FailureName } from '../failures.js';
import { endInterrupted, fail, failAs, indeterminate, note } from './ending.js';
import { readingAge } from './entry.js';
import type { At, Event, RequestFailed, Standing, Step } from './events.js';
import { adopt, follow } from './following.js';
import { judge, notOurs } from './inspecting.js';
import { unseenAttemptMs } from './limits.js';
import type { Interruption, OnceState, Phase } from './state.js';

type Confirming = Extract<Phase, { name: 'confirming' }>;

export function connecting(state: OnceState, event: Extract<Event, { kind: 'connected' | 'failed' }>, at: At): Step {
  if (event.kind === 'failed') return provedUnsent(state, event, at);
  const { nowMs, rules } = at;
  const { clearAtMs: clearBeforeMs } = state;
  // What the server acknowledges says already what is true once the first byte is out: whoever takes over believes it.
  const leasing: OnceState = {
    ...state,
    sent: 'unknown',
    clearAtMs: Math.max(clearBeforeMs, nowMs + unseenAttemptMs(rules.limits)),
    phase: { name: 'leasing', askedAtMs: nowMs, clearBeforeMs },
  };
  return { state: leasing, command: { kind: 'lease', giveUpAtMs: nowMs + rules.limits.leaseMs } };
}

/**
 * The send lease: the server has just acknowledged a heartbeat of this attempt, so that it gives the step to no other before this POST is over.
 * Asked when the connection stands: a process that is frozen while it connects must not send when it wakes.
 */
export function leasing(
  state: OnceState,
  phase: Extract<Phase, { name: 'leasing' }>,
  event: Extract<Event, { kind: 'standing' | 'timeUp' }>,
  at: At,
): Step {
  const standing = event.kind === 'timeUp' ? 'unclear' : event.standing;
  const { askedAtMs, clearBeforeMs } = phase;
  const held = standing === 'current' ? { ...state, acknowledgedAtMs: askedAtMs } : state;
  const fenced = fence(held, askedAtMs, standing, at);
  if (fenced === null)
    return {
      state: note({ ...held, phase: { name: 'sending', clearBeforeMs } }, 'sent', at),
      command: { kind: 'send' },
    };
  const unsent = note({ ...held, sent: state.sentBefore, clearAtMs: clearBeforeMs }, 'fenced', at, fenced.why);
  if ('by' in fenced) return endInterrupted(unsent, fenced.by, at);
  const { action } = at.rules;
  const was = state.sentBefore === 'no' ? 'was not sent' : 'was not sent any more';
  return fail(unsent, fenced.failure, `${action === null ? 'It' : describeAction(action)} ${was}: ${fenced.why}`, at);
}

type Fenced =
  { readonly by: Interruption; readonly why: string } | { readonly failure: FailureName; readonly why: string };

/** Why nothing may be sent any more, or `null`. */
function fence({ interrupted }: OnceState, askedAtMs: number, standing: Standing, { nowMs, rules }: At): Fenced | null {
  const { closing, deadlineAtMs, limits } = rules;
  if (standing === 'superseded') return { by: 'superseded', why: 'another attempt is the current one' };
  if (standing === 'cancelled') return { by: 'cancel', why: 'the run was cancelled' };
  if (interrupted !== undefined) return { by: interrupted, why: 'the attempt was told to end' };
  if (closing !== undefined && nowMs >= closing.atMs) return { failure: closing.failure, why: closing.why };
  if (nowMs >= deadlineAtMs) return { failure: 'DeadlinePassed', why: 'the deadline of the step has passed' };
  if (standing === 'unclear')
    return { failure: 'Unreachable', why: 'Temporal did not acknowledge the heartbeat before it' };
  return nowMs - askedAtMs > limits.leaseMs
    ? { failure: 'Throttled', why: 'too long since the heartbeat before it: another attempt may be at work' }
    : null;
}

export function sending(
  state: OnceState,
  { clearBeforeMs }: Extract<Phase, { name: 'sending' }>,
  event: Extract<Event, { kind: 'accepted' | 'failed' }>,
  at: At,
): Step {
  const over = { ...state, clearAtMs: clearBeforeMs };
  if (event.kind === 'accepted')
    return follow(note(over, 'accepted', at, event.cloudJobId), { id: event.cloudJobId, submittedAtMs: at.nowMs }, at);
  const { request, message } = event;
  if (request === 'no' || (request === 'refused' && state.sentBefore === 'no')) return provedUnsent(over, event, at);
  const { quietMs, visibilityWindowMs } = at.rules.limits;
  // A refusal may be due to our own cloud job, sent by an earlier attempt: it proves nothing about that one.
  const answer = request === 'refused' ? 'refused' : 'unanswered';
  const untilMs = at.nowMs + (answer === 'refused' ? visibilityWindowMs : quietMs);
  const clearAtMs = Math.max(clearBeforeMs, at.nowMs + visibilityWindowMs);
  const noted = note({ ...over, clearAtMs }, answer, at, message);
  return lookAgain(noted, { name: 'confirming', answer, message, untilMs }, at);
}

function provedUnsent(state: OnceState, event: RequestFailed, at: At): Step {
  return failAs(note({ ...state, sent: state.sentBefore }, 'notSent', at, event.message), event, at);
}

/** Looks for the cloud job of a POST whose answer gave none. A reading that fails decides nothing. */
export function confirming(
  state: OnceState,
  phase: Confirming,
  event: Extract<Event, { kind: 'reading' | 'inspected' | 'failed' | 'timeUp' }>,
  at: At,
): Step {
  if (event.kind === 'reading') {
    const seen = { ...state, seen: event.reading };
    if (readingAge(at.rules.before, event.reading) !== 'new') return lookAgain(seen, phase, at);
    const cloudJobId = event.reading.lastJobId ?? '';
    return { state: seen, command: { kind: 'inspect', cloudJobId, giveUpAtMs: at.rules.deadlineAtMs } };
  }
  if (event.kind !== 'inspected') return lookAgain(state, phase, at);
  const verdict = judge(state, event, at);
  if (verdict.kind === 'fits') return adopt(state, verdict.evidence, at);
  const mayShowTasks = at.nowMs < phase.untilMs || state.sentBefore === 'no';
  return verdict.kind === 'tooEarly' && mayShowTasks ? lookAgain(state, phase, at) : notOurs(state, verdict, at);
}

function lookAgain(state: OnceState, phase: Confirming, at: At): Step {
  const { limits, deadlineAtMs } = at.rules;
  // The first reading comes after a pause, however short the time.
  const isFirst = state.phase.name !== 'confirming';
  if (isFirst || at.nowMs < phase.untilMs) {
    const giveUpAtMs = Math.max(deadlineAtMs, at.nowMs + limits.quietMs + limits.readTimeoutMs);
    return { state: { ...state, phase }, command: { kind: 'read', inMs: limits.quietMs, giveUpAtMs } };
  }
  const { answer, message } = phase;
  return answer === 'unanswered'
    ? fail(state, 'Unanswered', message, at)
    : indeterminate(state, `An earlier attempt may have sent it, and this one was refused: ${message}`, at);
}
