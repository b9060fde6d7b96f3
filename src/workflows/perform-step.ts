/** One step: perform its action and settle what is not clear, or wait. Never throws for an expected turn; the report says what was seen. */
import { CancellationScope, isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import { describeAction, ruleOf, wishedStateHolds } from '../domain/actions.js';
import type { DoneStep } from '../domain/compensation.js';
import type { Baseline, PerformActionResult, SettleTargetResult, TargetRunArguments } from '../domain/contract.js';
import { failureRecord, type FailureName } from '../domain/failures.js';
import { unseenAttemptMs } from '../domain/once/limits.js';
import type { ActionStep, PlannedStep, WaitStep } from '../domain/plan.js';
import type { StepReport, StepResult } from '../domain/report.js';
import { describeObservation, type Observation } from '../domain/target.js';
import { performAction, settleTarget } from './proxies.js';
import { noDetails, readStepFailure, type StepFailure } from './step-failure.js';
import { obstacleTo, type StepTimes } from './step-obstacle.js';
import { sleepUntil } from './timers.js';

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
  { nowMs: startedAtMs, deadlineAtMs, closing }: StepTimes,
): Promise<StepOutcome> {
  const { target } = run.targetPlan;
  const { id: stepId, action, verify, usualDurationMs } = step;
  const attempted = new StepUnderWay(step, baseline, run, startedAtMs);
  const obstacle = obstacleTo(step, baseline, { nowMs: startedAtMs, deadlineAtMs, closing });
  if (obstacle !== null) {
    const { name, message } = obstacle;
    return mayHaveBeenSentBeforeReset(step, baseline)
      ? attempted.failed({ name, message, details: noDetails(run.limits) })
      : attempted.notBegun(name, message);
  }
  try {
    const result = await performAction(
      {
        stepId,
        target,
        action,
        before: baseline,
        originalRunId: decidedInRunId(baseline),
        deadlineAtMs,
        ...(closing === undefined ? {} : { closing }),
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
    return settled.clear ? attempted.settled(result, settled) : attempted.unclear(result, settled);
  } catch (error) {
    return attempted.failed(readStepFailure(error, run.limits));
  }
}

/**
 * After a reset to a point before this step was scheduled, an attempt of the run that was reset may still be carrying it out.
 * `reset-run-looks-before-it-leaves`: a history from before November 2026 left without a look, and has to do so in a replay.
 */
function mayHaveBeenSentBeforeReset(step: PlannedStep, baseline: Baseline): step is ActionStep {
  return step.kind === 'action' && isDecidedBeforeReset(baseline) && patched('reset-run-looks-before-it-leaves');
}

export function isDecidedBeforeReset(baseline: Baseline): boolean {
  return decidedInRunId(baseline) !== workflowInfo().runId;
}

function decidedInRunId({ readInRunId }: Baseline): string {
  return readInRunId ?? workflowInfo().originalExecutionRunId;
}

/** For a step that a cancelled run does not begin any more: what came of it where a reset may have cut it off, else `null`. */
export async function lookAfterReset(
  step: PlannedStep,
  baseline: Baseline,
  run: TargetRunArguments,
): Promise<StepOutcome | null> {
  if (!mayHaveBeenSentBeforeReset(step, baseline)) return null;
  const attempted = new StepUnderWay(step, baseline, run, Date.now());
  return attempted.failed({ name: 'cancelled', message: 'Cancelled before it began', details: noDetails(run.limits) });
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

  /**
   * What was taken for done is judged by what settling saw: an unseen cloud job may have come after, and may have failed.
   * `settled-step-is-judged`: a history from before November 2026 went on with the next step there, and has to do so in a replay.
   */
  settled(result: PerformActionResult, settled: SettleTargetResult): StepOutcome {
    const after = settled.observation ?? result.after;
    const told = { ...result, ...found(settled) };
    const { action } = this.step;
    if (settled.cloudJobId === null || wishedStateHolds(action, after) || !patched('settled-step-is-judged'))
      return this.ended(result.result, told, after);
    const message = `${describeAction(action)}: wished for ${ruleOf(action).wish(action)}, saw ${describeObservation(after)} once it was settled`;
    return this.ended('failed', told, after, 'NotConverged', message);
  }

  unclear(told: Told, settled: SettleTargetResult, before = 'The step is not clear'): StepOutcome {
    const message = `${before}; settling it did not help: ${settled.why}`;
    const whole = { ...told, ...found(settled) };
    // A cloud job that is known and does not end wants other advice than a POST that nobody can account for.
    const name = whole.sent === 'yes' && whole.evidence === undefined ? 'CloudJobOverdue' : 'Indeterminate';
    return this.ended('indeterminate', whole, settled.observation, name, message);
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
      // A reset run settles what was scheduled before the reset.
      scheduledAtMs: isDecidedBeforeReset(baseline) ? baseline.observation.observedAtMs : startedAtMs,
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
    ...baseline,
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
export async function performWaitStep(
  step: WaitStep,
  baseline: Baseline,
  { nowMs: startedAtMs, deadlineAtMs }: StepTimes,
): Promise<StepOutcome> {
  const durationMs = Math.min(step.durationMs, deadlineAtMs - startedAtMs);
  let result: StepResult = 'succeeded';
  let endedAtMs = startedAtMs;
  try {
    if (durationMs > 0) endedAtMs = await sleepUntil(startedAtMs + durationMs);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    result = 'cancelled';
    endedAtMs = Date.now();
  }
  const cut = result === 'succeeded' && durationMs < step.durationMs;
  const report: StepReport = {
    id: step.id,
    action: null,
    result: cut ? 'failed' : result,
    sent: 'no',
    cloudJobId: null,
    startedAtMs,
    endedAtMs,
    before: null,
    after: null,
    attempts: 0,
    trail: [],
    ...(cut ? { failure: failureRecord('DeadlinePassed', 'The deadline of the run passed during this wait') } : {}),
  };
  return { report, baseline, done: null };
}
