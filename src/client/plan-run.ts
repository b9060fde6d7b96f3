/** Plans a run without starting it: a worker plans, with live reads, in a workflow that changes nothing. */
import { TimeoutFailure, WorkflowFailedError } from '@temporalio/client';
import type { StartArguments } from '../domain/contract.js';
import type { Plan } from '../domain/plan/plan.js';
import { reportInFailure } from '../domain/report/find-report.js';
import { describeDuration } from '../domain/time/duration.js';
import { toClientError, type Calls } from '../temporal/calls.js';
import { PlanRefused } from '../temporal/errors.js';
import { awaitEnd } from './await-end.js';
import { newRunId } from './run-id.js';

/** Planning takes at most three minutes (`makePlan`); the rest allows a worker to start. */
const PLAN_TIMEOUT_MS = 10 * 60_000;
const END_PLAN_MS = 3_000;

/** One plan, with all that it needs. */
export interface PlanCall {
  readonly calls: Calls;
  readonly taskQueue: string;
  readonly callTimeoutMs: number;
  readonly runbook: string;
  readonly startArguments: StartArguments;
  readonly signal: AbortSignal | undefined;
  /** How long the server may be unreachable, milliseconds. */
  readonly patienceMs: number;
  /** Receives the workflow id once planning has started. */
  readonly onStarted: ((workflowId: string) => void) | undefined;
}

/**
 * Returns the plan. Planning ends when the signal is aborted, or after ten minutes without a worker.
 * @throws PlanRefused, ServerUnreachable, AccessDenied, the signal's reason
 */
export async function planRun(call: PlanCall): Promise<Plan> {
  const { calls, taskQueue, runbook, signal, patienceMs } = call;
  const workflowId = newRunId(`plan-${runbook}`);
  const args = [{ ...call.startArguments, dryRun: true }];
  const start = { workflowId, taskQueue, args, workflowExecutionTimeout: PLAN_TIMEOUT_MS };
  try {
    signal?.throwIfAborted();
    await calls.uninterruptible(call.callTimeoutMs, () => calls.client.workflow.start(runbook, start));
    call.onStarted?.(workflowId);
    return (await awaitEnd({ calls, workflowId, runId: undefined, signal, patienceMs })) as Plan;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) await endPlan(calls, workflowId);
    const report = reportInFailure(error);
    if (report !== null) throw new PlanRefused(report.failure?.message ?? report.summary, { cause: error });
    if (error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure)
      throw new PlanRefused(`No worker planned the run within ${describeDuration(PLAN_TIMEOUT_MS)}`, { cause: error });
    throw toClientError(error, workflowId);
  }
}

/**
 * Terminates planning that its caller no longer waits for. It changes nothing, and a cancel would have to wait for a
 * worker.
 */
async function endPlan(calls: Calls, workflowId: string): Promise<void> {
  const handle = calls.client.workflow.getHandle(workflowId);
  // If it cannot be ended now, its own timeout ends it.
  await calls
    .uninterruptible(END_PLAN_MS, () => handle.terminate('the caller no longer waits for this plan'))
    .catch(() => {});
}
