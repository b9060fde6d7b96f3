/** The outcome of a step: its report, the baseline of the next step, and what undo needs. Made from the state that its activities left. Pure. */
import type { Baseline } from '../contract.js';
import type { DoneStep } from './compensation.js';
import { failureRecord, type FailureName, type FailureRecord, type Sent } from '../failures.js';
import { endingOf, type Ending, type FollowedJob, type OnceState } from '../once/state.js';
import type { CheckEvidence } from '../checks/check.js';
import type { ActionStep, ApprovalStep, CheckStep, WaitStep } from '../plan/plan.js';
import { approvalFailure } from '../steering/approvals.js';
import type { ApprovalReport, StepReport, StepResult } from './report.js';
import type { Observation } from '../target/target.js';

/** What came of a step that has ended. */
export interface StepOutcome {
  readonly report: StepReport;
  /** What the next step starts from. */
  readonly baseline: Baseline;
  /** What undo needs to know; `null` for a wait, a check and an approval, and if nothing was sent or nothing was seen afterwards. */
  readonly done: DoneStep | null;
  /** The state that the step's activities left; absent for a wait. */
  readonly left?: OnceState;
}

/** After these failures the same action is not sent again in this run, not even as an undo. */
const DID_NOT_CONVERGE: readonly FailureName[] = ['NotConverged', 'CloudJobFailed', 'CloudJobOverdue'];

/**
 * May something be in flight, or have happened unseen? Then nothing else is done on the target before that is clear.
 *
 * @throws TypeError if the state is not one of an attempt that has ended
 */
export function needsSettling(state: OnceState): boolean {
  switch (endingOf(state).kind) {
    case 'indeterminate':
    case 'superseded':
      return false;
    // The step counts as ours, but its cloud job was never seen.
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

/** The outcome of a step with an action. @param times epoch milliseconds */
export function stepOutcome(
  step: ActionStep,
  baseline: Baseline,
  state: OnceState,
  times: Pick<StepReport, 'startedAtMs' | 'endedAtMs'>,
): StepOutcome {
  const { sent, cloudJob, trail, attempt, seen: after } = state;
  const ending = endingOf(state);
  const failure = failureOf(ending);
  const result = RESULTS[ending.kind];
  const notHeld = isNotHeld(step, baseline, sent, result);
  const report: StepReport = {
    id: step.id,
    action: step.action,
    result,
    sent,
    cloudJobId: cloudJob?.id ?? null,
    ...tookOf(cloudJob),
    ...times,
    before: baseline.observation,
    after,
    attempts: attempt,
    trail,
    ...(notHeld ? { notHeld: true } : {}),
    ...(cloudJob?.evidence === undefined ? {} : { evidence: cloudJob.evidence }),
    ...(failure === null ? {} : { failure }),
  };
  const failedToConverge = failure !== null && DID_NOT_CONVERGE.includes(failure.name);
  const done =
    sent === 'no' || after === null ? null : { step, sent, before: baseline.observation, after, failedToConverge };
  const { notHeld: _before, ...from } = nextBaseline(baseline, after, report.cloudJobId);
  return { report, baseline: notHeld ? { ...from, notHeld: true } : from, done, left: state };
}

/** True if the newest action reached its state, and no step has seen that state hold since. A skipped step counts too: it waits for the state to hold. */
function isNotHeld({ holds }: ActionStep, { notHeld }: Baseline, sent: Sent, result: StepResult): boolean {
  const isDone = result === 'succeeded' || result === 'skipped';
  if (isDone && holds !== false) return false;
  return notHeld === true || (result === 'succeeded' && sent !== 'no');
}

/** How a wait ended. Epoch milliseconds. */
export interface WaitEnd {
  /** `deadlinePassed`: the deadline of the run came before the wait was over. */
  readonly kind: 'succeeded' | 'deadlinePassed' | 'cancelled';
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** The outcome of a wait, which sends nothing and reads nothing. */
export function waitOutcome(
  { id }: WaitStep,
  baseline: Baseline,
  { kind, startedAtMs, endedAtMs }: WaitEnd,
): StepOutcome {
  const isCut = kind === 'deadlinePassed';
  const failure = failureRecord('DeadlinePassed', 'The deadline of the run passed during this wait');
  const result = isCut ? 'failed' : kind;
  return outcomeWithoutAction(baseline, { id, result, startedAtMs, endedAtMs, ...(isCut ? { failure } : {}) });
}

/** The outcome of a step that sends nothing and reads nothing of the target. */
function outcomeWithoutAction(
  baseline: Baseline,
  report: Pick<StepReport, 'id' | 'result' | 'startedAtMs' | 'endedAtMs'> & Partial<StepReport>,
): StepOutcome {
  const nothing = {
    action: null,
    sent: 'no',
    cloudJobId: null,
    before: null,
    after: null,
    attempts: 0,
    trail: [],
  } as const;
  return { report: { ...nothing, ...report }, baseline, done: null };
}

/** How a check ended. Epoch milliseconds. */
export interface CheckEnd {
  readonly kind: 'succeeded' | 'cancelled' | 'failed';
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly attempts: number;
  readonly evidence: CheckEvidence | null;
  /** Only if it failed. */
  readonly failure?: { readonly name: FailureName; readonly message: string };
}

/** The outcome of a check, which changes nothing on the target and reads nothing of it. */
export function checkOutcome({ id }: CheckStep, baseline: Baseline, end: CheckEnd): StepOutcome {
  const { kind: result, startedAtMs, endedAtMs, attempts, evidence, failure } = end;
  return outcomeWithoutAction(baseline, {
    id,
    result,
    startedAtMs,
    endedAtMs,
    attempts,
    ...(evidence === null ? {} : { check: evidence }),
    ...(failure === undefined ? {} : { failure: failureRecord(failure.name, failure.message) }),
  });
}

/** A step that was not approved in time has failed, like one that was rejected. */
const APPROVAL_RESULTS: Readonly<Record<ApprovalReport['result'], StepResult>> = {
  approved: 'succeeded',
  rejected: 'failed',
  expired: 'failed',
  cancelled: 'cancelled',
};

/** The outcome of an approval, which sends nothing and reads nothing. */
export function approvalOutcome({ id }: ApprovalStep, baseline: Baseline, approval: ApprovalReport): StepOutcome {
  const failure = approvalFailure(approval);
  const { result, askedAtMs: startedAtMs, endedAtMs } = approval;
  return outcomeWithoutAction(baseline, {
    id,
    result: APPROVAL_RESULTS[result],
    startedAtMs,
    endedAtMs,
    approval,
    ...(failure === null ? {} : { failure }),
  });
}

function tookOf(cloudJob: FollowedJob | null): Pick<StepReport, 'cloudJobTook'> {
  const { runningAtMs = 0, endedByMs } = cloudJob ?? {};
  return endedByMs === undefined ? {} : { cloudJobTook: { runningAtMs, endedByMs } };
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
