/** Undo: newest first, folded, each a full step of its own; shielded from cancellation. One that fails does not stop the rest. */
import { CancellationScope } from '@temporalio/workflow';
import { describeAction, ruleOf } from '../domain/target/actions.js';
import { owedUndos, type DoneStep, type OwedUndo } from '../domain/report/compensation.js';
import type { Baseline, TargetRunArguments } from '../domain/contract.js';
import type { ActionStep, PlannedStep } from '../domain/plan/plan.js';
import type { RemainingEffect, StepReport } from '../domain/report/report.js';
import { performActionStep } from './perform-step.js';
import type { ProgressOfTarget } from './target-progress.js';

export interface Compensated {
  readonly reports: readonly StepReport[];
  readonly remaining: readonly RemainingEffect[];
}

export function compensate(
  done: readonly DoneStep[],
  baseline: Baseline,
  run: TargetRunArguments,
  progress: ProgressOfTarget,
): Promise<Compensated> {
  return CancellationScope.nonCancellable(async () => {
    const { undos, remaining: stays } = owedUndos(done);
    const reports: StepReport[] = [];
    const remaining = [...stays];
    let from = baseline;
    for (const undo of undos) {
      if (reports.some(({ result }) => result === 'indeterminate')) {
        remaining.push(notSent(undo, 'nothing is undone while an earlier undo is indeterminate'));
        continue;
      }
      const step = undoStep(undo, run.targetPlan.steps);
      progress.undoBegins(step.id, describeAction(undo.action));
      // Its own deadline: a run that ran out of time is still undone.
      const nowMs = Date.now();
      const outcome = await performActionStep(step, from, run, { nowMs, deadlineAtMs: nowMs + step.deadlineMs });
      from = outcome.baseline;
      reports.push(outcome.report);
      progress.undoEnds(outcome.report);
      const { result, failure } = outcome.report;
      if (result !== 'succeeded' && result !== 'skipped')
        remaining.push(notSent(undo, `its undo ended ${result}: ${failure?.message ?? 'it was cancelled'}`));
    }
    return { reports, remaining };
  });
}

function undoStep({ step, action }: OwedUndo, planned: readonly PlannedStep[]): ActionStep {
  const rule = ruleOf(action);
  const alike = planned.find(
    (other): other is ActionStep => other.kind === 'action' && other.action.action === action.action,
  );
  return {
    kind: 'action',
    id: `undo-${step.id}`,
    action,
    deadlineMs: Math.max(step.deadlineMs, rule.deadlineMs),
    verify: step.verify,
    usualDurationMs: alike?.usualDurationMs ?? rule.usualDurationMs,
    onFailure: 'continue',
    compensation: { kind: 'none', reason: 'an undo is not undone' },
  };
}

function notSent({ step, action }: OwedUndo, why: string): RemainingEffect {
  return { stepId: step.id, action: step.action, why: `${describeAction(action)}: ${why}`, kind: 'notUndone' };
}
