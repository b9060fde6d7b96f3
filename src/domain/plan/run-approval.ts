/** What people have to approve before a run begins. Pure. */
import type { TargetPlan } from './plan.js';

/** The approval of a step, with the rules that it asks for. */
interface AskingStep<Rules> {
  readonly id: string;
  readonly approval: Rules;
}

/**
 * The guard of the run. Without one, the newest approval of a step that a resumed run leaves out as done: it was given for another plan, so it
 * is asked of the whole run. `undefined` if nothing has to be approved.
 *
 * @param steps those of the runbook that ask, in their order
 */
export function approvalOfRun<Rules>(
  guard: Rules | undefined,
  steps: readonly AskingStep<Rules>[],
  targets: readonly Pick<TargetPlan, 'steps'>[],
): Rules | undefined {
  const isLeftOut = (asking: string) => targets.some((target) => !target.steps.some(({ id }) => id === asking));
  return guard ?? steps.findLast(({ id }) => isLeftOut(id))?.approval;
}
