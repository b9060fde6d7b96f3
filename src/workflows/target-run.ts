/** `targetRun`: everything that happens to one instance. Its workflow id is the lease on the instance, so that only one can be open. */
import { CancellationScope, defineQuery, setHandler, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { PROGRESS_QUERY, type Baseline, type TargetRunArguments } from '../domain/contract.js';
import { boundedTargetReport } from '../domain/report/cut-report.js';
import type { TargetReport } from '../domain/report/report.js';
import type { TargetProgress } from '../domain/report/progress.js';
import { isUndoDue } from '../domain/report/steps-result.js';
import { reportOfTarget, type TargetEnd } from '../domain/report/target-report.js';
import { MOST_TARGETS, targetReportBytes } from '../domain/sizes.js';
import { leaseId } from '../domain/target/target.js';
import { captureAtRest } from './capture.js';
import { compensate, NOTHING_UNDONE } from './compensate.js';
import { executeSteps, type People } from './execute-steps.js';
import { invalidStart } from './failure.js';
import { TargetProgressView } from './target-progress.js';
import { TargetApprovals } from './target-approval.js';
import { TargetSteering } from './target-steering.js';

const targetProgressQuery = defineQuery<TargetProgress>(PROGRESS_QUERY);

/**
 * @returns the report, also if a step failed or the run was cancelled
 * @throws `InvalidStart`, so that the workflow closes Failed, only if it was started in a way that bypasses the lease
 */
export async function targetRun(request: TargetRunArguments): Promise<TargetReport> {
  requireLeaseParent(request);
  const scope = CancellationScope.current();
  const progress = new TargetProgressView(request.targetPlan);
  setHandler(targetProgressQuery, () => progress.current);
  const steering = new TargetSteering(request, progress);
  const approvals = new TargetApprovals(request, steering);

  const captured = await captureAtRest(request, progress);
  const end =
    captured.kind === 'captured'
      ? await actOn(request, captured.baseline, { progress, steering, approvals })
      : { ...NOTHING_DONE, failure: captured.kind === 'failed' ? captured.failure : null };
  const cancelRequested = captured.kind === 'cancelled' || scope.consideredCancelled;
  const report = reportOfTarget(request.targetPlan, { ...end, cancelRequested, childRunId: workflowInfo().runId });
  progress.finished(report.outcome);
  return boundedTargetReport(report, request.reportBytes ?? targetReportBytes(MOST_TARGETS));
}

/**
 * A target ends on the version of the workers that began it: one version decides, acts and undoes, and a version that is taken back
 * never has to replay what a newer one did. Temporal refuses this of a worker without a version, so a target that such a worker
 * began moves with the others.
 */
setWorkflowOptions(
  () =>
    (workflowInfo().currentDeploymentVersion?.deploymentName ?? '') === '' ? {} : { versioningBehavior: 'PINNED' },
  targetRun,
);

/** The lease holds only while every way to an instance goes through it. */
function requireLeaseParent(request: TargetRunArguments | undefined): void {
  const { parent, workflowId } = workflowInfo();
  if (parent === undefined) throw invalidStart('Only a run starts targetRun. Start the runbook by its own name');
  const expected = request?.targetPlan?.target === undefined ? 'nothing' : leaseId(request.targetPlan.target);
  if (workflowId !== expected) throw invalidStart(`targetRun for ${expected} cannot have the id ${workflowId}`);
}

/** What came of acting on the target. */
type ActResult = Omit<TargetEnd, 'cancelRequested' | 'childRunId'>;
const NOTHING_DONE = { ...NOTHING_UNDONE, steps: [], captured: null } as const;

async function actOn(request: TargetRunArguments, captured: Baseline, people: People): Promise<ActResult> {
  const scope = CancellationScope.current();
  const { progress } = people;
  const result = await executeSteps(request, captured, people);
  const isDue = isUndoDue(result, request.onCancel, scope.consideredCancelled);
  const undone = isDue ? await compensate(result, request, progress) : NOTHING_UNDONE;
  return { ...undone, steps: result.steps, captured: captured.observation, failure: null };
}
