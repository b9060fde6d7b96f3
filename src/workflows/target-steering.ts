/** Steers one target: waits at step edges while the run is paused, and waits for a person where a step is blocked. */
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { LateStep, SteerOrder, TargetRunArguments, TargetState } from '../domain/contract.js';
import type { ApprovalProgress, BlockedProgress } from '../domain/report/progress.js';
import type { CommandRecord } from '../domain/report/report.js';
import {
  APPROVAL_COMMANDS,
  RUN_COMMANDS,
  TARGET_COMMANDS,
  type TargetCommandName,
} from '../domain/steering/command-names.js';
import {
  afterTargetCommand,
  afterTargetEvent,
  checkTargetCommand,
  NOT_BLOCKED,
  type TargetSteering as State,
  type TargetSteeringEvent,
} from '../domain/steering/target-steering.js';
import { refuseMisdirected, steerSignal, targetStateSignal, updateOf, validate } from './steering-messages.js';
import type { TargetProgressView } from './target-progress.js';
import { conditionUntil } from './timers.js';

/** What people have decided about the target, and what it waits for. */
export class TargetSteering {
  readonly #scope = CancellationScope.current();
  readonly #path: string;
  #state: State = NOT_BLOCKED;
  #order: SteerOrder = { paused: false, order: 0, atMs: 0 };
  #blocked: BlockedProgress | null = null;
  #approval: ApprovalProgress | null = null;
  #heldMs = 0;
  #late: LateStep | null = null;
  /** The newest report to the run. */
  #reported = '';
  /** It waits for a person or for the end of a pause, so that nothing is in flight. */
  #isResting = false;

  constructor(
    { targetPlan }: TargetRunArguments,
    private readonly progress: TargetProgressView,
  ) {
    this.#path = targetPlan.target.path;
    for (const command of TARGET_COMMANDS)
      setHandler(updateOf(command), (given) => this.#accept(command, given), {
        validator: (given) =>
          validate(command, given, (read) => checkTargetCommand(this.#current(), command, read, this.#path)),
      });
    const run = workflowInfo().parent?.workflowId ?? 'if there is one';
    refuseMisdirected([...RUN_COMMANDS, ...APPROVAL_COMMANDS], () => `the run, ${run}`);
    setHandler(steerSignal, (order) => this.#steer(order));
  }

  /** How long the target has waited for people, milliseconds. That counts against no deadline. */
  get heldMs(): number {
    return this.#heldMs;
  }

  /** The run has ordered it to begin no step. */
  get isPaused(): boolean {
    return this.#state.paused && !this.#scope.consideredCancelled;
  }

  /**
   * Waits while the run is paused. A cancel ends the wait.
   *
   * @param nowMs when the edge was reached, epoch milliseconds, from the history
   * @returns the time afterwards
   */
  async atEdge(nowMs: number): Promise<number> {
    if (!this.isPaused) return nowMs;
    this.#rest();
    try {
      await condition(() => !this.#state.paused);
    } catch (error) {
      if (!isCancellation(error)) throw error;
    }
    const endMs = Math.max(nowMs, Date.now());
    this.#moves(endMs - nowMs);
    return endMs;
  }

  /**
   * Waits until somebody decides about a step.
   *
   * @param blocked `untilMs` moves by the time for which the run is paused
   * @param sinceMs when the wait began, epoch milliseconds, from the history
   * @returns the decision, or `null` if no one decided in time or the run was cancelled; and the time afterwards
   */
  async decision(blocked: BlockedProgress, sinceMs: number): Promise<Decided> {
    this.#note({ kind: 'blocked', step: blocked.step });
    let { untilMs } = blocked;
    let nowMs = sinceMs;
    try {
      for (;;) {
        this.#waits({ ...blocked, untilMs });
        const { decision } = this.#state;
        if (decision !== null) break;
        if (this.#state.paused) {
          const pausedAtMs = nowMs;
          await condition(() => !this.#state.paused);
          nowMs = Math.max(nowMs, Date.now());
          untilMs += nowMs - pausedAtMs;
        } else {
          if (nowMs >= untilMs) break;
          nowMs = Math.max(nowMs, await conditionUntil(() => this.#isOver(), untilMs));
        }
      }
    } catch (error) {
      if (!isCancellation(error)) throw error;
      nowMs = Math.max(nowMs, Date.now());
    }
    const { decision } = this.#state;
    this.#blocked = null;
    this.progress.blocked(null);
    if (decision === null) this.#note({ kind: 'unblocked' });
    this.#moves(nowMs - sinceMs);
    return { decision, nowMs, untilMs };
  }

  /** The decision was carried out. */
  decided(): void {
    this.#note({ kind: 'unblocked' });
  }

  /** The time of the reading before a decision counts against no deadline either. */
  held(ms: number): void {
    this.#heldMs += Math.max(0, ms);
  }

  /** A step waits for an approval, which the run takes. */
  asks(approval: ApprovalProgress): void {
    this.#approval = approval;
    this.progress.asks(approval);
    this.#rest();
  }

  /** The wait is over. @param waitedMs how long it took */
  answered(waitedMs: number): void {
    this.#approval = null;
    this.progress.asks(null);
    this.#moves(waitedMs);
  }

  /** A step takes unusually long; `null`: it has ended, which the run learns anyway. */
  late(late: LateStep | null): void {
    this.#late = late;
    if (late !== null) this.#report();
  }

  #isOver(): boolean {
    return this.#state.decision !== null || this.#state.paused;
  }

  #current(): State {
    return this.#scope.consideredCancelled ? afterTargetEvent(this.#state, { kind: 'cancelled' }) : this.#state;
  }

  #accept(command: TargetCommandName, given: Parameters<typeof afterTargetCommand>[2]) {
    const { state, answer } = afterTargetCommand(this.#current(), command, given, Date.now());
    this.#state = state;
    return answer;
  }

  #note(event: TargetSteeringEvent): void {
    this.#state = afterTargetEvent(this.#state, event);
  }

  #steer(order: SteerOrder): void {
    if (typeof order?.order !== 'number' || order.order < this.#order.order) return;
    this.#order = order;
    this.#note({ kind: order.paused ? 'paused' : 'resumed' });
    if (this.#isResting) this.#report();
  }

  #waits(blocked: BlockedProgress): void {
    this.#blocked = blocked;
    this.progress.blocked(blocked);
    this.#rest();
  }

  #rest(): void {
    this.#isResting = true;
    this.#report();
  }

  #moves(heldMs: number): void {
    this.#isResting = false;
    this.held(heldMs);
    this.#report();
  }

  /** The run may have ended, or may be an older version that does not listen. */
  #report(): void {
    const { parent } = workflowInfo();
    if (parent === undefined) return;
    const isPaused = this.#isResting && this.#state.paused;
    this.progress.paused(isPaused);
    const blocked = this.#blocked;
    const approval = this.#approval;
    const waits = blocked !== null ? 'blocked' : approval !== null ? 'waitingForApproval' : 'running';
    const reported: TargetState = {
      path: this.#path,
      state: isPaused ? 'paused' : waits,
      order: this.#order.order,
      heldMs: this.#heldMs,
      ...(blocked === null ? {} : { blocked }),
      ...(approval === null ? {} : { approval }),
      ...(this.#late === null ? {} : { late: this.#late }),
    };
    const news = JSON.stringify({ ...reported, heldMs: 0 });
    if (news === this.#reported) return;
    this.#reported = news;
    const run = getExternalWorkflowHandle(parent.workflowId, parent.runId);
    void CancellationScope.nonCancellable(() => run.signal(targetStateSignal, reported)).catch(() => {});
  }
}

/** How a wait for a person ended. Epoch milliseconds. */
export interface Decided {
  readonly decision: CommandRecord | null;
  readonly nowMs: number;
  /** When the wait ends that a decision interrupted. */
  readonly untilMs: number;
}
