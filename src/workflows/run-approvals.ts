/** Approvals of a run: takes `approve` and `reject`, waits for the approval of the whole run, and passes decisions on to a target that waits. */
import {
  CancellationScope,
  condition,
  isCancellation,
  setHandler,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import type { ApprovalOrder, ApprovalProof, ApprovalProofAsked } from '../domain/contract.js';
import type { Plan } from '../domain/plan/plan.js';
import type { ApprovalReport, ApprovalVote } from '../domain/report/report.js';
import type { ApprovalProgress } from '../domain/report/progress.js';
import {
  afterCancel,
  afterTime,
  afterVote,
  approvalOf,
  approvalProgress,
  approvalReport,
  askApproval,
  checkApprovalCommand,
  checkApprover,
  expiresAtMs,
  wantedOf,
  type ApprovalContext,
} from '../domain/steering/approvals.js';
import { APPROVAL_COMMANDS, type ApprovalCommandName } from '../domain/steering/command-names.js';
import {
  accept,
  describeRefusal,
  earlierOf,
  repeatedBy,
  isFull,
  MOST_RUN_COMMANDS,
  type CommandAnswer,
  type CommandArguments,
  type CommandLog,
  type Refusal,
} from '../domain/steering/commands.js';
import { commandRejected, rootCause } from './failure.js';
import { verifyApproval } from './proxies.js';
import type { RunNotifications } from './run-notifications.js';
import type { RunProgressView } from './run-progress.js';
import { approvalSignal, updateOf, validate } from './steering-messages.js';
import type { targetRun } from './target-run.js';
import { conditionUntil } from './timers.js';

/** What approvals share with the other commands to the run. */
export interface SharedSteering {
  /** One list of commands, so that a key counts for all of them. */
  readonly log: () => CommandLog;
  readonly setLog: (log: CommandLog) => void;
  /** The workflow of the target that has begun. */
  readonly child: () => ChildWorkflowHandle<typeof targetRun> | null;
  readonly notifications: RunNotifications;
  /** Another approval is open, or none. */
  readonly changed: () => void;
}

type OpenApproval = NonNullable<ApprovalContext['open']>;

const OVER: Refusal = { why: 'it is over', possible: [] };

/** At most one approval is open at a time, because targets begin one after another. */
export class RunApprovals {
  readonly #scope = CancellationScope.current();
  #plan: Plan | null = null;
  #open: OpenApproval | null = null;
  #report: ApprovalReport | null = null;
  /** How many tokens are being verified. */
  #verifying = 0;
  /** Settles once the newest order is on its way. */
  #passedOn: Promise<void> = Promise.resolve();
  /** Orders for a target whose workflow is not known to have started yet. */
  #kept: ApprovalOrder[] = [];

  constructor(
    private readonly shared: SharedSteering,
    private readonly progress: RunProgressView,
  ) {
    for (const command of APPROVAL_COMMANDS)
      setHandler(updateOf(command), (given) => this.#accept(command, given), {
        validator: (given) => validate(command, given, (read) => this.#check(command, read)),
      });
  }

  /** The approval of the whole run, once it has ended; `null` before, and if the runbook asks for none. */
  get report(): ApprovalReport | null {
    return this.#report;
  }

  get isOpen(): boolean {
    return this.#open !== null;
  }

  planned(plan: Plan): void {
    this.#plan = plan;
  }

  /**
   * Waits until the whole run is approved, if the plan asks for it. A cancel ends the wait.
   *
   * @returns how long it waited, milliseconds
   */
  async untilApproved({ approval: rules, requestedBy, title }: Plan): Promise<number> {
    if (rules === undefined) return 0;
    const asked = askApproval(rules, requestedBy, Date.now());
    this.#show({ approval: asked, step: null, target: null }, title);
    let nowMs = asked.askedAtMs;
    let approval = asked;
    try {
      while (approval.stage === 'waiting') {
        const seen = approval;
        nowMs = await conditionUntil(() => this.#open?.approval !== seen, expiresAtMs(approval));
        approval = afterTime(this.#open?.approval ?? seen, nowMs);
        if (approval.stage === 'waiting') this.#show({ approval, step: null, target: null }, title);
      }
    } catch (error) {
      if (!isCancellation(error)) throw error;
      nowMs = Math.max(nowMs, Date.now());
      approval = afterCancel(approval, nowMs);
    }
    this.#report = approvalReport(approval);
    this.#open = null;
    this.progress.approval(null);
    this.shared.notifications.answered(null);
    this.shared.changed();
    return nowMs - asked.askedAtMs;
  }

  /** A target reports that a step of it waits for an approval, or no longer does. */
  receive(target: string, approval: ApprovalProgress | undefined): void {
    const isSame = (open: OpenApproval) =>
      open.target === target && open.step === approval?.step && open.approval.askedAtMs === approval.askedAtMs;
    if (approval === undefined) this.targetEnds(target);
    else if (this.#open === null || !isSame(this.#open))
      this.#open = { approval: approvalOf(approval, this.#plan?.requestedBy ?? null), step: approval.step, target };
    this.progress.targetAsks(target, approval ?? null);
    if (approval !== undefined) this.shared.notifications.asked(target, approval);
  }

  /** The workflow of the target that has begun has started. */
  targetStarted(): void {
    for (const order of this.#kept.splice(0)) this.#order(order);
  }

  targetEnds(target: string): void {
    this.#kept = [];
    this.shared.notifications.answered(target);
    if (this.#open?.target !== target) return;
    this.#open = null;
    this.progress.targetAsks(target, null);
  }

  #show(open: OpenApproval, title: string): void {
    this.#open = open;
    const shown = approvalProgress(open.approval, open.step, title);
    this.progress.approval(shown);
    this.shared.notifications.asked(null, shown);
    this.shared.changed();
  }

  #check(command: ApprovalCommandName, given: CommandArguments): Refusal | null {
    const log = this.shared.log();
    const earlier = earlierOf(log, command, given);
    if (typeof earlier === 'string') return { why: earlier, possible: APPROVAL_COMMANDS };
    if (isFull(log, MOST_RUN_COMMANDS))
      return { why: `a run takes ${MOST_RUN_COMMANDS} commands`, possible: ['abort'] };
    if (earlier !== null) return null;
    if (this.#scope.consideredCancelled) return { why: 'the run is being stopped', possible: [] };
    const context = this.#context();
    const refusal = checkApprovalCommand(context, given, Date.now());
    if (refusal !== null || context.open === null || context.issuer !== null) return refusal;
    return checkApprover(context.open.approval, command, { actor: given.actor, roles: null });
  }

  #context(): ApprovalContext {
    return {
      open: this.#open,
      planHash: this.#plan?.hash ?? null,
      issuer: this.#plan?.approvalIssuer ?? null,
    };
  }

  /** Only a signed decision is awaited: its token is verified first. */
  #accept(command: ApprovalCommandName, given: CommandArguments): CommandAnswer | Promise<CommandAnswer> {
    const atMs = Date.now();
    const repeats = repeatedBy(this.shared.log(), command, given);
    if (repeats !== null) {
      const { log, answer } = accept(this.shared.log(), command, given, { atMs, state: '', repeats });
      this.shared.setLog(log);
      return answer;
    }
    const open = this.#open;
    // Nothing happens between the validator and this.
    if (open === null) throw commandRejected(describeRefusal(command, OVER), false);
    const { actor, reason } = given;
    const { planHash, issuer } = this.#context();
    if (issuer === null || planHash === null) return this.#count(open, given, { command, actor, reason, atMs });
    return this.#acceptSigned(command, given, { issuer, planHash, receivedAtMs: atMs });
  }

  async #acceptSigned(
    command: ApprovalCommandName,
    given: CommandArguments,
    asked: Omit<ApprovalProofAsked, 'token'>,
  ): Promise<CommandAnswer> {
    this.#verifying++;
    try {
      const proof = await CancellationScope.nonCancellable(() =>
        verifyApproval({ ...asked, token: given.token ?? '' }),
      );
      const answer = this.#countSigned(command, given, asked, proof);
      // Otherwise the order of the signal and of the answer in history would not be certain, and a replay could differ.
      await this.#passedOn;
      return answer;
    } catch (error) {
      // A token that was refused is in the history as well, so it counts towards the limit.
      const log = this.shared.log();
      this.shared.setLog({ ...log, repeats: log.repeats + 1 });
      const { name, message } = rootCause(error);
      throw name === 'CommandRejected'
        ? error
        : commandRejected(
            describeRefusal(command, { why: `the token cannot be verified: ${message}`, possible: [] }),
            true,
          );
    } finally {
      this.#verifying--;
    }
  }

  /** Others may have decided while the token was verified. */
  #countSigned(
    command: ApprovalCommandName,
    given: CommandArguments,
    { issuer, receivedAtMs }: Omit<ApprovalProofAsked, 'token'>,
    proof: ApprovalProof,
  ): CommandAnswer {
    const refuse = (refusal: Refusal) => commandRejected(describeRefusal(command, refusal), false);
    if (proof.kind === 'refused') throw refuse({ why: proof.why, possible: APPROVAL_COMMANDS });
    const open = this.#open;
    if (open === null) throw refuse(this.#check(command, given) ?? OVER);
    const { actor, roles } = proof;
    const refusal = this.#check(command, given) ?? checkApprover(open.approval, command, { actor, roles });
    if (refusal !== null) throw refuse(refusal);
    const vote = {
      command,
      actor,
      reason: given.reason,
      atMs: receivedAtMs,
      roles: wantedOf(roles, open.approval.rules),
      signedBy: issuer,
    };
    return this.#count(open, given, vote);
  }

  /** Waits until no token is being verified, so that no sender is left without an answer. */
  async answered(): Promise<void> {
    if (this.#verifying > 0) await CancellationScope.nonCancellable(() => condition(() => this.#verifying === 0));
  }

  #count(open: OpenApproval, given: CommandArguments, vote: ApprovalVote): CommandAnswer {
    const { command, actor, atMs, roles, signedBy } = vote;
    const approval = afterVote(open.approval, vote);
    this.#open = { ...open, approval };
    const { step, target } = open;
    if (step !== null)
      this.#order({
        step,
        askedAtMs: approval.askedAtMs,
        vote,
        ...(given.token === undefined ? {} : { token: given.token }),
      });
    const about = { ...given, actor };
    const { log, answer } = accept(this.shared.log(), command, step === null ? about : { ...about, step }, {
      atMs,
      state: approval.stage === 'waiting' ? 'waitingForApproval' : approval.stage,
      repeats: null,
      approval: {
        ...(target === null ? {} : { target }),
        ...(roles === undefined ? {} : { roles }),
        ...(signedBy === undefined ? {} : { signedBy }),
      },
    });
    this.shared.setLog(log);
    return answer;
  }

  #order(order: ApprovalOrder): void {
    const child = this.shared.child();
    if (child === null) {
      this.#kept.push(order);
      return;
    }
    this.#passedOn = CancellationScope.nonCancellable(() => child.signal(approvalSignal, order)).catch(() => {});
  }
}
