/** The reading before a person's decision is carried out: at rest, and only when nothing of an earlier decision can still appear. Sends nothing. */
import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { TargetRunArguments } from '../domain/contract.js';
import { unseenAttemptMs } from '../domain/once/limits.js';
import { endedAs, endingOf, nothingKnown, type OnceState } from '../domain/once/state.js';
import type { BlockedStep, ReadingAtRest } from '../domain/steering/decisions.js';
import { isAtRest } from '../domain/target/cloud-job.js';
import { shieldedAfterReset } from './after-reset.js';
import { rootCause } from './failure.js';
import { observeTarget, settleTarget } from './proxies.js';
import { sleepUntil } from './timers.js';

/** `unread`: it could not be read, so nothing is decided. */
export type ReadAgain =
  | { readonly kind: 'read'; readonly reading: ReadingAtRest }
  | { readonly kind: 'unread'; readonly why: string }
  | { readonly kind: 'cancelled' };

/** Reads the instance of a blocked step. */
export async function readAgain(blocked: BlockedStep, request: TargetRunArguments): Promise<ReadAgain> {
  try {
    return await shieldedAfterReset(() => read(blocked, request));
  } catch (error) {
    if (isCancellation(error)) return { kind: 'cancelled' };
    return { kind: 'unread', why: rootCause(error).message };
  }
}

async function read(blocked: BlockedStep, request: TargetRunArguments): Promise<ReadAgain> {
  const { left, baseline } = blocked.outcome;
  const { target } = request.targetPlan;
  const first = await observeTarget(target, request.limits, workflowInfo().originalExecutionRunId);
  const { clearAtMs: clearAfterResetAtMs, readInRunId, ...observation } = first;
  const clearAtMs = Math.max(clearAfterResetAtMs, left.sent === 'no' ? 0 : left.clearAtMs);
  // By the time of the reading, not of the clock: a replay decides the same way.
  const isClear = clearAtMs <= observation.observedAtMs;
  if (left.sent === 'no' && isClear && isAtRest(observation))
    return { kind: 'read', reading: { observation, readInRunId } };
  // A known cloud job is followed to its end. If it was only adopted, ours may still appear.
  if (left.cloudJob !== null && !isClear) await sleepUntil(clearAtMs);
  const nowMs = Date.now();
  const { step } = blocked;
  const settled = await settleTarget(
    {
      target,
      // Its cloud job is followed by its action. Without one, nothing may be adopted.
      action: left.cloudJob === null ? null : step.action,
      before: { ...baseline, observation: null },
      left: unclear(left, nowMs, clearAtMs),
      prior: null,
      deadlineAtMs: Math.max(nowMs, clearAtMs) + step.deadlineMs + unseenAttemptMs(request.limits),
      verify: { withinMs: 0, stableMs: 0 },
      verifyAfterCancel: false,
      limits: request.limits,
    },
    `${step.id}: read ${target.path} before the decision`,
  );
  const ending = endingOf(settled);
  if (ending.kind === 'succeeded' && settled.seen !== null)
    return { kind: 'read', reading: { observation: settled.seen, readInRunId } };
  if (ending.kind === 'cancelled') return { kind: 'cancelled' };
  return { kind: 'unread', why: 'message' in ending ? ending.message : 'no reading succeeded' };
}

/** What the earlier decision may have sent counts as unclear, unless its cloud job is known. */
function unclear({ cloudJob }: OnceState, nowMs: number, clearAtMs: number): OnceState {
  const known = nothingKnown('unknown', { nowMs, clearAtMs, decidedAtMs: nowMs });
  return endedAs(cloudJob === null ? known : { ...known, sent: 'yes', cloudJob }, { kind: 'succeeded' });
}
