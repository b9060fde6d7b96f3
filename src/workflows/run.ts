/** `run`: the default workflow, whose type name is the runbook's name. Plans, then takes the targets one after another. */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowFailure,
  defineQuery,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { OUTCOME_SEARCH_ATTRIBUTE, PROGRESS_QUERY, REPORT_MEMO, TARGET_SEARCH_ATTRIBUTE } from '../domain/contract.js';
import { failureRecord, isFailureName, type FailureRecord } from '../domain/failures.js';
import type { Plan, TargetPlan } from '../domain/plan.js';
import {
  worstOutcome,
  type Outcome,
  type RunProgress,
  type RunReport,
  type TargetInRun,
  type TargetReport,
} from '../domain/report.js';
import { LEASE_PREFIX, leaseId } from '../domain/target.js';
import { rootCause } from './failure.js';
import { takeLease } from './lease.js';
import { makePlan } from './proxies.js';

const runProgressQuery = defineQuery<RunProgress>(PROGRESS_QUERY);

const targetKey = defineSearchAttributeKey(TARGET_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD_LIST);
const outcomeKey = defineSearchAttributeKey(OUTCOME_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD);

/** @returns the report, or for `dryRun` the plan; every outcome but `succeeded` closes the run Failed or Cancelled with the report */
export async function run(startArguments: unknown): Promise<RunReport | Plan> {
  const scope = CancellationScope.current();
  const state = new RunState();
  setHandler(runProgressQuery, () => state.progress);
  let plan: Plan;
  try {
    plan = await planned(startArguments);
  } catch (error) {
    const cancelled = scope.consideredCancelled;
    return close(
      state.report(null, [], cancelled && isCancellation(error) ? undefined : refusalOf(error), cancelled),
      cancelled,
    );
  }
  if (plan.dryRun) return plan;
  state.begin(plan);
  const reports = await takeTargets(plan, state, scope);
  const cancelled = scope.consideredCancelled;
  return close(state.report(plan, reports, undefined, cancelled), cancelled);
}

async function planned(startArguments: unknown): Promise<Plan> {
  const { workflowId, workflowType } = workflowInfo();
  if (workflowId.startsWith(LEASE_PREFIX)) {
    throw ApplicationFailure.create({
      type: 'InvalidStart',
      message: `A run cannot have the id ${workflowId}: ids that begin with ${LEASE_PREFIX} are leases on instances`,
      nonRetryable: true,
    });
  }
  return await makePlan(workflowType, startArguments);
}

function refusalOf(error: unknown): FailureRecord {
  const { name, message } = rootCause(error);
  return failureRecord(isFailureName(name) ? name : 'Unreachable', message);
}

/** One after another; the first that does not succeed ends it, and those not begun are listed. */
async function takeTargets(plan: Plan, state: RunState, scope: CancellationScope): Promise<readonly TargetReport[]> {
  const deadlineAtMs = workflowInfo().startTime.getTime() + plan.deadlineMs;
  const reports: TargetReport[] = [];
  for (const targetPlan of plan.targets) {
    if (scope.consideredCancelled) break;
    const report = await takeTarget(plan, targetPlan, deadlineAtMs, state);
    reports.push(report);
    state.update(targetPlan, { outcome: report.outcome });
    if (report.outcome !== 'succeeded') break;
  }
  return reports;
}

async function takeTarget(
  plan: Plan,
  targetPlan: TargetPlan,
  deadlineAtMs: number,
  state: RunState,
): Promise<TargetReport> {
  // A runbook without steps only looks: it takes no lease and starts no child.
  if (targetPlan.steps.length === 0) return reportWithout(targetPlan, 'succeeded');
  try {
    const child = await takeLease(plan, targetPlan, deadlineAtMs);
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

class RunState {
  #progress: RunProgress;
  readonly #startedAtMs = workflowInfo().startTime.getTime();

  constructor() {
    const { workflowType } = workflowInfo();
    this.#progress = {
      runbook: workflowType,
      phase: 'planning',
      planHash: null,
      startedAtMs: this.#startedAtMs,
      targets: [],
      outcome: null,
    };
  }

  get progress(): RunProgress {
    return this.#progress;
  }

  begin(plan: Plan): void {
    const targets = plan.targets.map(({ target }): TargetInRun => ({
      path: target.path,
      leaseId: leaseId(target),
      childRunId: null,
      outcome: null,
    }));
    this.#progress = { ...this.#progress, phase: 'running', planHash: plan.hash, targets };
    upsertSearchAttributes([{ key: targetKey, value: targets.map(({ path }) => path) }]);
    this.#show();
  }

  update({ target }: TargetPlan, change: Partial<TargetInRun>): void {
    const targets = this.#progress.targets.map((entry) =>
      entry.path === target.path ? { ...entry, ...change } : entry,
    );
    this.#progress = { ...this.#progress, targets };
    this.#show();
  }

  #show(): void {
    const rows = this.#progress.targets.map(
      ({ path, outcome, childRunId }) => `| ${path} | ${outcome ?? (childRunId === null ? 'waiting' : 'running')} |`,
    );
    setCurrentDetails(['| target | state |', '| --- | --- |', ...rows].join('\n').slice(0, 15_000));
  }

  report(
    plan: Plan | null,
    targets: readonly TargetReport[],
    failure: FailureRecord | undefined,
    cancelRequested: boolean,
  ): RunReport {
    const { workflowId, runId, workflowType } = workflowInfo();
    const outcome = runOutcome(targets, failure, cancelRequested);
    this.#progress = { ...this.#progress, phase: 'finished', outcome };
    const begun = new Set(targets.map(({ path }) => path));
    return {
      reportVersion: 1,
      runbook: workflowType,
      workflowId,
      runId,
      outcome,
      summary: summaryOf(workflowType, outcome, targets, failure),
      planHash: plan?.hash ?? null,
      requestedBy: plan?.requestedBy ?? null,
      reason: plan?.reason ?? null,
      startedAtMs: this.#startedAtMs,
      endedAtMs: Date.now(),
      targets,
      notStarted: plan?.targets.map(({ target }) => target.path).filter((path) => !begun.has(path)) ?? [],
      ...(failure === undefined ? {} : { failure }),
    };
  }
}

function runOutcome(
  targets: readonly TargetReport[],
  failure: FailureRecord | undefined,
  cancelRequested: boolean,
): Outcome {
  const outcomes = targets.map(({ outcome }) => outcome);
  if (cancelRequested) outcomes.push('cancelled');
  else if (failure !== undefined) outcomes.push('refused');
  return worstOutcome(outcomes);
}

function summaryOf(
  runbook: string,
  outcome: Outcome,
  targets: readonly TargetReport[],
  failure: FailureRecord | undefined,
): string {
  const told = targets.find((target) => target.outcome === outcome);
  const because =
    failure ??
    told?.failure ??
    [...(told?.steps ?? []), ...(told?.compensations ?? [])].findLast((step) => step.failure !== undefined)?.failure;
  const where = told === undefined ? '' : ` on ${told.path}`;
  return `${runbook}${where}: ${outcome}${because === undefined ? '' : ` (${because.name}: ${because.message})`}`;
}

/** The report goes to the memo first: a workflow that closes Cancelled carries neither result nor details. */
function close(report: RunReport, cancelRequested: boolean): RunReport {
  upsertMemo({ [REPORT_MEMO]: report });
  upsertSearchAttributes([{ key: outcomeKey, value: report.outcome }]);
  if (report.outcome === 'succeeded') return report;
  // Only a run that was asked to cancel can close Cancelled; a target cancelled by its own id closes its run Failed.
  if (report.outcome === 'cancelled' && cancelRequested) throw new CancelledFailure(report.summary);
  throw ApplicationFailure.create({
    type: report.outcome,
    message: report.summary,
    details: [report],
    nonRetryable: true,
  });
}
