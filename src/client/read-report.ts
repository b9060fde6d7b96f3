/** Where a run's report is: result → details of the failure → memo. A cancelled workflow carries neither of the first two. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { REPORT_MEMO } from '../domain/contract.js';
import type { RunReport } from '../domain/report.js';

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
