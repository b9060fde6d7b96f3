/** Approvals of a run: takes `approve` and `reject`, waits for the approval of the whole run, and passes decisions on to a target that waits. */
import {
  CancellationScope,
  condition,
  isCancellation,
  setHandler,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import type { ApprovalOrder, ApprovalProofAsked } from '../domain/contract.js';
import type { Plan } from '../domain/plan/plan.js';
import type { ApprovalReport } from '../domain/report/report.js';
import type { ApprovalProgress } from '../domain/report/progress.js';
import {
  afterCancel,
  afterTime,
  approvalProgress,
  approvalReport,
  askApproval,
  expiresAtMs,
} from '../domain/steering/approvals.js';
import { APPROVAL_COMMANDS, type ApprovalCommandName } from '../domain/steering/command-names.js';
import {
  describeRefusal,
  type CommandAnswer,
  type CommandArguments,
  type CommandLog,
  type Refusal,
} from '../domain/steering/commands.js';
import {
  afterDecision,
  afterProof,
  afterTargetReport,
  checkDecision,
  type AnsweredDecision,
  type ApprovalDesk,
  type OpenApproval,
} from '../domain/steering/run-approvals.js';
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
        validator: (given) =>
          validate(command, given, (read) => checkDecision(this.#desk(), command, read, Date.now())),
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
    if (approval === undefined) this.targetEnds(target);
    else this.#open = afterTargetReport(this.#open, target, approval, this.#plan?.requestedBy ?? null);
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

  #desk(): ApprovalDesk {
    return {
      open: this.#open,
      planHash: this.#plan?.hash ?? null,
      issuer: this.#plan?.approvalIssuer ?? null,
      log: this.shared.log(),
      isStopping: this.#scope.consideredCancelled,
    };
  }

  /** Only a signed decision is awaited: its token is verified first. */
  #accept(command: ApprovalCommandName, given: CommandArguments): CommandAnswer | Promise<CommandAnswer> {
    const atMs = Date.now();
    const desk = this.#desk();
    const after = afterDecision(desk, command, given, atMs);
    if (after !== null) return this.#answer(command, after);
    const { issuer, planHash, open } = desk;
    const asked = { issuer: issuer ?? '', planHash: planHash ?? '', receivedAtMs: atMs };
    return this.#acceptSigned(command, given, asked, open);
  }

  async #acceptSigned(
    command: ApprovalCommandName,
    given: CommandArguments,
    asked: Omit<ApprovalProofAsked, 'token'>,
    about: OpenApproval | null,
  ): Promise<CommandAnswer> {
    this.#verifying++;
    try {
      const proof = await CancellationScope.nonCancellable(() =>
        verifyApproval({ ...asked, token: given.token ?? '' }),
      );
      const verified = { receivedAtMs: asked.receivedAtMs, nowMs: Date.now(), about };
      const answer = this.#answer(command, afterProof(this.#desk(), command, given, proof, verified));
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

  /** @throws CommandRejected if it was refused after all */
  #answer(command: ApprovalCommandName, after: AnsweredDecision | Refusal): CommandAnswer {
    if ('why' in after) throw commandRejected(describeRefusal(command, after), false);
    const { open, log, answer, order } = after;
    this.#open = open;
    if (order !== null) this.#order(order);
    this.shared.setLog(log);
    return answer;
  }

  /** Waits until no token is being verified, so that no sender is left without an answer. */
  async answered(): Promise<void> {
    if (this.#verifying > 0) await CancellationScope.nonCancellable(() => condition(() => this.#verifying === 0));
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
