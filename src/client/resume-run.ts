/** Makes the request of a run that resumes what an earlier one left undone, from that run's report. */
import type { RunReport } from '../domain/report/report.js';
import { targetsLeft } from '../domain/plan/earlier-run.js';
import { InvalidRequest, NoReport } from '../temporal/errors.js';
import type { StartOptions } from './start-request.js';

/** How to resume a run. Its inputs and calendars continue to count; its window does not. */
export interface ResumeOptions extends Omit<StartOptions, 'targets' | 'resumes'> {
  /** Default: every target that did not succeed. */
  readonly targets?: readonly string[] | undefined;
  /** One execution of the workflow id. Default: the newest. It matters only for runs that were reset. */
  readonly runId?: string | undefined;
}

/** A start that resumes a run: give both to `start` or `plan`. */
export interface Resumption {
  readonly runbook: string;
  readonly request: StartOptions;
}

/** What is known of the earlier run. */
export interface EarlierRunSeen {
  readonly runbook: string;
  readonly runId: string;
  /** True if it is in progress. */
  readonly open: boolean;
  /** `null` if it left none. */
  readonly report: RunReport | null;
}

/** @throws NoReport, InvalidRequest if it is in progress or nothing is left to do */
export function resumptionOf(workflowId: string, earlier: EarlierRunSeen, options: ResumeOptions): Resumption {
  const { runbook, runId, open, report } = earlier;
  if (open) throw impossible(workflowId, 'run-still-open', 'it is still in progress', 'Wait for its end, or stop it');
  if (report === null) throw new NoReport(workflowId);
  const { targets = targetsLeft(report), runId: _runId, ...rest } = options;
  if (targets.length === 0)
    throw impossible(
      workflowId,
      'nothing-to-resume',
      `it ended ${report.outcome}, and no target of it is left`,
      `Start again: runbook start ${runbook}`,
    );
  return { runbook, request: { ...rest, targets, resumes: { workflowId, runId } } };
}

function impossible(workflowId: string, code: string, found: string, remedy: string): InvalidRequest {
  return new InvalidRequest([{ code, place: `run ${workflowId}`, found, remedy }]);
}
