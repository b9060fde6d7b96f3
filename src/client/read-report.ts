/**
 * Where a run's report is: result → details of the failure → memo. A cancelled workflow carries neither of the first two. What does not fit
 * there stands in the results of its targets' own workflows.
 */
import { WorkflowFailedError, WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import { REPORT_MEMO } from '../domain/contract.js';
import type { RunReport, TargetReport } from '../domain/report/report.js';
import { RunNotFound } from '../temporal/errors.js';

/** Gives what one certain execution returned, which has ended. @throws WorkflowFailedError, WorkflowNotFoundError or RunNotFound, and others */
export type ReadResult = (workflowId: string, runId: string) => Promise<unknown>;

/** Chosen: a hundred targets take a second, and a server is not flooded. */
const READ_TOGETHER = 20;

export function isReport(value: unknown): value is RunReport {
  return typeof value === 'object' && value !== null && 'reportVersion' in value && 'outcome' in value;
}

export function reportInMemo({ memo }: Pick<WorkflowExecutionDescription, 'memo'>): RunReport | null {
  const report = memo?.[REPORT_MEMO];
  return isReport(report) ? report : null;
}

/** The report in the details of a failure, however deep it is wrapped. */
export function reportInFailure(error: unknown): RunReport | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const details: unknown = 'details' in cause && Array.isArray(cause.details) ? cause.details[0] : undefined;
    if (isReport(details)) return details;
  }
  return null;
}

/**
 * The whole report of a run that has ended, from what its memo or its result holds. What is cut there is read from the result of the run, then
 * from those of its targets; it stays cut where the namespace no longer keeps them. @throws what `read` throws for other reasons
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
  const isWhole = left.targets + left.gates + left.dropped === 0;
  return { ...rest, targets, ...(isWhole ? {} : { cut: left }) };
}

/** As `wholeReport`, for the one target with this lease: at most two are read, and what is cut elsewhere stays so. @throws as `wholeReport` */
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

/** What a target's own workflow reported, where the run's report has it cut. @throws what `read` throws, unless the workflow is gone */
async function wholeTarget(target: TargetReport, read: ReadResult): Promise<TargetReport> {
  const { cut, leaseId, childRunId } = target;
  if (cut === undefined || cut === 'trails' || childRunId === undefined) return target;
  try {
    const own = await read(leaseId, childRunId);
    return isTargetReport(own) ? own : target;
  } catch (error) {
    if (isGone(error) || error instanceof WorkflowFailedError) return target;
    throw error;
  }
}

/** Of the run's result or failure: the memo has less room. */
async function longerReport({ workflowId, runId }: RunReport, read: ReadResult): Promise<RunReport | null> {
  try {
    const result = await read(workflowId, runId);
    return isReport(result) ? result : null;
  } catch (error) {
    if (isGone(error)) return null;
    if (error instanceof WorkflowFailedError) return reportInFailure(error);
    throw error;
  }
}

function isTargetReport(value: unknown): value is TargetReport {
  return typeof value === 'object' && value !== null && 'leaseId' in value && 'steps' in value;
}

function isGone(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || error instanceof RunNotFound;
}
