/** The report of a run: its outcome follows from its targets, and for the instance it repeats the report of the lease holder. */
import type { RunEvidence, SceneEvidence } from './evidence.js';
import { runOutcomeOf } from './outcomes.js';

/** Every closed run has a report, unless it was terminated. One sentence for each problem. */
export function runReportProblems(run: RunEvidence, scene: SceneEvidence): readonly string[] {
  const { workflowId, status, report } = run;
  if (status === 'RUNNING' || status === 'TERMINATED') return [];
  if (report === null) return [`run ${workflowId} closed ${status} without a report`];
  const isAborted = run.steered.accepted.some(({ command }) => command === 'abort');
  const wasCancelled = run.cancelRequestedAtMs !== null || isAborted;
  const ofTargets = runOutcomeOf(report.targets, report.failure !== undefined, wasCancelled);
  const expected = report.approval?.result === 'expired' && !wasCancelled ? 'expired' : ofTargets;
  const expectedStatus =
    expected === 'succeeded' ? 'COMPLETED' : expected === 'cancelled' && !isAborted ? 'CANCELLED' : 'FAILED';
  return [
    ...(report.outcome === expected
      ? []
      : [`run ${workflowId} reports ${report.outcome}; by its targets it is ${expected}`]),
    ...(status === expectedStatus ? [] : [`run ${workflowId} is ${expected}, but closed ${status}`]),
    ...holderReportProblems(run, scene),
  ];
}

/** A run reports for the instance what the holder of the lease reported, or that this holder was lost. */
function holderReportProblems(
  { workflowId, report }: RunEvidence,
  { holders, instanceId }: SceneEvidence,
): readonly string[] {
  const own = holders.filter(({ parentWorkflowId }) => parentWorkflowId === workflowId);
  const reported = report?.targets.find((target) => target.instanceId === instanceId);
  if (own.length === 0) {
    const acted = [...(reported?.steps ?? []), ...(reported?.compensations ?? [])].length > 0;
    return acted ? [`run ${workflowId} reports steps, but never held the lease`] : [];
  }
  const lost = own.some(({ report: ofHolder }) => ofHolder === null);
  if (reported === undefined) return lost ? [] : [`run ${workflowId} held the lease, but does not report the instance`];
  if (own.some((holder) => JSON.stringify(holder.report) === JSON.stringify(reported))) return [];
  const reportsLost = reported.outcome === 'indeterminate' && reported.steps.length === 0;
  return lost && reportsLost
    ? []
    : [`run ${workflowId} reports the instance differently from the holder of the lease (${reported.outcome})`];
}
