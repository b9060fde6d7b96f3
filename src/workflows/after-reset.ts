/**
 * What a reset of the workflow changes: whether a cancel may shorten a wait, and whether a step was decided on before it. Where the answer decides
 * which commands follow, it is kept in the history: a replay after the next reset must find the run that decided, not the run that replays.
 */
import { CancellationScope, patched, workflowInfo } from '@temporalio/workflow';
import type { Baseline } from '../domain/contract.js';
import { currentRunId } from './proxies.js';

/** Histories from before this patch have no record of the run that decided. */
const RECORDED_RUN = 'recorded-run';

/**
 * After a reset of this workflow a cancel does not shorten the wait: an attempt from before it may still send.
 *
 * No marker: the SDK's replayer (1.24) takes the original run's id for the run's own, so a history with one could not be replayed there.
 */
export function shieldedAfterReset<Value>(wait: () => Promise<Value>): Promise<Value> {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId === originalExecutionRunId ? wait() : CancellationScope.nonCancellable(wait);
}

/** The run that decided on what follows from this baseline. */
export function decidedInRunId({ readInRunId }: Baseline): string {
  return readInRunId ?? workflowInfo().originalExecutionRunId;
}

/**
 * After a reset to before a step was scheduled, an attempt from before the reset may still be carrying the step out. A replay can find another
 * answer, so no command may depend on it.
 */
export function isDecidedBeforeReset(baseline: Baseline): boolean {
  return decidedInRunId(baseline) !== workflowInfo().runId;
}

/** The same, recorded, for the rare steps where commands depend on it: a marker in the history of the target. A cancel does not reach it. */
export async function wasDecidedBeforeReset(baseline: Baseline): Promise<boolean> {
  if (!patched(RECORDED_RUN)) return isDecidedBeforeReset(baseline);
  const { originalExecutionRunId } = workflowInfo();
  const runId = await CancellationScope.nonCancellable(() => currentRunId(originalExecutionRunId));
  return decidedInRunId(baseline) !== runId;
}
