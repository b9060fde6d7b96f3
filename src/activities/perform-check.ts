/** `performCheck`: asks the URL of a check until `domain/checks` decides that it is over. It changes nothing, so a lost attempt is simply tried again. */
import { CompleteAsyncError, Context } from '@temporalio/activity';
import {
  describeWanted,
  evidenceOf,
  type CheckAnswer,
  type CheckEvidence,
  type HttpCheck,
} from '../domain/checks/check.js';
import { afterAnswer, beginCheck, memoryOf, type CheckMemory, type CheckNext } from '../domain/checks/check-state.js';
import { unmetBy } from '../domain/checks/judge.js';
import type { PerformCheckArguments } from '../domain/contract.js';
import { describeDuration } from '../domain/time/duration.js';
import { pause } from '../time/pause.js';
import type { CheckAccess } from './dependencies.js';
import { interruptionBy } from './interruption.js';
import { failure } from './to-failure.js';

/** A check that a stopping worker leaves is taken over at once. */
const RETRY_AFTER_STOP_MS = 100;

/**
 * Asks again and again, with heartbeats. After the loss of a worker the next attempt continues with the time and the count of the one before
 * it, but the hold begins again, because no worker asked meanwhile.
 *
 * @returns the evidence of the last request, if the check passed
 * @throws `CheckFailed` or `DeadlinePassed`, with the evidence as `details[0]`; `WorkerStopped`, which is retried
 */
export async function performCheck(checks: CheckAccess, request: PerformCheckArguments): Promise<CheckEvidence> {
  const context = Context.current();
  const clock = monotonicClock();
  const { check, deadlineAtMs, heartbeatTimeoutMs } = request;
  const before = (context.info.heartbeatDetails as CheckMemory | undefined) ?? null;
  let state = beginCheck(check, before, clock(), deadlineAtMs);
  const heartbeat = () => context.heartbeat(memoryOf(state));
  heartbeat();
  const heartbeats = setInterval(heartbeat, heartbeatTimeoutMs / 3);
  try {
    for (;;) {
      const sentAtMs = clock();
      const answer = await checks.get(check.url, {
        timeoutMs: check.timeoutMs,
        signal: context.cancellationSignal,
        isMet: (given) => unmetBy(check, given).length === 0,
      });
      const answeredAtMs = clock();
      const unmet = unmetBy(check, answer);
      const after = afterAnswer(check, state, {
        sentAtMs,
        answeredAtMs,
        unmet,
        isFinal: answer.kind === 'forbidden',
      });
      ({ state } = after);
      heartbeat();
      const { next } = after;
      const heldMs = next.kind === 'passed' ? Math.round(next.heldMs) : 0;
      const evidence = evidenceOf(check, answer, unmet, {
        requests: state.requests,
        atMs: Math.round(answeredAtMs),
        heldMs,
      });
      if (next.kind === 'passed') return evidence;
      if (next.kind !== 'ask') throw failedCheck(check, answer, next, evidence);
      await pause(next.inMs, context.cancellationSignal);
    }
  } catch (error) {
    throw context.cancellationSignal.aborted ? interrupted(context, error) : error;
  } finally {
    clearInterval(heartbeats);
  }
}

function failedCheck(
  check: HttpCheck,
  answer: CheckAnswer,
  next: Exclude<CheckNext, { kind: 'passed' | 'ask' }>,
  evidence: CheckEvidence,
): Error {
  const [why = `it held too short a time; wanted: ${describeWanted(check)}`] = evidence.unmet;
  const { withinMs, stableMs } = check;
  const url = withoutQuery(check.url);
  const limit = `within ${describeDuration(withinMs)} and for ${describeDuration(stableMs)}`;
  const options = { details: evidence, final: true };
  if (next.kind === 'late')
    return failure('DeadlinePassed', `The deadline of the run came before the check of ${url} passed: ${why}`, options);
  return answer.kind === 'forbidden'
    ? failure('CheckFailed', `${url} was not asked: ${why}`, options)
    : failure(
        'CheckFailed',
        `${url} did not answer as wanted ${limit} (${evidence.requests} requests): ${why}`,
        options,
      );
}

/** Messages are not encrypted, and they are part of traces; a query may hold a token. The evidence has the whole URL. */
function withoutQuery(url: string): string {
  const [shown = ''] = url.split(/[?#]/, 1);
  return shown === url ? url : `${shown}?…`;
}

/** What an attempt that was asked to end throws. One that another attempt has replaced reports nothing. */
function interrupted(context: Context, error: unknown): unknown {
  const by = interruptionBy(context);
  if (by === 'cancel') return error;
  if (by === 'superseded') return new CompleteAsyncError();
  const message = 'The worker stopped during a check, or the check was paused or reset';
  return failure('WorkerStopped', message, { nextRetryDelayMs: RETRY_AFTER_STOP_MS });
}

/** Epoch milliseconds that pass evenly: a wall clock that is set forward must not make an answer seem to hold. */
function monotonicClock(): () => number {
  const wallMs = Date.now();
  const monotonicMs = performance.now();
  return () => Math.round(wallMs + performance.now() - monotonicMs);
}
