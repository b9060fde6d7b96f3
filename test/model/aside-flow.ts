/** Steps without an action, as in `src/workflows/target-approval.ts` and `perform-check.ts`, in virtual time. */
import type { Baseline } from '../../src/domain/contract.js';
import type { ApprovalStep, CheckStep } from '../../src/domain/plan/plan.js';
import type { ApprovalVote } from '../../src/domain/report/report.js';
import { approvalOutcome, checkOutcome, type StepOutcome } from '../../src/domain/report/step-outcome.js';
import { afterCancel, approvalReport, askApproval, wantedOf } from '../../src/domain/steering/approvals.js';
import {
  afterOrder,
  afterWait,
  askAgain,
  waitedForMs,
  waitsUntilMs,
} from '../../src/domain/steering/target-approvals.js';
import type { Context, Flow, RunArguments } from './flow.js';
import type { PlannedCheck } from './scenario.js';

/** A step that was approved or not, and how long that took. */
export interface Approved {
  readonly outcome: StepOutcome;
  /** It counts against no deadline. */
  readonly heldMs: number;
}

/** Waits until the step is approved. @param askedAtMs from the history */
export function* untilApproved(
  step: ApprovalStep,
  baseline: Baseline,
  askedAtMs: number,
  context: Context,
  { facts }: RunArguments,
): Flow<Approved> {
  let approval = askApproval(step, facts.requestedBy, askedAtMs);
  let nowMs = askedAtMs;
  while (approval.stage === 'waiting') {
    const untilMs = waitsUntilMs(approval);
    const answer = yield {
      kind: 'approval',
      step: step.id,
      approval,
      sinceMs: askedAtMs,
      untilMs,
      isCancellable: true,
    };
    nowMs = Math.max(nowMs, context.nowMs);
    if (answer.kind === 'cancelled') approval = afterCancel(approval, nowMs);
    else if (answer.kind === 'ordered') {
      const { vote } = answer.order;
      const { roles: _roles, signedBy: _signedBy, ...claimed } = vote;
      let proved: ApprovalVote | null = claimed;
      if (facts.issuer !== null) {
        const verified = yield { kind: 'proof', order: answer.order, isCancellable: true };
        if (verified.kind === 'cancelled') {
          approval = afterCancel(approval, Math.max(nowMs, context.nowMs));
          continue;
        }
        proved =
          verified.kind === 'proved' && verified.proof.kind === 'proved'
            ? {
                ...claimed,
                actor: verified.proof.actor,
                roles: wantedOf(verified.proof.roles, step),
                signedBy: facts.issuer,
              }
            : null;
      }
      const counted = afterOrder(approval, proved);
      approval = counted === approval ? askAgain(approval, context.nowMs) : counted;
    } else approval = afterWait(approval, nowMs);
  }
  return {
    outcome: approvalOutcome(step, baseline, approvalReport({ ...approval, askedAtMs })),
    heldMs: waitedForMs(approval, askedAtMs, Math.max(nowMs, context.nowMs)),
  };
}

/** Asks the site. @param nowMs decides whether the check begins */
export function* performCheck(
  step: CheckStep,
  planned: PlannedCheck,
  baseline: Baseline,
  { nowMs, deadlineAtMs }: { readonly nowMs: number; readonly deadlineAtMs: number },
  context: Context,
): Flow<StepOutcome> {
  if (nowMs >= deadlineAtMs) {
    const failure = { name: 'DeadlinePassed', message: 'The deadline of the run passed before this check' } as const;
    return checkOutcome(step, baseline, {
      ...{ kind: 'failed', startedAtMs: nowMs, endedAtMs: nowMs, attempts: 0, evidence: null, failure },
    });
  }
  const answer = yield { kind: 'check', step: step.id, check: planned, deadlineAtMs, isCancellable: true };
  const end = answer.kind === 'checked' ? answer.end : ({ kind: 'cancelled' } as const);
  const endedAtMs = Math.max(nowMs, context.nowMs);
  return checkOutcome(step, baseline, { ...end, startedAtMs: nowMs, endedAtMs, attempts: 1, evidence: null });
}
