/** A check step: an activity asks the URL, and its end becomes the step's outcome. Nothing is sent to ServiceStage. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import { describeCheck, type CheckEvidence } from '../domain/checks/check.js';
import type { Baseline, TargetRunArguments } from '../domain/contract.js';
import { isFailureName, type FailureName } from '../domain/failures.js';
import type { CheckStep } from '../domain/plan/plan.js';
import { checkOutcome, type CheckEnd, type StepOutcome } from '../domain/report/step-outcome.js';
import { performCheck } from './proxies.js';

/** @param nowMs the time that decides whether the check begins, from history. Epoch milliseconds */
export async function performCheckStep(
  step: CheckStep,
  baseline: Baseline,
  request: TargetRunArguments,
  nowMs: number,
): Promise<StepOutcome> {
  const { deadlineAtMs, limits, targetPlan } = request;
  if (nowMs >= deadlineAtMs) {
    const failure = { name: 'DeadlinePassed', message: 'The deadline of the run passed before this check' } as const;
    const end = { kind: 'failed', startedAtMs: nowMs, endedAtMs: nowMs, attempts: 0, evidence: null, failure } as const;
    return checkOutcome(step, baseline, end);
  }
  const { id: stepId, check } = step;
  const summary = `${stepId}: ${describeCheck(check)} for ${targetPlan.target.path}`;
  const { heartbeatTimeoutMs } = limits;
  let end: Pick<CheckEnd, 'kind' | 'evidence' | 'failure'>;
  try {
    const evidence = await performCheck({ stepId, check, deadlineAtMs, heartbeatTimeoutMs }, limits, summary);
    end = { kind: 'succeeded', evidence };
  } catch (error) {
    end = endOf(error);
  }
  const { evidence } = end;
  // The time of the evidence is recorded in history, unlike the clock's.
  const endedAtMs = Math.max(nowMs, Math.round(evidence?.atMs ?? Date.now()));
  return checkOutcome(step, baseline, { ...end, startedAtMs: nowMs, endedAtMs, attempts: evidence === null ? 0 : 1 });
}

function endOf(error: unknown): Pick<CheckEnd, 'kind' | 'evidence' | 'failure'> {
  if (isCancellation(error) && CancellationScope.current().consideredCancelled)
    return { kind: 'cancelled', evidence: null };
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const name: FailureName = isFailureName(cause.type) ? cause.type : 'CheckFailed';
    return { kind: 'failed', evidence: evidenceIn(cause.details?.[0]), failure: { name, message: cause.message } };
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  const message =
    cause instanceof TimeoutFailure ? 'No worker finished the check in its time' : `The check ended: ${why}`;
  return { kind: 'failed', evidence: null, failure: { name: 'CheckFailed', message } };
}

function evidenceIn(value: unknown): CheckEvidence | null {
  return typeof value === 'object' && value !== null && 'unmet' in value ? (value as CheckEvidence) : null;
}
