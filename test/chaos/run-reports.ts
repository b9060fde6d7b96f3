/** What a run tells: an outcome that follows from its targets, and of the instance what the holder of its lease told. */
import type { RunEvidence, SceneEvidence } from './evidence.js';
import { runOutcomeOf } from './outcomes.js';

/** Every closed run that nobody terminated has a report. One sentence for each thing wrong with it. */
export function runReportProblems(run: RunEvidence, scene: SceneEvidence): readonly string[] {
  const { workflowId, status, report } = run;
  if (status === 'RUNNING' || status === 'TERMINATED') return [];
  if (report === null) return [`run ${workflowId} closed ${status} without a report`];
  const wasCancelled = run.cancelRequestedAtMs !== null;
  const expected = runOutcomeOf(report.targets, report.failure !== undefined, wasCancelled);
  const expectedStatus =
    expected === 'succeeded' ? 'COMPLETED' : expected === 'cancelled' && wasCancelled ? 'CANCELLED' : 'FAILED';
  return [
    ...(report.outcome === expected
      ? []
      : [`run ${workflowId} says ${report.outcome}; by its targets it is ${expected}`]),
    ...(status === expectedStatus ? [] : [`run ${workflowId} is ${expected} and closed ${status}`]),
    ...toldByItsHolder(run, scene),
  ];
}

/** What a run tells of the instance is what the holder of the lease told, or that this holder was lost. */
function toldByItsHolder(
  { workflowId, report }: RunEvidence,
  { holders, instanceId }: SceneEvidence,
): readonly string[] {
  const own = holders.filter(({ parentWorkflowId }) => parentWorkflowId === workflowId);
  const told = report?.targets.find((target) => target.instanceId === instanceId);
  if (own.length === 0) {
    const acted = [...(told?.steps ?? []), ...(told?.compensations ?? [])].length > 0;
    return acted ? [`run ${workflowId} reports steps and never held the lease`] : [];
  }
  const lost = own.some(({ report: ofHolder }) => ofHolder === null);
  if (told === undefined) return lost ? [] : [`run ${workflowId} held the lease and does not report the instance`];
  if (own.some((holder) => JSON.stringify(holder.report) === JSON.stringify(told))) return [];
  const saysLost = told.outcome === 'indeterminate' && told.steps.length === 0;
  return lost && saysLost
    ? []
    : [`run ${workflowId} reports the instance otherwise than the holder of the lease (${told.outcome})`];
}
