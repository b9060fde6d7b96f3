/** A target's outcome: the first line of the table in docs/guarantees.md that fits. Pure. */
import type { FailureName, FailureRecord } from '../failures.js';
import type { Outcome, RemainingEffect, StepReport } from './report.js';

/** What came of the steps of a target and of their undos. */
export interface TargetResult {
  readonly steps: readonly StepReport[];
  /** Undos, in the order they were sent. */
  readonly compensations: readonly StepReport[];
  /** Effects that stay. */
  readonly remaining: readonly RemainingEffect[];
  readonly cancelRequested: boolean;
  /** Why the target was not started, or stopped between steps; `null` if its steps carry their own failures. */
  readonly failure: FailureRecord | null;
}

/** The failures with which a check before the first action, or ServiceStage itself, refuses a step. */
const REFUSALS: readonly FailureName[] = [
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
  'CheckFailed',
  'ApprovalRejected',
  'ApprovalExpired',
];

/** The worst outcome that applies. `refused` means that nothing was sent, because a check or ServiceStage refused it. */
export function targetOutcome({ steps, compensations, remaining, cancelRequested, failure }: TargetResult): Outcome {
  const all = [...steps, ...compensations];
  const failed = steps.filter(({ result }) => result === 'failed');
  if (all.some(({ result }) => result === 'indeterminate')) return 'indeterminate';
  if (compensations.some(({ result }) => result === 'failed' || result === 'cancelled')) return 'compensationFailed';
  if (cancelRequested) return 'cancelled';
  if (failed.length === 0 && failure === null) return 'succeeded';
  const nothingSent = all.every(({ sent }) => sent === 'no');
  const firstFailure = failed[0]?.failure ?? failure;
  const wasRefused = steps.length === 0 || (firstFailure !== null && isRefusal(firstFailure.name, steps));
  if (nothingSent && wasRefused) return 'refused';
  return compensations.length > 0 && remaining.length === 0 ? 'compensated' : 'failed';
}

/**
 * A failed check is a refusal only where no action was begun or skipped. After an action it judges what that did; before one, with
 * `onFailure: continue`, it let the action begin.
 */
function isRefusal(name: FailureName, steps: readonly StepReport[]): boolean {
  if (!REFUSALS.includes(name)) return false;
  return name !== 'CheckFailed' || steps.every(({ action }) => action === null);
}
