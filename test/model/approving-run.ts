/**
 * Approvals of a run, as in `src/workflows/run-approvals.ts`: the product's own rules decide which votes count, the run itself waits for the
 * approval of all of it, and votes on the approval of a step take their time to the target.
 */
import type { ApprovalFacts, ApprovalOrder, ApprovalProof } from '../../src/domain/contract.js';
import type { ApprovalRules } from '../../src/domain/plan/plan.js';
import {
  afterCancel,
  afterTime,
  approvalProgress,
  approvalReport,
  askApproval,
  expiresAtMs,
  type Approval,
} from '../../src/domain/steering/approvals.js';
import type { CommandArguments, CommandLog, Refusal } from '../../src/domain/steering/commands.js';
import {
  afterDecision,
  afterProof,
  afterTargetReport,
  checkDecision,
  type AnsweredDecision,
  type ApprovalDesk,
  type OpenApproval,
} from '../../src/domain/steering/run-approvals.js';
import { orderFor } from '../../src/domain/steering/target-approvals.js';
import type { AskRecord, VoteRecord } from './ground-truth.js';
import type { PlannedVote } from './scenario.js';
import { TARGET } from './step-flow.js';
import type { World } from './world.js';

/** Who has requested every run. */
export const REQUESTER = 'ann';
/** How long a report of a target takes to its run. */
const REPORT_MS = 200;

/** What approvals share with the other commands to the run. */
interface Shared {
  readonly log: () => CommandLog;
  readonly setLog: (log: CommandLog) => void;
  readonly isStopping: () => boolean;
}

/** One run, whatever executions of its target a reset makes. */
export class ApprovingRun {
  #open: OpenApproval | null = null;
  #guard: { readonly ask: AskRecord; readonly proceed: (approved: boolean) => void } | null = null;
  /** A reset delivers them again, except for those that the kept history has. */
  readonly #delivered: ApprovalOrder[] = [];
  #reported = '';
  #asked = 0;
  readonly #accepted = new Map<string, VoteRecord>();
  /** Called when an order arrives. */
  onOrder: () => void = () => {};
  /** Called when people are asked. */
  onAsk: () => void = () => {};

  constructor(
    private readonly world: World,
    private readonly facts: ApprovalFacts,
    private readonly votes: readonly PlannedVote[],
    private readonly shared: Shared,
  ) {
    for (const [index, vote] of votes.entries())
      if (vote.since === 'begin') this.#plan(vote, `b${index}`, index, world.time.nowMs);
  }

  /** Waits until the whole run is approved. @param proceed called at the end of the wait */
  ask(rules: ApprovalRules, proceed: (approved: boolean) => void): void {
    const { nowMs } = this.world.time;
    const approval = askApproval(rules, this.facts.requestedBy, nowMs);
    this.#guard = { ask: this.asks(null, '', approval), proceed };
    this.#open = { approval, step: null, target: null };
    this.world.time.at(expiresAtMs(approval), () => this.#judge());
  }

  /** The run was cancelled or aborted. */
  stops(): void {
    if (this.#guard === null || this.#open === null) return;
    this.#open = { ...this.#open, approval: afterCancel(this.#open.approval, this.world.time.nowMs) };
    this.#judge();
  }

  #judge(): void {
    if (this.#guard === null || this.#open === null) return;
    const approval = afterTime(this.#open.approval, this.world.time.nowMs);
    if (approval.stage === 'waiting') return;
    const { ask, proceed } = this.#guard;
    this.#guard = null;
    this.#open = null;
    this.ended(ask, approval);
    proceed(approval.stage === 'approved');
  }

  /** Records that people are asked, who vote then. @param runId of the execution; empty: the run itself asks */
  asks(step: string | null, runId: string, { rules, askedAtMs }: Approval): AskRecord {
    const { truth, log } = this.world;
    const { planHash } = this.facts;
    const record: AskRecord = { planHash, runId, step, rules, askedAtMs, endedAtMs: null, report: null };
    truth.asks.push(record);
    log('approval', () => `${step ?? 'the run'} asks for ${rules.need}`);
    this.onAsk();
    const nth = ++this.#asked;
    for (const [index, vote] of this.votes.entries())
      if (vote.since === 'asked') this.#plan(vote, `a${nth}-${index}`, index, askedAtMs);
    return record;
  }

  /** The wait is over. */
  ended(ask: AskRecord, approval: Approval): void {
    ask.report = approvalReport(approval);
    ask.endedAtMs = this.world.time.nowMs;
    this.world.truth.count(`approval ${approval.stage}`);
    this.world.log('approval', () => `${ask.step ?? 'the run'}: ${approval.stage}`);
  }

  /** The target reports what it waits for; `null`: nothing any longer. */
  receive(step: string | null, approval: Approval | null): void {
    const shown = approval === null ? undefined : approvalProgress(approval, step, 'may it continue');
    const news = JSON.stringify(shown ?? null);
    if (news === this.#reported) return;
    this.#reported = news;
    this.world.time.after(this.world.dice.whole(1, REPORT_MS), () => {
      if (this.#guard !== null) return;
      this.#open = afterTargetReport(this.#open, TARGET.path, shown, this.facts.requestedBy);
    });
  }

  /** The target has ended. */
  targetEnds(): void {
    if (this.#guard === null) this.#open = null;
    this.#reported = '';
  }

  /** The order that the target continues with. @param consumed those that it has continued with */
  orderFor(step: string, sinceMs: number, consumed: readonly ApprovalOrder[]): ApprovalOrder | undefined {
    return orderFor(
      this.#delivered.filter((order) => !consumed.includes(order)),
      step,
      sinceMs,
    );
  }

  /** What the token of an order proves to the worker of the target, and how long that takes. */
  proofOf({ token: index }: ApprovalOrder): { readonly proof: ApprovalProof; readonly verifyMs: number } {
    const token = this.votes[Number(index)]?.token;
    return proofIn(token?.isLostOnTarget === true ? { ...token, proves: null } : token);
  }

  #plan(vote: PlannedVote, key: string, index: number, sinceMs: number): void {
    const { time } = this.world;
    const atMs = sinceMs + vote.afterMs;
    time.at(atMs, () => this.#give(vote, index, key));
    if (vote.againAfterMs !== null) time.at(atMs + vote.againAfterMs, () => this.#give(vote, index, key));
  }

  #desk(): ApprovalDesk {
    const { planHash, issuer } = this.facts;
    return { open: this.#open, planHash, issuer, log: this.shared.log(), isStopping: this.shared.isStopping() };
  }

  #give(vote: PlannedVote, index: number, key: string): void {
    const { command, actor, token, isOfAnotherPlan = false } = vote;
    const { nowMs } = this.world.time;
    const planHash = isOfAnotherPlan ? 'another' : this.facts.planHash;
    const given = { actor, reason: 'r', key, planHash, ...(token === undefined ? {} : { token: `${index}` }) };
    const isSigned = this.facts.issuer !== null;
    const person = isSigned ? (token?.proves ?? null) : actor;
    const record: VoteRecord = {
      ...{
        run: this.facts.planHash,
        planHash,
        key,
        command,
        person,
        atMs: nowMs,
        answeredAtMs: null,
        answer: null,
        why: null,
        open: null,
      },
      isLost: isSigned && token?.isLostOnTarget === true,
      passedOnMs: vote.passedOnMs + (isSigned ? (token?.verifyMs ?? 0) : 0),
    };
    this.world.truth.votes.push(record);
    const answer = (after: AnsweredDecision | Refusal) => this.#answered(record, given, after, vote.passedOnMs);
    const refusal = checkDecision(this.#desk(), command, given, nowMs);
    if (refusal !== null) return answer(refusal);
    const after = afterDecision(this.#desk(), command, given, nowMs);
    if (after !== null) return answer(after);
    const about = this.#open;
    const { proof, verifyMs } = proofIn(token);
    this.world.time.after(verifyMs, () => {
      const verified = { receivedAtMs: nowMs, nowMs: this.world.time.nowMs, about };
      answer(afterProof(this.#desk(), command, given, proof, verified));
    });
  }

  #answered(
    record: VoteRecord,
    { key }: CommandArguments,
    after: AnsweredDecision | Refusal,
    passedOnMs: number,
  ): void {
    const { truth, time, log } = this.world;
    const { command } = record;
    const first = this.#accepted.get(key ?? '');
    record.answeredAtMs = time.nowMs;
    const open = this.#open;
    record.open = open === null ? null : { step: open.step, askedAtMs: open.approval.askedAtMs };
    if ('why' in after) {
      record.answer = 'refused';
      record.why = after.why;
      log('vote', () => `${command} of ${record.person} is refused: ${after.why}`);
      truth.count(`${command} refused`);
      if (first?.person === record.person && first.command === command)
        truth.miscounted.push(`${command} with the key of before is refused: ${after.why}`);
      return;
    }
    record.answer = after.answer.repeated ? 'repeated' : 'accepted';
    log('vote', () => `${command} of ${record.person} is ${record.answer}`);
    truth.count(`${command} ${record.answer}`);
    if (after.answer.repeated !== (first !== undefined))
      truth.miscounted.push(`${command} with the key of before is not answered as the first`);
    if (first === undefined) this.#accepted.set(key ?? '', record);
    this.shared.setLog(after.log);
    this.#open = after.open;
    const { order } = after;
    if (order === null) return this.#judge();
    time.after(passedOnMs, () => {
      this.#delivered.push(order);
      this.onOrder();
    });
  }
}

function proofIn(token: PlannedVote['token']): { readonly proof: ApprovalProof; readonly verifyMs: number } {
  if (token === undefined) return { proof: { kind: 'refused', why: 'there is no token' }, verifyMs: 0 };
  const { proves, verifyMs } = token;
  return {
    verifyMs,
    proof:
      proves === null ? { kind: 'refused', why: 'it proves nothing' } : { kind: 'proved', actor: proves, roles: [] },
  };
}
