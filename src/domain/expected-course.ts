/** What a plan says of its steps before anything is sent: which are skipped, what undoes them, and where that leads. By the rules of the run. Pure. */
import { ruleOf, wishedStateHolds, type Action } from './actions.js';
import { isAtRest } from './cloud-job.js';
import { differencesBetween, type Difference } from './compensation.js';
import type { ActionStep, PlannedStep } from './plan.js';
import type { Observation } from './target.js';

export interface ExpectedStep {
  /** `unknown`: a cloud job is in flight, and the step is decided once that has ended. */
  readonly course: 'sent' | 'skipped' | 'unknown';
  readonly undo: ExpectedUndo;
}

export type ExpectedUndo =
  /** As the plan says it: nothing more is known, or there is nothing to say. */
  | { readonly kind: 'asDeclared' }
  /** `differs`: what is then other than before the step. */
  | { readonly kind: 'action'; readonly action: Action; readonly differs: readonly Difference[] }
  /** The step changes nothing that is undone: the instance was not in the state that its undo restores. */
  | { readonly kind: 'nothing' };

/**
 * The course of a target's steps if each succeeds.
 * @param seen the reading of the plan; the run takes its own under the lease, and decides by that
 */
export function expectedCourse(seen: Observation, steps: readonly PlannedStep[]): ExpectedStep[] {
  const isKnown = isAtRest(seen);
  let state = seen;
  return steps.map((step) => {
    if (step.kind === 'wait') return { course: 'sent', undo: { kind: 'asDeclared' } };
    if (!isKnown) return { course: isSkippable(step) ? 'unknown' : 'sent', undo: { kind: 'asDeclared' } };
    // A restart is never skipped: its state holds before it.
    if (isSkippable(step) && wishedStateHolds(step.action, state))
      return { course: 'skipped', undo: { kind: 'nothing' } };
    const before = state;
    state = ruleOf(step.action).reaches(step.action, before);
    return { course: 'sent', undo: expectedUndo(step, before, state) };
  });
}

function isSkippable({ action }: ActionStep): boolean {
  return ruleOf(action).kind === 'state';
}

function expectedUndo({ action, compensation }: ActionStep, before: Observation, after: Observation): ExpectedUndo {
  const rule = ruleOf(action);
  const isUndone = compensation.kind === 'action' || (compensation.kind === 'default' && rule.reversal === 'inverse');
  if (!isUndone) return { kind: 'asDeclared' };
  if (!rule.changed(before, after)) return { kind: 'nothing' };
  const undo = compensation.kind === 'action' ? compensation.action : rule.undo(before);
  if (undo === null) return { kind: 'asDeclared' };
  const undone = ruleOf(undo).reaches(undo, after);
  return { kind: 'action', action: undo, differs: differencesBetween(before, undone) };
}
