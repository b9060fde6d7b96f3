/** A target's outcome: the first line of the table in docs/guarantees.md that fits. Pure. */
import type { FailureRecord } from '../failures.js';
import type { Outcome, RemainingEffect, StepReport } from './report.js';

export interface TargetCourse {
  readonly steps: readonly StepReport[];
  readonly compensations: readonly StepReport[];
  readonly remaining: readonly RemainingEffect[];
  readonly cancelRequested: boolean;
  /** Why the target was not begun, or stopped between steps; steps carry their own failures. */
  readonly failure: FailureRecord | null;
}

/** Failures by which a first check, or ServiceStage itself, refuses, when nothing was done. */
const REFUSALS: readonly string[] = [
  'TargetBusy',
  'TargetChanged',
  'TargetNotFound',
  'NotAllowed',
  'InvalidStep',
  'InvalidPlan',
  'UnknownRunbook',
  'InvalidStart',
  'OutsideWindow',
  'ChangeFreeze',
];

export function targetOutcome({ steps, compensations, remaining, cancelRequested, failure }: TargetCourse): Outcome {
  const all = [...steps, ...compensations];
  const failed = steps.filter(({ result }) => result === 'failed');
  if (all.some(({ result }) => result === 'indeterminate')) return 'indeterminate';
  if (compensations.some(({ result }) => result === 'failed' || result === 'cancelled')) return 'compensationFailed';
  if (cancelRequested) return 'cancelled';
  if (failed.length === 0 && failure === null) return 'succeeded';
  const nothingSent = all.every(({ sent }) => sent === 'no');
  const firstFailure = failed[0]?.failure ?? failure;
  const checked = steps.length === 0 || (firstFailure !== null && REFUSALS.includes(firstFailure.name));
  if (nothingSent && checked) return 'refused';
  return compensations.length > 0 && remaining.length === 0 ? 'compensated' : 'failed';
}
