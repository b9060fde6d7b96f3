/**
 * Notifies webhooks of what happens to a run. Nothing waits for it until the run has ended and its leases are free, and nothing that is decided
 * depends on it. Only the run notifies: a target's workflow is the lease, which a slow webhook must not hold.
 */
import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import type { LateStep } from '../domain/contract.js';
import type { WaitingForGate } from '../domain/gates/gates.js';
import { NOTIFY_LIMITS } from '../domain/notifications/delivery.js';
import { messagesOf, type Message, type Moment, type RunFacts } from '../domain/notifications/moments.js';
import { MOST_MESSAGES, reportedDeliveries, reportOfDelivery } from '../domain/notifications/notification-reports.js';
import type { Plan } from '../domain/plan/plan.js';
import type { NotificationReport } from '../domain/report/report.js';
import type { BlockedProgress } from '../domain/report/progress.js';
import { rootCause } from './failure.js';
import { notify } from './proxies.js';
import { sleepUntil } from './timers.js';

/** Who is notified, what they were notified of already, and with which result. Without webhooks in the plan it schedules nothing. */
export class RunNotifications {
  #plan: Plan | null = null;
  /** Keys of the messages that were sent. */
  readonly #sentKeys = new Set<string>();
  /** How many moments of each kind somebody was notified of. */
  readonly #sent = new Map<Moment['kind'], number>();
  /** Messages on their way. */
  readonly #open = new Set<Message>();
  readonly #reports: NotificationReport[] = [];
  /** How often each target was blocked. */
  readonly #counts = new Map<number, number>();
  /** Targets that wait for a decision. */
  readonly #waiting = new Map<number, { blocked: BlockedProgress; readonly reminders: CancellationScope }>();

  /** From now on somebody may be notified. */
  planned(plan: Plan): void {
    this.#plan = plan.notify === undefined ? null : plan;
  }

  /** @returns whether somebody is notified */
  notifyOf(moment: Moment): boolean {
    const plan = this.#plan;
    if (plan === null) return false;
    const sent = this.#sent.get(moment.kind) ?? 0;
    if (sent >= MOST_MESSAGES[moment.kind]) return false;
    const messages = messagesOf(moment, factsOf(plan), plan.notify ?? [], Date.now());
    const news = messages.filter(({ notification: { key } }) => !this.#sentKeys.has(key));
    if (news.length > 0) this.#sent.set(moment.kind, sent + 1);
    for (const message of news) {
      this.#sentKeys.add(message.notification.key);
      this.#open.add(message);
      void this.#deliver(message);
    }
    return news.length > 0;
  }

  /** A step takes unusually long. */
  late(path: string, late: LateStep): void {
    const target = placeOf(this.#plan, path);
    if (target >= 0) this.notifyOf({ kind: 'late', target, late });
  }

  /** The gate of a target is closed, and the run waits for it. */
  waitsForGate(path: string, waiting: WaitingForGate): void {
    const target = placeOf(this.#plan, path);
    if (target >= 0) this.notifyOf({ kind: 'waitsForGate', target, waiting });
  }

  /** A target waits for a decision, or still waits and `untilMs` has moved. */
  blocked(path: string, blocked: BlockedProgress): void {
    const target = placeOf(this.#plan, path);
    const waiting = this.#waiting.get(target);
    if (waiting !== undefined) waiting.blocked = blocked;
    if (target < 0 || waiting !== undefined) return;
    const count = (this.#counts.get(target) ?? 0) + 1;
    this.#counts.set(target, count);
    const isNotified = this.notifyOf({ kind: 'blocked', target, blocked, count, reminder: 0 });
    const reminders = new CancellationScope();
    this.#waiting.set(target, { blocked, reminders });
    const remindMs = this.#plan?.remindMs;
    // A cancel of the run ends the wait for a decision too.
    if (isNotified && remindMs !== undefined)
      reminders.run(() => this.#remind(target, count, remindMs)).catch(() => {});
  }

  /** The target no longer waits. */
  unblocked(path: string): void {
    const target = placeOf(this.#plan, path);
    this.#waiting.get(target)?.reminders.cancel();
    this.#waiting.delete(target);
  }

  /** Some message is on its way. */
  get isDelivering(): boolean {
    return this.#open.size > 0;
  }

  /** Waits until everything is delivered, for at most `NOTIFY_LIMITS.atEndMs`, even if the run is cancelled. @returns the result of every delivery */
  async finish(): Promise<readonly NotificationReport[]> {
    if (this.isDelivering)
      await CancellationScope.nonCancellable(() => condition(() => this.#open.size === 0, NOTIFY_LIMITS.atEndMs));
    this.#plan = null;
    for (const message of this.#open)
      this.#failed(message, 'the run closed before it was known whether every webhook was notified');
    return reportedDeliveries(this.#reports);
  }

  async #remind(target: number, count: number, remindMs: number): Promise<void> {
    let atMs = Date.now();
    for (let reminder = 1; ; reminder += 1) {
      atMs = await sleepUntil(atMs + remindMs);
      const blocked = this.#waiting.get(target)?.blocked;
      if (blocked === undefined || !this.notifyOf({ kind: 'blocked', target, blocked, count, reminder })) return;
    }
  }

  async #deliver(message: Message): Promise<void> {
    const { notification, webhooks } = message;
    try {
      const deliveries = await CancellationScope.nonCancellable(() => notify(notification, webhooks));
      this.#reports.push(...deliveries.flatMap((delivery) => reportOfDelivery(notification, delivery)));
    } catch (error) {
      this.#failed(message, rootCause(error).message);
    }
    this.#open.delete(message);
  }

  #failed({ notification, webhooks }: Message, detail: string): void {
    for (const webhook of webhooks)
      this.#reports.push(...reportOfDelivery(notification, { webhook, result: 'unanswered', detail }));
  }
}

function placeOf(plan: Plan | null, path: string): number {
  return plan?.targets.findIndex(({ target }) => target.path === path) ?? -1;
}

function factsOf({ runbook, targets }: Plan): RunFacts {
  const { workflowId, originalExecutionRunId } = workflowInfo();
  return {
    runId: workflowId,
    runbook,
    originalRunId: originalExecutionRunId,
    targets: targets.map(({ target }) => target.path),
  };
}
