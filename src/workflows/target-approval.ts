/** A step of a target that waits until people have approved it. The run takes their decisions and passes them on. */
import { isCancellation, patched, setHandler } from '@temporalio/workflow';
import type { ApprovalFacts, ApprovalOrder, Baseline, TargetRunArguments } from '../domain/contract.js';
import type { ApprovalStep } from '../domain/plan/plan.js';
import type { ApprovalVote } from '../domain/report/report.js';
import { approvalOutcome, type StepOutcome } from '../domain/report/step-outcome.js';
import { afterCancel, approvalProgress, approvalReport, askApproval, wantedOf } from '../domain/steering/approvals.js';
import {
  afterOrder,
  afterWait,
  askAgain,
  orderFor,
  waitedForMs,
  waitsUntilMs,
} from '../domain/steering/target-approvals.js';
import { isApprovalOrder } from '../domain/steering/target-state.js';
import { verifyApproval } from './proxies.js';
import { approvalSignal } from './steering-messages.js';
import type { TargetSteering } from './target-steering.js';
import { conditionUntil } from './timers.js';

/** Waits for approvals of one target, one step after another. */
export class TargetApprovals {
  readonly #orders: ApprovalOrder[] = [];

  constructor(
    private readonly request: TargetRunArguments,
    private readonly steering: TargetSteering,
  ) {
    setHandler(approvalSignal, (order) => {
      if (isApprovalOrder(order)) this.#orders.push(order);
    });
  }

  /** A cancel ends the wait. @param askedAtMs epoch milliseconds, from the history */
  async untilApproved(step: ApprovalStep, baseline: Baseline, askedAtMs: number): Promise<StepOutcome> {
    const { approval: facts = NOTHING_KNOWN } = this.request;
    let approval = askApproval(step, facts.requestedBy, askedAtMs);
    let nowMs = askedAtMs;
    const next = () => orderFor(this.#orders, step.id, askedAtMs);
    try {
      while (approval.stage === 'waiting') {
        this.steering.asks(approvalProgress(approval, step.id, step.title));
        const order = next();
        if (order !== undefined) {
          this.#orders.splice(this.#orders.indexOf(order), 1);
          const counted = afterOrder(approval, await provedVote(order, step, facts));
          const asksAgain = counted === approval && patched('approval-asked-again');
          approval = asksAgain ? askAgain(approval, Date.now()) : counted;
          continue;
        }
        approval = afterWait(approval, nowMs);
        if (approval.stage === 'waiting')
          nowMs = Math.max(nowMs, await conditionUntil(() => next() !== undefined, waitsUntilMs(approval)));
      }
    } catch (error) {
      if (!isCancellation(error)) throw error;
      nowMs = Math.max(nowMs, Date.now());
      approval = afterCancel(approval, nowMs);
    }
    this.steering.answered(waitedForMs(approval, askedAtMs, nowMs));
    return approvalOutcome(step, baseline, approvalReport({ ...approval, askedAtMs }));
  }
}

const NOTHING_KNOWN: ApprovalFacts = { requestedBy: null, planHash: '', issuer: null };

/** @returns `null` if only signed approvals count, and this one is not or cannot be verified */
async function provedVote(
  { vote, token }: ApprovalOrder,
  step: ApprovalStep,
  facts: ApprovalFacts,
): Promise<ApprovalVote | null> {
  const { issuer, planHash } = facts;
  const { roles: _roles, signedBy: _signedBy, ...claimed } = vote;
  if (issuer === null) return claimed;
  if (typeof token !== 'string') return null;
  try {
    const proof = await verifyApproval({ token, issuer, planHash, receivedAtMs: vote.atMs });
    return proof.kind === 'proved'
      ? { ...claimed, actor: proof.actor, roles: wantedOf(proof.roles, step), signedBy: issuer }
      : null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return null;
  }
}
