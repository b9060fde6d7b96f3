/** `run`: the default workflow, whose type name is the runbook's name. Plans, then takes the targets one after another. */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowFailure,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { ALARM_RULE_PREFIX, WITHDRAW_SIGNAL } from '../domain/alarms/alarm.js';
import { OUTCOME_SEARCH_ATTRIBUTE, PROGRESS_QUERY, REPORT_MEMO } from '../domain/contract.js';
import { storedReport } from '../domain/report/cut-report.js';
import { failureRecord, isFailureName, type FailureRecord } from '../domain/failures.js';
import { isGateFailure } from '../domain/gates/gates.js';
import type { Plan, TargetPlan } from '../domain/plan/plan.js';
import type { Outcome, RunProgress, RunReport, TargetReport } from '../domain/report/report.js';
import { MEMO_REPORT_BYTES, RESULT_REPORT_BYTES } from '../domain/sizes.js';
import { LEASE_PREFIX, leaseId } from '../domain/target/target.js';
import { invalidStart, rootCause } from './failure.js';
import { Gates, type Passage } from './gates.js';
import { takeLease, type TargetTimes } from './lease.js';
import { makePlan } from './proxies.js';
import { RunState, type EndedEarly } from './run-state.js';

const runProgressQuery = defineQuery<RunProgress>(PROGRESS_QUERY);

const withdrawSignal = defineSignal<[string]>(WITHDRAW_SIGNAL);

const outcomeKey = defineSearchAttributeKey(OUTCOME_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD);

/** @returns the report, or for `dryRun` the plan; every outcome but `succeeded` closes the run Failed or Cancelled with the report */
export async function run(startArguments: unknown): Promise<RunReport | Plan> {
  const scope = CancellationScope.current();
  const state = new RunState();
  setHandler(runProgressQuery, () => state.progress);
  setHandler(withdrawSignal, (by: unknown) => {
    if (state.withdraw(typeof by === 'string' ? by : 'somebody')) scope.cancel();
  });
  let plan: Plan;
  try {
    plan = await planned(startArguments);
  } catch (error) {
    const cancelled = scope.consideredCancelled;
    const early: EndedEarly = { outcome: 'refused', failure: refusalOf(error) };
    return close(state.report(null, [], cancelled && isCancellation(error) ? undefined : early, cancelled), cancelled);
  }
  if (plan.dryRun) return plan;
  state.begin(plan);
  const gates = new Gates(plan.guards, state);
  const { reports, early } = await takeTargets(plan, state, gates, scope);
  const cancelled = scope.consideredCancelled;
  return close(state.report(plan, reports, early, cancelled, gates.reports), cancelled);
}

async function planned(startArguments: unknown): Promise<Plan> {
  const { workflowId, workflowType } = workflowInfo();
  if (workflowId.startsWith(LEASE_PREFIX))
    throw invalidStart(
      `A run cannot have the id ${workflowId}: ids that begin with ${LEASE_PREFIX} are leases on instances`,
    );
  if (workflowId.startsWith(ALARM_RULE_PREFIX))
    throw invalidStart(
      `A run cannot have the id ${workflowId}: ids that begin with ${ALARM_RULE_PREFIX} are rules of alarms`,
    );
  return await makePlan(workflowType, startArguments);
}

function refusalOf(error: unknown): FailureRecord {
  const { name, message } = rootCause(error);
  return failureRecord(isFailureName(name) ? name : 'Unreachable', message);
}

/** One after another; the first that does not succeed ends it, as does a gate that stays closed, and those not begun are listed. */
async function takeTargets(
  plan: Plan,
  state: RunState,
  gates: Gates,
  scope: CancellationScope,
): Promise<{ reports: readonly TargetReport[]; early?: EndedEarly }> {
  const reports: TargetReport[] = [];
  for (const targetPlan of plan.targets) {
    if (scope.consideredCancelled) break;
    const taken = await takeWhileOpen(plan, targetPlan, { state, gates, scope });
    if (taken.kind === 'cancelled') break;
    if (taken.kind === 'closed') {
      // Without leave to wait, a run that has begun nothing was refused; any other ran out of its time to begin.
      const refused = reports.length === 0 && plan.guards?.waitAtMostMs === null;
      return { reports, early: { outcome: refused ? 'refused' : 'expired', failure: taken.failure } };
    }
    const { report } = taken;
    reports.push(report);
    state.update(targetPlan, { outcome: report.outcome });
    if (report.outcome !== 'succeeded') break;
  }
  return { reports };
}

type Taken = Exclude<Passage, { kind: 'open' }> | { readonly kind: 'taken'; readonly report: TargetReport };

/** A gate that closes before the first action is sent is looked at anew: waited for or not, as at first. */
async function takeWhileOpen(
  plan: Plan,
  targetPlan: TargetPlan,
  { state, gates, scope }: { state: RunState; gates: Gates; scope: CancellationScope },
): Promise<Taken> {
  let closedAtMs = 0;
  for (;;) {
    const passage = await gates.pass(targetPlan.target.path, closedAtMs);
    if (passage.kind !== 'open') return passage;
    if (scope.consideredCancelled) return { kind: 'cancelled' };
    const { closing } = passage;
    const deadlineAtMs = workflowInfo().startTime.getTime() + plan.deadlineMs + gates.waitedMs;
    const report = await takeTarget(plan, targetPlan, { deadlineAtMs, closing }, state);
    if (closing === null || !closedBeforeItBegan(report)) return { kind: 'taken', report };
    closedAtMs = closing.atMs;
    gates.foundClosed(targetPlan.target.path, closing);
    if (state.leaveTarget(targetPlan)) scope.cancel();
  }
}

function closedBeforeItBegan({ outcome, steps }: TargetReport): boolean {
  return outcome === 'refused' && isGateFailure(steps.at(-1)?.failure?.name);
}

async function takeTarget(
  plan: Plan,
  targetPlan: TargetPlan,
  times: TargetTimes,
  state: RunState,
): Promise<TargetReport> {
  // A runbook without steps only looks: it takes no lease and starts no child.
  if (targetPlan.steps.length === 0) return reportWithout(targetPlan, 'succeeded');
  state.beginTarget();
  try {
    const child = await takeLease(plan, targetPlan, times);
    if (!('result' in child)) return reportWithout(targetPlan, 'refused', child);
    state.update(targetPlan, { childRunId: child.firstExecutionRunId });
    return await child.result();
  } catch (error) {
    if (error instanceof ChildWorkflowFailure)
      return reportWithout(targetPlan, 'indeterminate', lostChild(targetPlan, error));
    if (isCancellation(error)) return reportWithout(targetPlan, 'cancelled');
    const { name, message } = rootCause(error);
    return reportWithout(targetPlan, 'refused', failureRecord(isFailureName(name) ? name : 'Unreachable', message));
  }
}

function lostChild({ target }: TargetPlan, error: ChildWorkflowFailure): FailureRecord {
  const { message } = rootCause(error);
  return failureRecord(
    'Indeterminate',
    `The workflow that held ${target.path} ended without its report (${message}); what it sent is in its history, ${leaseId(target)}`,
  );
}

/** For targets without a child of their own, or whose child left no report. */
function reportWithout({ target, seen, steps }: TargetPlan, outcome: Outcome, failure?: FailureRecord): TargetReport {
  return {
    path: target.path,
    instanceId: target.instanceId,
    leaseId: leaseId(target),
    outcome,
    steps: [],
    notReached: steps.map(({ id }) => id),
    compensations: [],
    remaining: [],
    captured: null,
    lastSeen: seen,
    ...(failure === undefined ? {} : { failure }),
  };
}

/**
 * The report goes to the memo first: a workflow that closes Cancelled carries neither result nor details. What does not fit there is cut, since
 * a workflow that cannot be closed never ends; it stands in the result, or in those of the targets.
 */
function close(whole: RunReport, cancelRequested: boolean): RunReport {
  const report = storedReport(whole, RESULT_REPORT_BYTES);
  upsertMemo({ [REPORT_MEMO]: storedReport(whole, MEMO_REPORT_BYTES) });
  upsertSearchAttributes([{ key: outcomeKey, value: report.outcome }]);
  if (report.outcome === 'succeeded') return report;
  // Only a run that was asked to cancel can close Cancelled; one that was withdrawn, or whose target was cancelled by its own id, closes Failed.
  if (report.outcome === 'cancelled' && cancelRequested && report.withdrawnBy === undefined)
    throw new CancelledFailure(report.summary);
  throw ApplicationFailure.create({
    type: report.outcome,
    message: report.summary,
    details: [report],
    nonRetryable: true,
  });
}
