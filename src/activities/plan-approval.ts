/** The approvals and emergencies of a plan, and why a start does not fit them. Pure. */
import type { StartArguments } from '../domain/contract.js';
import type { Problem } from '../domain/failures.js';
import { approvalRules } from '../domain/plan/plan-steps.js';
import type { Plan, TargetPlan } from '../domain/plan/plan.js';
import { approvalOfRun } from '../domain/plan/run-approval.js';
import type { RunbookApproval } from '../domain/runbook/approval-shape.js';
import type { Runbook } from '../domain/runbook/runbook.js';
import { isApprovalStep, stepIds } from '../domain/runbook/step-shapes.js';
import type { ActivityDependencies } from './dependencies.js';

/** A start cannot guard what waits for nothing. */
export function emergencyProblems({ emergency, name }: Runbook, start: StartArguments): Problem[] {
  if (emergency !== true) return [];
  const given = (['window', 'freeze', 'waitAtMost'] as const).filter((key) => start[key] !== undefined);
  return given.map((key) => ({
    code: 'invalid-arguments',
    place: key,
    found: `${name} is for emergencies and waits for nothing`,
    remedy: 'Leave it out',
  }));
}

/** The guard, and the issuer that signs approvals. A step that a resumed run leaves out as done was approved for another plan: it is asked of the whole run. */
export function plannedApproval(
  { guards, steps }: Runbook,
  { approvers }: ActivityDependencies,
  targets: readonly TargetPlan[],
): Pick<Plan, 'approval' | 'approvalIssuer'> {
  const ids = stepIds(steps);
  const asking = steps.flatMap((step, index) =>
    isApprovalStep(step) ? [{ id: ids[index] ?? '', approval: step.approval }] : [],
  );
  const approval = approvalOfRun<RunbookApproval>(guards?.approval, asking, targets);
  const isAsked = approval !== undefined || asking.length > 0;
  return {
    ...(approval === undefined ? {} : { approval: approvalRules(approval) }),
    ...(isAsked && approvers !== null ? { approvalIssuer: approvers.issuer } : {}),
  };
}

/** No one could approve the run: it would not be known whether they had requested it. */
export function requesterProblems({ guards, steps }: Runbook, { requestedBy }: StartArguments): Problem[] {
  const asked = [guards?.approval, ...steps.filter(isApprovalStep).map(({ approval }) => approval)];
  if (requestedBy !== undefined || !asked.some((approval) => approval?.notRequester === true)) return [];
  return [
    {
      code: 'invalid-arguments',
      place: 'requestedBy',
      found: 'it is missing, and the requester cannot approve the run',
      remedy: 'Say who requests it, or write notRequester: false in the approval',
    },
  ];
}
