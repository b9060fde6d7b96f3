/** The report of one target. `targetReport` is the only place that builds one; the functions below it fill it for each way a target can end. */
import type { FailureRecord } from '../failures.js';
import type { TargetPlan } from '../plan/plan.js';
import { usualOfStep } from '../plan/usual.js';
import { leaseId, type Observation } from '../target/target.js';
import { targetOutcome, type TargetResult } from './outcome.js';
import type { Outcome, StepReport, TargetReport } from './report.js';

/** What every report of a target has. */
type Required = 'path' | 'instanceId' | 'leaseId' | 'outcome';

/** @param details what else is known; what is left out counts as nothing done and nothing seen */
export function targetReport(
  required: Pick<TargetReport, Required>,
  details: Partial<Omit<TargetReport, Required>> = {},
): TargetReport {
  return {
    ...required,
    steps: [],
    notReached: [],
    compensations: [],
    remaining: [],
    captured: null,
    lastSeen: null,
    ...details,
  };
}

/** What a target's own workflow knows at its end. */
export interface TargetEnd extends TargetResult {
  /** The reading under the lease before the first step; `null` if there was none. */
  readonly captured: Observation | null;
  /** Run id of the target's own workflow. */
  readonly childRunId: string;
}

/** For a target whose own workflow has ended. */
export function reportOfTarget(targetPlan: TargetPlan, end: TargetEnd): TargetReport {
  const { steps, compensations, remaining, captured, failure, childRunId } = end;
  const lastReport = [...steps, ...compensations].findLast(({ after }) => after !== null);
  return targetReport(identityOf(targetPlan, targetOutcome(end)), {
    steps: steps.map((step) => withUsual(step, targetPlan)),
    notReached: targetPlan.steps.slice(steps.length).map(({ id }) => id),
    ...leftOutOf(targetPlan),
    compensations: compensations.map((undo) => withUsual(undo, targetPlan)),
    remaining,
    captured,
    lastSeen: lastReport?.after ?? captured,
    ...(failure === null ? {} : { failure }),
    childRunId,
  });
}

/** A step that sent nothing took no cloud job's time, so that there is nothing to compare. */
function withUsual(step: StepReport, targetPlan: TargetPlan): StepReport {
  const usual = step.sent === 'no' ? undefined : usualOfStep(targetPlan, step);
  return usual === undefined ? step : { ...step, usual };
}

/** For a target that no workflow of its own acted on, or whose workflow left no report: planning saw it last. */
export function reportWithoutChild(targetPlan: TargetPlan, outcome: Outcome, failure?: FailureRecord): TargetReport {
  return targetReport(identityOf(targetPlan, outcome), {
    notReached: targetPlan.steps.map(({ id }) => id),
    ...leftOutOf(targetPlan),
    lastSeen: targetPlan.seen,
    ...(failure === undefined ? {} : { failure }),
  });
}

function leftOutOf({ leftOut = [] }: TargetPlan): Pick<TargetReport, 'checksLeftOut'> {
  return leftOut.length === 0 ? {} : { checksLeftOut: leftOut };
}

function identityOf({ target }: TargetPlan, outcome: Outcome): Pick<TargetReport, Required> {
  return { path: target.path, instanceId: target.instanceId, leaseId: leaseId(target), outcome };
}
