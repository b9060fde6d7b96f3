/** The state of an instance before the first step, which undo goes back to: read under the lease, and only when the instance is at rest. */
import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { Baseline, Settled, TargetRunArguments } from '../domain/contract.js';
import { failureRecord, type FailureRecord } from '../domain/failures.js';
import { unseenAttemptMs } from '../domain/once/limits.js';
import { endedAs, endingOf, nothingKnown } from '../domain/once/state.js';
import { isAtRest } from '../domain/target/cloud-job.js';
import { statusMeaning, type Observation } from '../domain/target/target.js';
import { shieldedAfterReset } from './after-reset.js';
import { rootFailure } from './failure.js';
import { observeTarget, settleTarget } from './proxies.js';
import type { TargetProgressView } from './target-progress.js';

/** `failed` and `cancelled`: no step is begun. */
export type Captured =
  | { readonly kind: 'captured'; readonly baseline: Baseline }
  | { readonly kind: 'failed'; readonly failure: FailureRecord }
  | { readonly kind: 'cancelled' };

/** Waits until the instance is at rest and nothing sent earlier can still appear. Nothing is sent. */
export async function captureAtRest(request: TargetRunArguments, progress: TargetProgressView): Promise<Captured> {
  return await shieldedAfterReset(() => capture(request, progress));
}

async function capture(request: TargetRunArguments, progress: TargetProgressView): Promise<Captured> {
  const { target } = request.targetPlan;
  try {
    const first = await observeTarget(target, request.limits, workflowInfo().originalExecutionRunId);
    const { clearAtMs: clearAfterResetAtMs, readInRunId, ...reading } = first;
    progress.saw(reading);
    if (statusMeaning(reading.status) === 'deleted')
      return { kind: 'failed', failure: failureRecord('TargetNotFound', `${target.path} is ${reading.status}`) };
    const clearAtMs = Math.max(clearAfterResetAtMs, request.clearAtMs);
    // Compared with the time of the reading, not the clock: a replay after a second reset finds an old reading whose wait is over.
    if (isAtRest(reading) && clearAtMs <= reading.observedAtMs)
      return { kind: 'captured', baseline: firstBaseline(reading, readInRunId) };
    const settled = await settleFirst(request, reading, readInRunId, { clearAtMs, progress });
    if ('name' in settled) return { kind: 'failed', failure: settled };
    // A reset to within the wait makes a new decision: the run before may have continued, so the instance is not as it was for that run.
    const { settledInRunId = readInRunId } = settled;
    const baseline = firstBaseline(settled.seen, settledInRunId);
    const isAfterReset = clearAfterResetAtMs !== 0 || settledInRunId !== readInRunId;
    return { kind: 'captured', baseline: isAfterReset ? { ...baseline, readAfterReset: true } : baseline };
  } catch (error) {
    return isCancellation(error) ? { kind: 'cancelled' } : { kind: 'failed', failure: rootFailure(error) };
  }
}

/** The instance at rest, and the run that read it so. */
interface SettledFirst extends Pick<Settled, 'settledInRunId'> {
  readonly seen: Observation;
}

/** Another cloud job is in flight, or an earlier holder may have sent something unseen. Waits for its end within the time of the first step. */
async function settleFirst(
  request: TargetRunArguments,
  reading: Observation,
  readInRunId: string,
  { clearAtMs, progress }: { readonly clearAtMs: number; readonly progress: TargetProgressView },
): Promise<SettledFirst | FailureRecord> {
  progress.enter('settling');
  const { target, steps } = request.targetPlan;
  const firstStep = steps.find((step) => step.kind === 'action');
  const nowMs = Date.now();
  const sent = clearAtMs > nowMs ? 'unknown' : 'no';
  const { limits, deadlineAtMs } = request;
  const settled = await settleTarget(
    {
      target,
      action: null,
      before: { ...firstBaseline(reading), observation: null },
      left: endedAs(nothingKnown(sent, { nowMs, clearAtMs, decidedAtMs: nowMs }), { kind: 'succeeded' }),
      prior: null,
      readInRunId,
      deadlineAtMs: Math.min(deadlineAtMs, nowMs + (firstStep?.deadlineMs ?? 0) + unseenAttemptMs(limits)),
      verify: { withinMs: 0, stableMs: 0 },
      verifyAfterCancel: false,
      limits,
    },
    `settle ${target.path} before the first step`,
  );
  const ending = endingOf(settled);
  if (ending.kind === 'succeeded' && settled.seen !== null) return { ...settled, seen: settled.seen };
  const why = 'message' in ending ? ending.message : 'no reading succeeded';
  return failureRecord('failure' in ending ? ending.failure : 'TargetBusy', why);
}

function firstBaseline(observation: Observation, readInRunId?: string): Baseline {
  const { lastJobId } = observation;
  return {
    observation,
    lastJobId,
    knownCloudJobIds: lastJobId === null ? [] : [lastJobId],
    ...(readInRunId === undefined ? {} : { readInRunId }),
  };
}
