/** What a step came to: from the state that its activities left, to its report, the next baseline and what undo needs. Pure. */
import type { Baseline } from '../contract.js';
import type { DoneStep } from './compensation.js';
import { failureRecord, type FailureName, type FailureRecord } from '../failures.js';
import { endingOf, type Ending, type OnceState } from '../once/state.js';
import type { ActionStep } from '../plan/plan.js';
import type { StepReport, StepResult } from './report.js';
import type { Observation } from '../target/target.js';

/** A step that is over. */
export interface StepOutcome {
  readonly report: StepReport;
  /** What the next step starts from. */
  readonly baseline: Baseline;
  /** What compensation needs to know; `null` for a wait and for what was never sent. */
  readonly done: DoneStep | null;
}

/** Failures after which the same action is not sent again in this run. */
const DID_NOT_CONVERGE: readonly FailureName[] = ['NotConverged', 'CloudJobFailed', 'CloudJobOverdue'];

/** True where something may be in flight, or may have happened unseen: nothing else is done on the target before that is clear. */
export function needsSettling(state: OnceState): boolean {
  switch (endingOf(state).kind) {
    case 'indeterminate':
    case 'superseded':
      return false;
    // It counts as ours, though nobody saw its cloud job.
    case 'succeeded':
    case 'skipped':
      return state.sent === 'unknown';
    case 'failed':
    case 'cancelled':
      return state.sent !== 'no';
  }
}

const RESULTS: Readonly<Record<Ending['kind'], StepResult>> = {
  succeeded: 'succeeded',
  skipped: 'skipped',
  failed: 'failed',
  cancelled: 'cancelled',
  indeterminate: 'indeterminate',
  superseded: 'failed',
};

/** @param times epoch milliseconds */
export function stepOutcome(
  step: ActionStep,
  baseline: Baseline,
  state: OnceState,
  times: Pick<StepReport, 'startedAtMs' | 'endedAtMs'>,
): StepOutcome {
  const { sent, cloudJob, trail, attempt, seen: after } = state;
  const ending = endingOf(state);
  const failure = failureOf(ending);
  const report: StepReport = {
    id: step.id,
    action: step.action,
    result: RESULTS[ending.kind],
    sent,
    cloudJobId: cloudJob?.id ?? null,
    ...times,
    before: baseline.observation,
    after,
    attempts: attempt,
    trail,
    ...(cloudJob?.evidence === undefined ? {} : { evidence: cloudJob.evidence }),
    ...(failure === null ? {} : { failure }),
  };
  const failedToConverge = failure !== null && DID_NOT_CONVERGE.includes(failure.name);
  const done =
    sent === 'no' || after === null ? null : { step, sent, before: baseline.observation, after, failedToConverge };
  return { report, baseline: nextBaseline(baseline, after, report.cloudJobId), done };
}

function failureOf(ending: Ending): FailureRecord | null {
  return 'failure' in ending ? failureRecord(ending.failure, ending.message) : null;
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
