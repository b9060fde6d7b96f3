/** The approval that a run has open: which decisions count, and what follows from them. Pure; `src/workflows/run-approvals.ts` carries it out. */
import type { ApprovalOrder, ApprovalProof } from '../contract.js';
import type { ApprovalVote } from '../report/report.js';
import type { ApprovalProgress } from '../report/progress.js';
import {
  afterVote,
  approvalOf,
  checkApprovalCommand,
  checkApprover,
  wantedOf,
  type ApprovalContext,
} from './approvals.js';
import { APPROVAL_COMMANDS, type ApprovalCommandName } from './command-names.js';
import {
  accept,
  earlierOf,
  isFull,
  MOST_RUN_COMMANDS,
  repeatedBy,
  type CommandAnswer,
  type CommandArguments,
  type CommandLog,
  type Refusal,
} from './commands.js';

/** An approval that a run has open. */
export type OpenApproval = NonNullable<ApprovalContext['open']>;

/** What a run knows when a decision reaches it. */
export interface ApprovalDesk extends ApprovalContext {
  /** The commands that the run has accepted: one list, so that a key counts for all of them. */
  readonly log: CommandLog;
  /** It was cancelled or aborted. */
  readonly isStopping: boolean;
}

/** A decision that was answered: what the run knows then, and the order for its target. */
export interface AnsweredDecision {
  readonly open: OpenApproval | null;
  readonly log: CommandLog;
  readonly answer: CommandAnswer;
  /** `null`: the run itself waits, or the decision repeats another one. */
  readonly order: ApprovalOrder | null;
}

const OVER: Refusal = { why: 'the approval that it was for is over', possible: [] };

/** @param nowMs epoch milliseconds @returns `null` if the decision is accepted, apart from what a token has to prove */
export function checkDecision(
  desk: ApprovalDesk,
  command: ApprovalCommandName,
  given: CommandArguments,
  nowMs: number,
): Refusal | null {
  const { open, log, isStopping, issuer } = desk;
  const earlier = earlierOf(log, command, given);
  if (typeof earlier === 'string') return { why: earlier, possible: APPROVAL_COMMANDS };
  if (isFull(log, MOST_RUN_COMMANDS)) return { why: `a run takes ${MOST_RUN_COMMANDS} commands`, possible: ['abort'] };
  if (earlier !== null) return null;
  if (isStopping) return { why: 'the run is being stopped', possible: [] };
  const refusal = checkApprovalCommand(desk, given, nowMs);
  if (refusal !== null || open === null || issuer !== null) return refusal;
  return checkApprover(open.approval, command, { actor: given.actor, roles: null });
}

/** Answers a decision that `checkDecision` let through. @returns `null` if its token has to be verified first */
export function afterDecision(
  desk: ApprovalDesk,
  command: ApprovalCommandName,
  given: CommandArguments,
  atMs: number,
): AnsweredDecision | Refusal | null {
  const repeated = asRepeat(desk, command, given, atMs);
  if (repeated !== null) return repeated;
  const { open, issuer } = desk;
  if (open === null) return OVER;
  if (issuer !== null) return null;
  const { actor, reason } = given;
  return counted(open, desk.log, given, { command, actor, reason, atMs });
}

/** How a signed decision was received, and when its token was verified. Epoch milliseconds. */
export interface Verified {
  readonly receivedAtMs: number;
  readonly nowMs: number;
  /** The approval that was open when it was received: it counts for no other one. */
  readonly about: OpenApproval | null;
}

/** Answers a signed decision once its token was verified. Others may have decided meanwhile, or the same one may have come again. */
export function afterProof(
  desk: ApprovalDesk,
  command: ApprovalCommandName,
  given: CommandArguments,
  proof: ApprovalProof,
  { receivedAtMs, nowMs, about }: Verified,
): AnsweredDecision | Refusal {
  if (proof.kind === 'refused') return { why: proof.why, possible: APPROVAL_COMMANDS };
  const { actor, roles } = proof;
  const { open, issuer, log } = desk;
  const refusal = checkDecision(desk, command, given, nowMs);
  if (refusal !== null) return refusal;
  const repeated = asRepeat(desk, command, given, nowMs);
  if (repeated !== null) return repeated;
  if (open === null || issuer === null || !isSameApproval(open, about)) return OVER;
  const unfit = checkApprover(open.approval, command, { actor, roles });
  if (unfit !== null) return unfit;
  const { reason } = given;
  const vote = { command, actor, reason, atMs: receivedAtMs, roles: wantedOf(roles, open.approval.rules) };
  return counted(open, log, given, { ...vote, signedBy: issuer });
}

function isSameApproval(open: OpenApproval, about: OpenApproval | null): boolean {
  const { step, target, approval } = open;
  return about?.step === step && about.target === target && about.approval.askedAtMs === approval.askedAtMs;
}

function asRepeat(
  { open, log }: ApprovalDesk,
  command: ApprovalCommandName,
  given: CommandArguments,
  atMs: number,
): AnsweredDecision | null {
  const repeats = repeatedBy(log, command, given);
  if (repeats === null) return null;
  return { open, order: null, ...accept(log, command, given, { atMs, state: '', repeats }) };
}

function counted(
  open: OpenApproval,
  before: CommandLog,
  given: CommandArguments,
  vote: ApprovalVote,
): AnsweredDecision {
  const { command, actor, atMs, roles, signedBy } = vote;
  const { step, target } = open;
  const approval = afterVote(open.approval, vote);
  const about = { ...given, actor };
  const { log, answer } = accept(before, command, step === null ? about : { ...about, step }, {
    atMs,
    state: approval.stage === 'waiting' ? 'waitingForApproval' : approval.stage,
    repeats: null,
    approval: {
      ...(target === null ? {} : { target }),
      ...(roles === undefined ? {} : { roles }),
      ...(signedBy === undefined ? {} : { signedBy }),
    },
  });
  const token = given.token === undefined ? {} : { token: given.token };
  const order = step === null ? null : { step, askedAtMs: approval.askedAtMs, vote, ...token };
  return { open: { ...open, approval }, log, answer, order };
}

/** What is open once a target has reported what it waits for. What the run has counted stays counted. @param requestedBy who requested the run */
export function afterTargetReport(
  open: OpenApproval | null,
  target: string,
  shown: ApprovalProgress | undefined,
  requestedBy: string | null,
): OpenApproval | null {
  if (shown === undefined) return open?.target === target ? null : open;
  const isSame = open?.target === target && open.step === shown.step && open.approval.askedAtMs === shown.askedAtMs;
  return isSame ? open : { approval: approvalOf(shown, requestedBy), step: shown.step, target };
}
