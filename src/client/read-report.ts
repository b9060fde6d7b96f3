/**
 * Finds a run's report: in its result, else in the details of its failure, else in its memo; a cancelled workflow
 * has only the memo. What does not fit there is in the results of the targets' own workflows.
 */
import { WorkflowFailedError, WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import { REPORT_MEMO } from '../domain/contract.js';
import { isReport, reportInFailure } from '../domain/report/find-report.js';
import type { RunReport, TargetReport } from '../domain/report/report.js';
import { RunNotFound } from '../temporal/errors.js';

/**
 * Returns the result of one workflow execution that has ended.
 * @throws WorkflowFailedError, WorkflowNotFoundError or RunNotFound, and others
 */
export type ReadResult = (workflowId: string, runId: string) => Promise<unknown>;

/** Chosen: a hundred targets take a second, and the server is not flooded. */
const READ_TOGETHER = 20;

/** The report in a workflow's memo; `null` if there is none. */
export function reportInMemo({ memo }: Pick<WorkflowExecutionDescription, 'memo'>): RunReport | null {
  const report = memo?.[REPORT_MEMO];
  return isReport(report) ? report : null;
}

/**
 * The complete report of a run that has ended. What `stored` (from memo or result) leaves out is read from the run's
 * result and from those of its targets; it stays cut if the namespace no longer keeps them.
 * @throws what `read` throws for other reasons
 */
export async function wholeReport(stored: RunReport, read: ReadResult): Promise<RunReport> {
  if (stored.cut === undefined) return stored;
  const report = (await longerReport(stored, read)) ?? stored;
  if (report.cut === undefined) return report;
  const targets: TargetReport[] = [];
  for (let at = 0; at < report.targets.length; at += READ_TOGETHER) {
    const together = report.targets.slice(at, at + READ_TOGETHER);
    targets.push(...(await Promise.all(together.map((target) => wholeTarget(target, read)))));
  }
  const { cut, ...rest } = report;
  const left = { ...cut, targets: targets.filter((target) => target.cut !== undefined).length };
  const isWhole = left.targets + left.gates + left.dropped + (left.commands ?? 0) + (left.notifications ?? 0) === 0;
  return { ...rest, targets, ...(isWhole ? {} : { cut: left }) };
}

/**
 * Like `wholeReport`, but only for the target with this lease: reads at most two results and leaves the other
 * targets cut.
 * @throws as `wholeReport`
 */
export async function withWholeTarget(stored: RunReport, leaseId: string, read: ReadResult): Promise<RunReport> {
  const named = ({ targets }: RunReport) => targets.find((target) => target.leaseId === leaseId);
  const isWhole = named(stored) === undefined ? (stored.cut?.dropped ?? 0) === 0 : named(stored)?.cut === undefined;
  if (isWhole) return stored;
  const report = stored.cut === undefined ? stored : ((await longerReport(stored, read)) ?? stored);
  const target = named(report);
  if (target === undefined) return report;
  const whole = await wholeTarget(target, read);
  return { ...report, targets: report.targets.map((each) => (each === target ? whole : each)) };
}

/**
 * What a target's own workflow reported, if the run's report shortens it.
 * @throws what `read` throws, unless the workflow no longer exists
 */
async function wholeTarget(target: TargetReport, read: ReadResult): Promise<TargetReport> {
  const { cut, leaseId, childRunId } = target;
  if (cut === undefined || cut === 'trails' || childRunId === undefined) return target;
  try {
    const own = await read(leaseId, childRunId);
    return isTargetReport(own) ? own : target;
  } catch (error) {
    if (isMissing(error) || error instanceof WorkflowFailedError) return target;
    throw error;
  }
}

/** The report in the run's result or failure, which has more room than the memo. */
async function longerReport({ workflowId, runId }: RunReport, read: ReadResult): Promise<RunReport | null> {
  try {
    const result = await read(workflowId, runId);
    return isReport(result) ? result : null;
  } catch (error) {
    if (isMissing(error)) return null;
    if (error instanceof WorkflowFailedError) return reportInFailure(error);
    throw error;
  }
}

function isTargetReport(value: unknown): value is TargetReport {
  return typeof value === 'object' && value !== null && 'leaseId' in value && 'steps' in value;
}

function isMissing(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || error instanceof RunNotFound;
}
