/** What a run is, and what it waits for, in one answer for programs that ask now and then. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { TARGET_RUN_WORKFLOW } from '../domain/contract.js';
import { ALARM_RULE_WORKFLOW } from '../domain/alarms/alarm.js';
import { describeWaiting } from '../domain/gates/gates.js';
import { describeAbort, describeBlocked, describePause } from '../domain/report/progress-markdown.js';
import type { RunProgress } from '../domain/report/progress.js';
import type { RunReport } from '../domain/report/report.js';
import { describeApproval } from '../domain/steering/approvals.js';
import { toClientError } from '../temporal/calls.js';
import { NoWorkerAnswers, RunNotFound, RunPaused } from '../temporal/errors.js';
import { listedRun, type ListedRun } from './list-runs.js';
import { reportInMemo } from './read-report.js';
import { takeSnapshot, type SnapshotCall } from './watch-run.js';

/** The state of a run. Times are epoch milliseconds. */
export interface RunStatus extends ListedRun {
  /** What it waits for besides its cloud jobs, in words: a person, a gate, a worker. Empty if it works or has ended. */
  readonly waitsFor: readonly string[];
  /** Its report once it has ended, as the memo of the run keeps it: `cut` shows what a long one leaves out. `null` if it has none. */
  readonly report: RunReport | null;
}

/** Which run to read, and the task queue that it must be on. */
export interface StatusCall extends Omit<SnapshotCall, 'runId' | 'signal'> {
  readonly taskQueue: string;
}

/** Other workflows on our task queue. */
const NOT_RUNS: readonly string[] = [TARGET_RUN_WORKFLOW, ALARM_RULE_WORKFLOW];

/** @throws RunNotFound, also for every workflow that is not a run of this task queue; ServerUnreachable, AccessDenied */
export async function readStatus(call: StatusCall): Promise<RunStatus> {
  const described = await describeRun(call);
  // A caller who asks for one run wants to know of its trouble, however long ago it ended.
  const run = listedRun(described, 0);
  return {
    ...run,
    waitsFor: run.open ? await readWaiting({ ...call, runId: run.runId, signal: undefined }) : [],
    report: run.open ? null : reportInMemo(described),
  };
}

async function describeRun({
  calls,
  callTimeoutMs,
  workflowId,
  taskQueue,
}: StatusCall): Promise<WorkflowExecutionDescription> {
  try {
    const described = await calls.interruptible(callTimeoutMs, undefined, () =>
      calls.client.workflow.getHandle(workflowId).describe(),
    );
    if (described.taskQueue === taskQueue && !NOT_RUNS.includes(described.type)) return described;
  } catch (error) {
    throw toClientError(error, workflowId);
  }
  throw new RunNotFound(workflowId);
}

/** @throws ServerUnreachable, AccessDenied */
async function readWaiting(call: SnapshotCall): Promise<readonly string[]> {
  try {
    return waitsFor((await takeSnapshot(call)).run);
  } catch (error) {
    if (error instanceof NoWorkerAnswers || error instanceof RunPaused) return [error.message];
    throw error;
  }
}

/** What a run waits for, in words: `shop/checkout/prod-1: blocked at restart, until 2026-12-01T04:00:00Z: Indeterminate: …`. */
export function waitsFor({ pause, abort, approval, waiting, targets }: RunProgress): readonly string[] {
  return [
    ...(abort === undefined ? [] : [describeAbort(abort)]),
    ...(pause === undefined ? [] : [describePause(pause)]),
    ...(approval === undefined ? [] : [describeApproval(approval)]),
    ...(waiting === undefined ? [] : [describeWaiting(waiting)]),
    ...targets.flatMap(({ path, blocked, approval: ofStep }) => [
      ...(blocked === undefined ? [] : [`${path}: ${describeBlocked(blocked)}`]),
      ...(ofStep === undefined ? [] : [`${path}: ${describeApproval(ofStep)}`]),
    ]),
  ];
}
