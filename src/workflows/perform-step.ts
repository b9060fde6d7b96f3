/** One step: perform its action and settle what is not clear, or wait. Never throws for an expected turn; the report says what was seen. */
import { CancellationScope, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import { describeAction } from '../domain/actions.js';
import type { DoneStep } from '../domain/compensation.js';
import type { Baseline, SettleTargetResult, TargetRunArguments } from '../domain/contract.js';
import { failureRecord, type FailureName } from '../domain/failures.js';
import { unseenAttemptMs } from '../domain/limits.js';
import type { ActionStep, WaitStep } from '../domain/plan.js';
import type { StepReport, StepResult } from '../domain/report.js';
import type { Observation } from '../domain/target.js';
import { performAction, settleTarget } from './proxies.js';
import { readStepFailure, type StepFailure } from './step-failure.js';

export interface StepOutcome {
  readonly report: StepReport;
  /** What the next step starts from. */
  readonly baseline: Baseline;
  /** What compensation needs to know; `null` for a wait and for what was never sent. */
  readonly done: DoneStep | null;
}

/** Failures after which the same action is not sent again in this run. */
const DID_NOT_CONVERGE: readonly (FailureName | 'cancelled')[] = ['NotConverged', 'CloudJobFailed', 'CloudJobOverdue'];

export async function performActionStep(
  step: ActionStep,
  baseline: Baseline,
  run: TargetRunArguments,
  deadlineAtMs: number,
): Promise<StepOutcome> {
  const startedAtMs = Date.now();
  const { target } = run.targetPlan;
  const { id: stepId, action, verify, usualDurationMs } = step;
  const attempted = new StepUnderWay(step, baseline, run, startedAtMs);
  if (startedAtMs >= deadlineAtMs)
    return attempted.notBegun('DeadlinePassed', 'The deadline of the run passed before this step');
  try {
    const result = await performAction(
      {
        stepId,
        target,
        action,
        before: baseline,
        originalRunId: workflowInfo().originalExecutionRunId,
        deadlineAtMs,
        verify,
        usualDurationMs,
        verifyAfterCancel: run.onCancel !== 'leave',
        limits: run.limits,
      },
      `${stepId}: ${describeAction(action)} on ${target.path}`,
    );
    if (result.sent !== 'unknown') return attempted.ended(result.result, result, result.after);
    // It counts as ours, but nothing else may be done on the target before that is settled.
    const settled = await attempted.settle({ ...result, lastObservation: result.after });
    return settled.clear
      ? attempted.ended(result.result, { ...result, ...found(settled) }, settled.observation ?? result.after)
      : attempted.unclear(result, settled);
  } catch (error) {
    return attempted.failed(readStepFailure(error, run.limits));
  }
}

/** What a step's activity told, successful or not. */
type Told = Pick<StepFailure['details'], 'sent' | 'cloudJobId' | 'trail' | 'attempts' | 'evidence'>;

class StepUnderWay {
  constructor(
    private readonly step: ActionStep,
    private readonly baseline: Baseline,
    private readonly run: TargetRunArguments,
    private readonly startedAtMs: number,
  ) {}

  notBegun(name: FailureName, message: string): StepOutcome {
    return this.ended('failed', { sent: 'no', cloudJobId: null, trail: [], attempts: 0 }, null, name, message);
  }

  async failed(failure: StepFailure): Promise<StepOutcome> {
    const { name, message, details } = failure;
    if (name === 'Indeterminate') return this.ended('indeterminate', details, details.lastObservation, name, message);
    const result: StepResult = name === 'cancelled' ? 'cancelled' : 'failed';
    if (details.sent === 'no') return this.ended(result, details, details.lastObservation, name, message);
    const settled = await this.settle(details);
    if (!settled.clear) return this.unclear(details, settled, message);
    return this.ended(
      result,
      { ...details, ...found(settled) },
      settled.observation ?? details.lastObservation,
      name,
      message,
    );
  }

  unclear(told: Told, settled: SettleTargetResult, before = 'The step is not clear'): StepOutcome {
    const message = `${before}; settling it did not help: ${settled.why}`;
    return this.ended('indeterminate', { ...told, ...found(settled) }, settled.observation, 'Indeterminate', message);
  }

  /** Shielded: what may be in flight is waited for, whatever is asked meanwhile. */
  settle(
    told: Pick<StepFailure['details'], 'sent' | 'cloudJobId' | 'unseenForMs' | 'lastObservation'>,
  ): Promise<SettleTargetResult> {
    const { step, baseline, run, startedAtMs } = this;
    const { target } = run.targetPlan;
    const request = {
      target,
      baseline,
      before: baseline.observation,
      action: step.action,
      cloudJobId: told.cloudJobId,
      sent: told.sent,
      scheduledAtMs: startedAtMs,
      unseenForMs: told.unseenForMs,
      deadlineAtMs: Date.now() + unseenAttemptMs(run.limits) + step.deadlineMs,
      usualDurationMs: step.usualDurationMs,
      limits: run.limits,
    };
    return CancellationScope.nonCancellable(() =>
      settleOrSay(request, `${step.id}: settle ${target.path}`, told.lastObservation),
    );
  }

  ended(
    result: StepResult,
    told: Told,
    after: Observation | null,
    name?: FailureName | 'cancelled',
    message = '',
  ): StepOutcome {
    const { step, baseline, startedAtMs } = this;
    const { sent, cloudJobId, trail, attempts, evidence } = told;
    const report: StepReport = {
      id: step.id,
      action: step.action,
      result,
      sent,
      cloudJobId,
      startedAtMs,
      endedAtMs: Date.now(),
      before: baseline.observation,
      after,
      attempts,
      trail,
      ...(evidence === undefined ? {} : { evidence }),
      ...(name === undefined || name === 'cancelled' ? {} : { failure: failureRecord(name, message) }),
    };
    const failedToConverge = name !== undefined && DID_NOT_CONVERGE.includes(name);
    const done =
      sent === 'no' || after === null ? null : { step, sent, before: baseline.observation, after, failedToConverge };
    return { report, baseline: nextBaseline(baseline, after, cloudJobId), done };
  }
}

/** The next step starts from the cloud job that was followed, not from what a reading happened to show. */
function nextBaseline(baseline: Baseline, after: Observation | null, cloudJobId: string | null): Baseline {
  const observation = after ?? baseline.observation;
  if (cloudJobId === null) return { ...baseline, observation };
  const known = baseline.lastJobId === null ? [] : [baseline.lastJobId];
  return {
    observation,
    lastJobId: cloudJobId,
    knownCloudJobIds: [...new Set([...baseline.knownCloudJobIds, ...known, cloudJobId])],
  };
}

function found({ sent, cloudJobId, evidence }: SettleTargetResult): Pick<Told, 'sent' | 'cloudJobId' | 'evidence'> {
  return { sent, cloudJobId, ...(evidence === undefined ? {} : { evidence }) };
}

/** A settle that cannot be carried out leaves the step unclear; it does not end the run. */
async function settleOrSay(
  request: Parameters<typeof settleTarget>[0],
  summary: string,
  lastObservation: Observation | null,
): Promise<SettleTargetResult> {
  try {
    return await settleTarget(request, summary);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { clear: false, why, observation: lastObservation, sent: request.sent, cloudJobId: request.cloudJobId };
  }
}

/** Waits, at most until the run's deadline. */
export async function performWaitStep(step: WaitStep, baseline: Baseline, deadlineAtMs: number): Promise<StepOutcome> {
  const startedAtMs = Date.now();
  const durationMs = Math.min(step.durationMs, deadlineAtMs - startedAtMs);
  let result: StepResult = 'succeeded';
  try {
    if (durationMs > 0) await sleep(durationMs);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    result = 'cancelled';
  }
  const cut = result === 'succeeded' && durationMs < step.durationMs;
  const report: StepReport = {
    id: step.id,
    action: null,
    result: cut ? 'failed' : result,
    sent: 'no',
    cloudJobId: null,
    startedAtMs,
    endedAtMs: Date.now(),
    before: null,
    after: null,
    attempts: 0,
    trail: [],
    ...(cut ? { failure: failureRecord('DeadlinePassed', 'The deadline of the run passed during this wait') } : {}),
  };
  return { report, baseline, done: null };
}
