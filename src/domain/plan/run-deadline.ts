/** The deadline of a whole run. Pure. */
import { longestCheckMs } from '../checks/check.js';
import type { Runbook } from '../runbook/runbook.js';
import { durationMs } from '../time/duration.js';
import type { PlannedStep, TargetPlan } from './plan.js';

/** Added to the sum of the steps for the default deadline of a run; covers settling and waiting for the budget. */
const RUN_MARGIN_MS = 10 * 60_000;

/** From the start of the run, milliseconds: what the runbook sets, else the sum of the steps of all targets and a margin. */
export function runDeadlineMs({ deadline = '' }: Pick<Runbook, 'deadline'>, targets: readonly TargetPlan[]): number {
  return durationMs(deadline) ?? defaultDeadlineMs(targets);
}

function defaultDeadlineMs(targets: readonly TargetPlan[]): number {
  const stepMs = targets.flatMap(({ steps }) => steps).map(longestMs);
  return stepMs.reduce((sum, ms) => sum + ms, RUN_MARGIN_MS);
}

/** How long people think about an approval counts against no deadline. */
function longestMs(step: PlannedStep): number {
  switch (step.kind) {
    case 'wait':
      return step.durationMs;
    case 'check':
      return longestCheckMs(step.check);
    case 'approval':
      return 0;
    case 'action':
      return step.deadlineMs;
  }
}
