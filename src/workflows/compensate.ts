/** Undo: newest step first, folded, each undo a full step of its own. A cancel does not reach it, and an undo that fails does not stop the others. */
import { CancellationScope } from '@temporalio/workflow';
import type { TargetRunArguments } from '../domain/contract.js';
import { owedUndos, undoStep, type OwedUndo } from '../domain/report/compensation.js';
import type { TargetResult } from '../domain/report/outcome.js';
import type { RemainingEffect, StepReport } from '../domain/report/report.js';
import type { StepsResult } from '../domain/report/steps-result.js';
import { endedStep } from '../domain/run/observed.js';
import { describeAction } from '../domain/target/actions.js';
import { observer } from './observer.js';
import { performActionStep } from './perform-step.js';
import type { TargetProgressView } from './target-progress.js';

/** The undos that were sent, and the effects that stay. */
export type UndoResult = Pick<TargetResult, 'compensations' | 'remaining'>;

/** The result when no undo is sent. */
export const NOTHING_UNDONE: UndoResult = { compensations: [], remaining: [] };

/** Undoes the steps that changed the instance, as far as they can be undone. @returns also what stays, and why */
export function compensate(
  { done, baseline }: StepsResult,
  request: TargetRunArguments,
  progress: TargetProgressView,
): Promise<UndoResult> {
  return CancellationScope.nonCancellable(async () => {
    const { undos, remaining: stays } = owedUndos(done);
    const compensations: StepReport[] = [];
    const remaining = [...stays];
    let from = baseline;
    for (const [index, undo] of undos.entries()) {
      if (compensations.some(({ result }) => result === 'indeterminate')) {
        remaining.push(notUndone(undo, 'nothing is undone while an earlier undo is indeterminate'));
        continue;
      }
      const step = undoStep(undo, request.targetPlan.steps, index + 1 === undos.length);
      progress.undoBegins(step.id, undo.action);
      // An undo has a deadline of its own: a run that ran out of time is still undone.
      const nowMs = Date.now();
      const outcome = await performActionStep(step, from, request, { nowMs, deadlineAtMs: nowMs + step.deadlineMs });
      from = outcome.baseline;
      compensations.push(outcome.report);
      progress.undoEnds(outcome.report);
      observer.undoEnded(endedStep(step, outcome.report));
      const { result, failure } = outcome.report;
      if (result !== 'succeeded' && result !== 'skipped')
        remaining.push(notUndone(undo, `its undo ended ${result}: ${failure?.message ?? 'it was cancelled'}`));
    }
    return { compensations, remaining };
  });
}

function notUndone({ step, action }: OwedUndo, why: string): RemainingEffect {
  return { stepId: step.id, action: step.action, why: `${describeAction(action)}: ${why}`, kind: 'notUndone' };
}
