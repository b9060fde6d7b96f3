/** The longest reports and progress that a plan's run can have, from which its sizes are computed. Pure. */
import { FAILURES, longestAdvice, type FailureName, type FailureRecord } from '../failures.js';
import { LONGEST } from '../report/cut-report.js';
import type { StepProgress } from '../report/progress.js';
import type { ApprovalReport, ApprovalVote, RunReport, StepReport, TargetReport } from '../report/report.js';
import { targetReport } from '../report/target-report.js';
import { LONGEST_SHOWN } from '../sizes.js';
import { LONGEST_ARGUMENT } from '../steering/commands.js';
import type { Action } from '../target/actions.js';
import { leaseId, type Observation } from '../target/target.js';
import type { ActionStep, ApprovalRules, Plan, PlannedStep, TargetPlan } from './plan.js';

/** The shortest reading. */
export const NOTHING_SEEN: Observation = {
  observedAtMs: 0,
  status: '',
  version: null,
  replicaCount: null,
  availableReplicaCount: null,
  hosts: null,
  lastJobId: null,
  lastJobStatus: null,
  failDetail: null,
};
const TIME_MS = 4_102_444_800_000;
const UUID = '00000000-0000-4000-8000-000000000000';

/** The run's longest report if no target has room for its steps. */
export function worstRunReport(plan: Plan): RunReport {
  return {
    reportVersion: 1,
    runbook: plan.runbook,
    workflowId: filler(LONGEST.id),
    runId: UUID,
    outcome: 'compensationFailed',
    summary: filler(LONGEST.sentence),
    planHash: filler(64),
    requestedBy: plan.requestedBy,
    reason: plan.reason,
    startedAtMs: TIME_MS,
    endedAtMs: TIME_MS,
    targets: plan.targets.map((target) => worstReport({ ...target, steps: [] })),
    notStarted: [],
    ...(plan.approval === undefined ? {} : { approval: worstApproval(plan.approval) }),
    ...(plan.resumes === undefined ? {} : { resumes: { workflowId: plan.resumes.workflowId, runId: UUID } }),
    failure: worstFailure(LONGEST.sentence),
  };
}

/** A target's longest report: every step and every undo failed, and every effect remains. */
export function worstReport({ target, steps, leftOut = [] }: TargetPlan): TargetReport {
  const { path, instanceId } = target;
  const actions = steps.filter((step): step is ActionStep => step.kind === 'action');
  const seen = { ...NOTHING_SEEN, status: filler(LONGEST.id), failDetail: filler(LONGEST.text), hosts: HOSTS };
  const required = { path, instanceId, leaseId: leaseId(target), outcome: 'compensationFailed' } as const;
  return targetReport(required, {
    childRunId: UUID,
    ...(leftOut.length === 0 ? {} : { checksLeftOut: leftOut }),
    steps: steps.map(worstStep),
    compensations: actions.map((step) => ({ ...worstStep(step), id: `undo-${step.id}`, action: worstUndo(step) })),
    remaining: actions.map(({ id, action }) => ({
      stepId: id,
      action,
      why: filler(LONGEST.why - 2),
      kind: 'irreversible',
    })),
    lastSeen: {
      ...seen,
      version: filler(LONGEST.id),
      lastJobId: filler(LONGEST.id),
      lastJobStatus: filler(LONGEST.id),
    },
  });
}

function worstStep(step: PlannedStep): StepReport {
  return {
    id: step.id,
    action: step.kind === 'action' ? step.action : null,
    result: 'indeterminate',
    sent: 'unknown',
    cloudJobId: filler(LONGEST.id - 2),
    cloudJobTook: { runningAtMs: TIME_MS, endedByMs: TIME_MS },
    notHeld: true,
    usual: { p50Ms: TIME_MS, p90Ms: TIME_MS, jobs: 1_000_000 },
    startedAtMs: TIME_MS,
    endedAtMs: TIME_MS,
    before: null,
    after: null,
    attempts: 1_000_000,
    trail: [],
    ...(step.kind === 'approval' ? { approval: worstApproval(step) } : {}),
    failure: worstFailure(LONGEST.why - 2),
  };
}

/** The longest report of an approval: as many people as one can need, and one who rejects. */
function worstApproval({ need, roles, notRequester }: ApprovalRules): ApprovalReport {
  const vote: ApprovalVote = {
    command: 'approve',
    actor: filler(LONGEST_ARGUMENT.actor),
    reason: filler(LONGEST.why),
    atMs: TIME_MS,
    roles,
    signedBy: filler(LONGEST_ARGUMENT.actor),
  };
  const votes = Array.from({ length: need + 1 }, () => vote);
  return { result: 'cancelled', need, roles, notRequester, askedAtMs: TIME_MS, endedAtMs: TIME_MS, votes };
}

/** As many as a short form keeps, and one for the rest. */
const HOSTS = Array.from({ length: 21 }, () => filler(LONGEST.id - 2));

function worstUndo({ action, compensation }: ActionStep): Action {
  if (compensation.kind === 'action') return compensation.action;
  return action.action === 'scale' ? { action: 'scale', replica: 1_000_000, hosts: HOSTS } : { action: 'start' };
}

/** The failure with the longest name and advice. */
function worstFailure(messageBytes: number): FailureRecord {
  const names = Object.keys(FAILURES) as FailureName[];
  const name = names.reduce((longest, each) => (each.length > longest.length ? each : longest));
  return { name, message: filler(messageBytes), advice: longestAdvice() };
}

/** How far a target has come, with the longest texts in each step. */
export function worstProgress({ steps }: TargetPlan): StepProgress[] {
  return steps.map(({ id }): StepProgress => ({
    id,
    title: filler(LONGEST_SHOWN.title),
    state: 'indeterminate',
    startedAtMs: TIME_MS,
    endedAtMs: TIME_MS,
    cloudJobId: filler(LONGEST.id),
    seen: filler(LONGEST_SHOWN.seen),
    failure: filler(LONGEST_SHOWN.failure),
    usual: { p50Ms: TIME_MS, p90Ms: TIME_MS, jobs: 1_000_000 },
  }));
}

function filler(length: number): string {
  return 'x'.repeat(length);
}
