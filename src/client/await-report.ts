/** Waits for the report of a run, or reads it, wherever it is stored. */
import { WorkflowFailedError } from '@temporalio/client';
import { isReport, reportInFailure } from '../domain/report/find-report.js';
import type { RunReport } from '../domain/report/report.js';
import { toClientError } from '../temporal/calls.js';
import { NoReport } from '../temporal/errors.js';
import { awaitEnd, type WaitCall } from './await-end.js';
import { reportInMemo, wholeReport } from './read-report.js';

/** Which run's report to read, and how. */
export interface ReportCall extends WaitCall {
  readonly callTimeoutMs: number;
}

/** Waits for the end. @throws RunNotFound, NoReport, ServerUnreachable, ClientClosed, the signal's reason */
export async function awaitReport(call: ReportCall): Promise<RunReport> {
  // A cancelled run has its report only in its memo.
  const stored = (await reportInResult(call)) ?? (await storedReport(call));
  if (stored === null) throw new NoReport(call.workflowId);
  return completed(stored, call);
}

/** Does not wait. @returns `null` if the run has none yet. @throws RunNotFound, ServerUnreachable, ClientClosed */
export async function readReport(call: ReportCall): Promise<RunReport | null> {
  const stored = await storedReport(call);
  return stored === null ? null : completed(stored, call);
}

function completed(stored: RunReport, call: ReportCall): Promise<RunReport> {
  return wholeReport(stored, (workflowId, runId) => awaitEnd({ ...call, workflowId, runId }));
}

async function storedReport({ calls, callTimeoutMs, workflowId, runId }: ReportCall): Promise<RunReport | null> {
  try {
    const handle = calls.client.workflow.getHandle(workflowId, runId);
    return reportInMemo(await calls.interruptible(callTimeoutMs, undefined, () => handle.describe()));
  } catch (error) {
    throw toClientError(error, workflowId);
  }
}

/** The report that a run returned or failed with; `null` if there is none. */
async function reportInResult(wait: WaitCall): Promise<RunReport | null> {
  try {
    const result = await awaitEnd(wait);
    return isReport(result) ? result : null;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return reportInFailure(error);
  }
}
