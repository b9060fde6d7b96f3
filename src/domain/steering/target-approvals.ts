/** An approval as the target that asked for it decides it. Pure; `src/workflows/target-approval.ts` carries it out. */
import type { ApprovalOrder } from '../contract.js';
import type { ApprovalVote } from '../report/report.js';
import { afterTime, afterVote, checkApprover, expiresAtMs, type Approval } from './approvals.js';

/** A decision that the run took in time may arrive a little later. Chosen: far longer than a signal takes. Milliseconds. */
const GRACE_MS = 10_000;

/** How long the target waits for decisions that the run took in time. Epoch milliseconds. */
export function waitsUntilMs(approval: Approval): number {
  return expiresAtMs(approval) + GRACE_MS;
}

/**
 * @param askedAtMs when the step began to ask, epoch milliseconds
 *
 * @returns the oldest order that is about this wait of the step: one of before a reset may be about another one
 */
export function orderFor(orders: readonly ApprovalOrder[], step: string, askedAtMs: number): ApprovalOrder | undefined {
  return orders.find((order) => order.step === step && order.askedAtMs >= askedAtMs);
}

/**
 * Counts the decision of an order, if this person may decide: anybody can send a signal.
 *
 * @param vote `null`: its token does not prove who decided
 *
 * @returns the very same approval if the order does not count
 */
export function afterOrder(approval: Approval, vote: ApprovalVote | null): Approval {
  if (vote === null) return approval;
  const refusal = checkApprover(approval, vote.command, { actor: vote.actor, roles: vote.roles ?? null });
  return refusal === null ? afterVote(approval, vote) : approval;
}

/**
 * The approval, asked for again after an order that does not count: the run may have counted it, and takes other decisions only about a new
 * question. What the target has counted stays counted, and it expires when it would have.
 *
 * @param nowMs epoch milliseconds
 */
export function askAgain(approval: Approval, nowMs: number): Approval {
  const askedAtMs = Math.max(nowMs, approval.askedAtMs + 1);
  const expiresMs = expiresAtMs(approval) - askedAtMs;
  return expiresMs > 0 ? { ...approval, askedAtMs, rules: { ...approval.rules, expiresMs } } : approval;
}

/** The approval at a time at which no order is there, epoch milliseconds. */
export function afterWait(approval: Approval, nowMs: number): Approval {
  return nowMs >= waitsUntilMs(approval) ? afterTime(approval, nowMs) : approval;
}

/** How long the target has waited for people since it asked first, milliseconds: it counts against no deadline. */
export function waitedForMs({ endedAtMs }: Approval, askedAtMs: number, nowMs: number): number {
  return Math.max(nowMs, endedAtMs ?? nowMs) - askedAtMs;
}
