/**
 * The lease on an instance is the workflow id of the child, because Temporal keeps only one workflow open under an id.
 * Starts the child, or reports who holds the lease.
 */
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  TypedSearchAttributes,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import {
  TARGET_SEARCH_ATTRIBUTE,
  CLEAR_AT_MEMO,
  UNSEEN_MEMO,
  type ApprovalFacts,
  type LeaseHolder,
  type TargetRunArguments,
} from '../domain/contract.js';
import { failureRecord, type FailureRecord } from '../domain/failures.js';
import type { Closing } from '../domain/gates/gates.js';
import { clippedSummary } from '../domain/text/json-bytes.js';
import { unseenAttemptMs } from '../domain/once/limits.js';
import { canBeListed, listedTargets } from '../domain/run/listed-targets.js';
import type { Plan, TargetPlan } from '../domain/plan/plan.js';
import { targetReportBytes } from '../domain/sizes.js';
import { leaseId } from '../domain/target/target.js';
import { describeLease } from './proxies.js';
import { targetRun } from './target-run.js';

const targetsKey = defineSearchAttributeKey(TARGET_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD_LIST);

/** The workflow of one target, which holds the lease while it is open. */
export type LeasedChild = ChildWorkflowHandle<typeof targetRun>;

/** What limits a target in time. Epoch milliseconds. */
export interface TargetTimes {
  /** When the time of the whole run is over. */
  readonly deadlineAtMs: number;
  /** When the gate that the target has passed closes; `null` if it stays open. */
  readonly closing: Closing | null;
}

/** @returns the child that holds the lease now, or `TargetBusy` if another workflow holds it */
export async function acquireLease(
  plan: Plan,
  targetPlan: TargetPlan,
  { deadlineAtMs, closing }: TargetTimes,
): Promise<LeasedChild | FailureRecord> {
  const { target } = targetPlan;
  const id = leaseId(target);
  const last = await describeLease(id);
  if (last?.open === true) return busy(target.path, last);
  const clearAtMs = clearAt(last, plan);
  const request: TargetRunArguments = {
    runbook: plan.runbook,
    targetPlan,
    onCancel: plan.onCancel,
    deadlineAtMs,
    limits: plan.limits,
    clearAtMs,
    reportBytes: targetReportBytes(plan.targets.length),
    ...(closing === null ? {} : { closing }),
    ...(targetPlan.steps.some(({ kind }) => kind === 'approval') ? { approval: approvalFacts(plan) } : {}),
    ...(plan.notify?.some(({ on }) => on.includes('late')) === true ? { reportLate: true as const } : {}),
    ...(plan.operatorWaitMs === undefined ? {} : { operatorWaitMs: plan.operatorWaitMs }),
  };
  try {
    return await startChild(targetRun, {
      workflowId: id,
      args: [request],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      // A cancelled child finishes what is in flight and undoes it. A terminated one would do neither.
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: clippedSummary(`${plan.runbook} on ${target.path}`),
      ...searchable(plan, target.path),
      memo: {
        ...(plan.requestedBy === null ? {} : { requestedBy: plan.requestedBy }),
        ...(clearAtMs === 0 ? {} : { [CLEAR_AT_MEMO]: clearAtMs }),
        [UNSEEN_MEMO]: unseenAttemptMs(plan.limits),
      },
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const holder = await CancellationScope.nonCancellable(() => describeLease(id));
    return holder === null
      ? failureRecord('TargetBusy', `Another run holds ${target.path}`)
      : busy(target.path, holder);
  }
}

function approvalFacts({ requestedBy, hash, approvalIssuer }: Plan): ApprovalFacts {
  return { requestedBy, planHash: hash, issuer: approvalIssuer ?? null };
}

/** The child carries the target's path as a search attribute if the run's own list of targets was too long to hold it. */
function searchable({ targets }: Plan, path: string): { typedSearchAttributes?: TypedSearchAttributes } {
  if (!canBeListed(path) || listedTargets(targets.map(({ target }) => target.path)).includes(path)) return {};
  return { typedSearchAttributes: new TypedSearchAttributes([{ key: targetsKey, value: [path] }]) };
}

/**
 * Until when a POST of an earlier holder may still appear; 0 if none can. A holder that ended without its report may have left one
 * behind, and so may the run that a reset replaced: the reset run can end before that is over. The holder also passes on the time
 * that it was given itself, so that the next run waits for it even if this one is cancelled while it waits.
 */
function clearAt(last: LeaseHolder | null, plan: Plan): number {
  if (last === null) return 0;
  const { closedAtMs, status, clearAtMs: passedOnMs, resetAtMs, unseenMs } = last;
  const leftAtMs = Math.max(status === 'COMPLETED' ? 0 : (closedAtMs ?? 0), resetAtMs ?? 0);
  const clearAtMs = Math.max(leftAtMs + Math.max(unseenMs ?? 0, unseenAttemptMs(plan.limits)), passedOnMs);
  return clearAtMs > Date.now() ? clearAtMs : 0;
}

function busy(path: string, holder: LeaseHolder): FailureRecord {
  const { runWorkflowId, requestedBy, startedAtMs } = holder;
  const since = new Date(startedAtMs).toISOString();
  const who = requestedBy === null ? '' : ` requested by ${requestedBy},`;
  if (runWorkflowId === workflowInfo().workflowId) {
    return failureRecord(
      'TargetBusy',
      `${path} is still held by an earlier run with this id, since ${since}: a reset does not stop what that run started. Wait for it or cancel it`,
    );
  }
  return failureRecord('TargetBusy', `${path} is held by run ${runWorkflowId ?? holder.runId},${who} since ${since}`);
}
