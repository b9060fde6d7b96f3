/** Notices that a step takes unusually long, where somebody wants to be notified of it. Only then is there a timer. */
import { CancellationScope, sleep } from '@temporalio/workflow';
import type { TargetRunArguments } from '../domain/contract.js';
import type { PlannedStep } from '../domain/plan/plan.js';
import { lateAfterMs, usualOfStep } from '../domain/plan/usual.js';
import type { TargetSteering } from './target-steering.js';

/** Call it when the step begins; it waits for nothing. @returns what to call when the step has ended */
export function watchForLate(
  step: PlannedStep,
  { reportLate, targetPlan }: TargetRunArguments,
  steering: TargetSteering,
): () => void {
  const usual = reportLate === true && step.kind === 'action' ? usualOfStep(targetPlan, step) : undefined;
  const afterMs = usual === undefined ? null : lateAfterMs(usual);
  if (afterMs === null) return () => {};
  const scope = new CancellationScope();
  scope
    .run(async () => {
      await sleep(afterMs);
      steering.late({ step: step.id, afterMs });
    })
    // A cancel ends the watch, but never the step.
    .catch(() => {});
  return () => {
    scope.cancel();
    steering.late(null);
  };
}
