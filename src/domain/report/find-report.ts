/** Finds the report of a run in what a workflow returned, or in the error that it ended with. Pure. */
import type { RunReport } from './report.js';

/** True for a report, which may be the result of any workflow. */
export function isReport(value: unknown): value is RunReport {
  return typeof value === 'object' && value !== null && 'reportVersion' in value && 'outcome' in value;
}

/** The report in the details of a failure, however deeply it is wrapped; `null` if there is none. */
export function reportInFailure(error: unknown): RunReport | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const details: unknown = 'details' in cause && Array.isArray(cause.details) ? cause.details[0] : undefined;
    if (isReport(details)) return details;
  }
  return null;
}
