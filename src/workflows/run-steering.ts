/** Steers a run: takes `pause`, `resume` and `abort`, passes a pause on to the targets that have begun, and shows who needs a person. */
import {
  CancellationScope,
  condition,
  setHandler,
  upsertSearchAttributes,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { STATE_SEARCH_ATTRIBUTE } from '../domain/contract.js';
import { targetsAtOnce, type Plan } from '../domain/plan/plan.js';
import type { CommandRecord } from '../domain/report/report.js';
import { RUN_COMMANDS, TARGET_COMMANDS, type RunCommandName } from '../domain/steering/command-names.js';
import { mostRunCommands, recordsOf } from '../domain/steering/commands.js';
import {
  afterRunCommand,
  afterRunEvent,
  checkRunCommand,
  isHeld,
  NOT_STEERED,
  type RunSteering as State,
  type RunSteeringEvent,
} from '../domain/steering/run-steering.js';
import { readTargetState } from '../domain/steering/target-state.js';
import { RunApprovals, type SharedSteering } from './run-approvals.js';
import type { RunNotifications } from './run-notifications.js';
import type { RunProgressView } from './run-progress.js';
import { refuseMisdirected, steerSignal, targetStateSignal, updateOf, validate } from './steering-messages.js';
import type { targetRun } from './target-run.js';

const stateKey = defineSearchAttributeKey(STATE_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD);

type Child = ChildWorkflowHandle<typeof targetRun>;

/** For people who sent the command for a blocked step to the run. */
function whereTargetsTakeCommands({ current: { targets } }: RunProgressView): string {
  const blocked = targets.filter((target) => target.blocked !== undefined).map(({ leaseId }) => leaseId);
  return `the workflow of the blocked target, ${blocked.length === 0 ? 'and none is blocked now' : blocked.join(' or ')}`;
}

/** What an operator has commanded so far, and what follows from it. */
export class RunSteering {
  readonly #scope = CancellationScope.current();
  #state: State = NOT_STEERED;
  /** Targets that have begun: the workflow of each once it is there, and the newest order at which it rests. */
  readonly #begun = new Map<string, { child: Child | null; restsAt: number | null }>();
  /** Time for which no target could begin, milliseconds. */
  #pausedMs = 0;
  /** Until then such time is in `#pausedMs` already, epoch milliseconds. */
  #countedUntilMs = 0;
  /** Time for which each target has waited for people. */
  readonly #heldMs = new Map<string, number>();
  readonly #blocked = new Set<string>();
  #mostCommands = mostRunCommands(1);
  #hasStateAttribute = false;
  #shown: string | null = null;

  readonly approvals: RunApprovals;

  constructor(
    private readonly progress: RunProgressView,
    private readonly notifications: RunNotifications,
  ) {
    this.approvals = new RunApprovals(this.#shared(), progress);
    for (const command of RUN_COMMANDS)
      setHandler(updateOf(command), (given) => this.#accept(command, given), {
        validator: (given) =>
          validate(command, given, (read) => checkRunCommand(this.#current(), command, read, this.#mostCommands)),
      });
    refuseMisdirected(TARGET_COMMANDS, () => whereTargetsTakeCommands(progress));
    setHandler(targetStateSignal, (reported) => this.#receive(reported));
  }

  /** Commands that were accepted, oldest first. */
  get commands(): readonly CommandRecord[] {
    return recordsOf(this.#state.log);
  }

  get isAborted(): boolean {
    return this.commands.some(({ command }) => command === 'abort');
  }

  /** How long the run has waited for people, milliseconds. That counts against no deadline. */
  get heldMs(): number {
    return [...this.#heldMs.values()].reduce((sum, ms) => sum + ms, this.#pausedMs);
  }

  get isHeld(): boolean {
    return isHeld(this.#current());
  }

  /** From now on the run may show that it needs a person. */
  planned(plan: Plan): void {
    this.#mostCommands = mostRunCommands(targetsAtOnce(plan));
    this.#hasStateAttribute = plan.hasStateAttribute === true;
    this.approvals.planned(plan);
    this.#show();
  }

  /** Waits while the run is paused. @throws CancelledFailure */
  async untilResumed(): Promise<void> {
    if (!this.isHeld) return;
    const sinceMs = Date.now();
    try {
      await condition(() => !this.isHeld);
    } finally {
      // The targets of an emergency wait together, and that time counts once.
      this.#pausedMs += Date.now() - Math.max(sinceMs, this.#countedUntilMs);
      this.#countedUntilMs = Date.now();
    }
  }

  /** Waits until the whole run is approved, if the plan asks for it. The wait counts against no deadline. */
  async untilApproved(plan: Plan): Promise<void> {
    this.#pausedMs += await this.approvals.untilApproved(plan);
  }

  /** A target is about to be started. */
  targetBegins(path: string): void {
    this.#begun.set(path, { child: null, restsAt: null });
    this.#note({ kind: 'targetBegins' });
  }

  /** Its workflow has started; it is ordered to pause if the run was paused meanwhile. */
  targetStarted(path: string, child: Child): void {
    this.#begun.set(path, { child, restsAt: null });
    this.approvals.targetStarted();
    if (this.isHeld) this.#order(child);
  }

  targetEnds(path: string): void {
    this.#begun.delete(path);
    this.approvals.targetEnds(path);
    this.notifications.unblocked(path);
    if (this.#blocked.delete(path)) this.progress.targetBlocked(path, null);
    if (this.#begun.size === 0) this.#note({ kind: 'targetEnds' });
    else this.#noteRest();
  }

  /** The run has ended. It may stay open until webhooks are notified, and takes no more commands. */
  finished(): void {
    this.#state = afterRunEvent(this.#state, { kind: 'cancelled' });
    this.#setAttribute(null);
  }

  /** A cancel calls no handler, so it is read here whenever the state is needed. */
  #current(): State {
    return this.#scope.consideredCancelled ? afterRunEvent(this.#state, { kind: 'cancelled' }) : this.#state;
  }

  #accept(command: RunCommandName, given: Parameters<typeof afterRunCommand>[2]) {
    const { state, answer } = afterRunCommand(this.#current(), command, given, Date.now());
    this.#state = state;
    if (answer.repeated) return answer;
    if (command === 'abort') {
      this.#scope.cancel();
      this.progress.aborted({ actor: given.actor, reason: given.reason, sinceMs: answer.atMs });
    } else for (const { child } of this.#begun.values()) this.#order(child);
    this.#show();
    return answer;
  }

  #note(event: RunSteeringEvent): void {
    this.#state = afterRunEvent(this.#current(), event);
    this.#show();
  }

  #receive(given: unknown): void {
    const reported = readTargetState(given);
    if (reported === null) return;
    const { path, state, order, heldMs, blocked, approval, late } = reported;
    this.#heldMs.set(path, Math.max(heldMs, this.#heldMs.get(path) ?? 0));
    if (blocked !== undefined && state === 'blocked') {
      this.#blocked.add(path);
      this.notifications.blocked(path, blocked);
    } else if (blocked === undefined) {
      this.#blocked.delete(path);
      this.notifications.unblocked(path);
    }
    if (late !== undefined) this.notifications.late(path, late);
    this.progress.targetBlocked(path, blocked ?? null);
    if (approval !== undefined || this.approvals.isOpen) this.approvals.receive(path, approval);
    const begun = this.#begun.get(path);
    if (state === 'paused' && begun !== undefined) begun.restsAt = order;
    if (state === 'paused') this.#noteRest();
    else this.#show();
  }

  /** The run rests once every target that has begun does. */
  #noteRest(): void {
    const { order } = this.#state;
    const rests = [...this.#begun.values()].every(({ restsAt }) => restsAt === order);
    if (rests && this.#begun.size > 0) this.#note({ kind: 'targetRests', order });
    else this.#show();
  }

  /** Signals to an open target whether its steps may begin. One that has just ended needs no order. */
  #order(child: Child | null): void {
    if (child === null) return;
    const { order } = this.#state;
    const paused = isHeld(this.#state);
    const atMs = Date.now();
    void CancellationScope.nonCancellable(() => child.signal(steerSignal, { paused, order, atMs })).catch(() => {});
  }

  #show(): void {
    const { stage, log } = this.#state;
    const by = recordsOf(log).findLast(({ command }) => command === 'pause');
    const pause = by === undefined ? null : { actor: by.actor, reason: by.reason, sinceMs: by.atMs };
    const isShown = (stage === 'pausing' || stage === 'paused') && pause !== null;
    this.progress.paused(isShown ? { state: stage, ...pause } : null);
    if (stage === 'paused' && pause !== null)
      this.notifications.notifyOf({ kind: 'paused', pause, order: this.#state.order });
    this.#setAttribute(stage === 'paused' ? 'paused' : this.#waitsFor());
  }

  #waitsFor(): string | null {
    if (this.#blocked.size > 0) return 'blocked';
    return this.approvals.isOpen ? 'waitingForApproval' : null;
  }

  /** Approvals share the list of commands. */
  #shared(): SharedSteering {
    return {
      log: () => this.#state.log,
      setLog: (log) => void (this.#state = { ...this.#state, log }),
      // Only a run that takes its targets one after another asks for approvals.
      child: () => [...this.#begun.values()].at(-1)?.child ?? null,
      notifications: this.notifications,
      changed: () => this.#show(),
    };
  }

  /** `running` is not written, so that a run which no one steers costs nothing. */
  #setAttribute(value: string | null): void {
    if (!this.#hasStateAttribute || value === this.#shown) return;
    this.#shown = value;
    upsertSearchAttributes([{ key: stateKey, value }]);
  }
}
