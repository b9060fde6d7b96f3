/** What comes after each step of a target, and whether its steps are undone at the end. Pure. */
import type { Baseline } from '../contract.js';
import { isGateFailure } from '../gates/gates.js';
import { finalFailure, type Ending } from '../once/state.js';
import type { OnCancel, OnFailure, PlannedStep } from '../plan/plan.js';
import type { DoneStep } from './compensation.js';
import type { StepReport } from './report.js';

/** What came of a target's steps, before any undo. */
export interface StepsResult {
  readonly steps: readonly StepReport[];
  /** Those that may have to be undone, oldest first. */
  readonly done: readonly DoneStep[];
  /** What an undo starts from. */
  readonly baseline: Baseline;
  /** The last step failed, and asks for the ones before it to be undone. */
  readonly undoAsked: boolean;
}

/** `undo`: no further step, and what was done is undone. `stop`: no further step, and it stays. */
export function afterStep(step: PlannedStep, { result, sent, failure }: StepReport): 'nextStep' | 'undo' | 'stop' {
  if (result === 'succeeded' || result === 'skipped') return 'nextStep';
  if (result !== 'failed') return 'stop';
  const onFailure: OnFailure = step.kind === 'wait' ? 'compensate' : step.onFailure;
  // A step that was to wait for a person gets here if no one decided.
  if (onFailure === 'compensate' || onFailure === 'pause') return 'undo';
  // Once its gate has closed, a later step must not start the target either, whatever `onFailure` is.
  const isTooLate = sent === 'no' && isGateFailure(failure?.name);
  return onFailure === 'continue' && !isTooLate ? 'nextStep' : 'stop';
}

/** Nothing is undone while it is unclear what a step did: an undo could meet the step's own effect half way. */
export function isUndoDue({ steps, undoAsked }: StepsResult, onCancel: OnCancel, cancelRequested: boolean): boolean {
  if (steps.some(({ result }) => result === 'indeterminate')) return false;
  return cancelRequested ? onCancel === 'compensate' : undoAsked;
}

/** How an action is reported that is not begun because this step failed. @returns `null` if the step keeps no action from being begun */
export function heldBackBy({ kind, id }: PlannedStep, { failure }: StepReport): Ending | null {
  switch (kind) {
    case 'check':
      return finalFailure('CheckFailed', `Not begun, because the check ${id} failed`);
    case 'approval':
      return finalFailure(failure?.name ?? 'ApprovalExpired', `Not begun, because the approval ${id} was not given`);
    case 'wait':
    case 'action':
      return null;
  }
}
