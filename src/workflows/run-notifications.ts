/**
 * Notifies webhooks of what happens to a run. Nothing waits for it until the run has ended and its leases are free, and nothing that is decided
 * depends on it. Only the run notifies: a target's workflow is the lease, which a slow webhook must not hold.
 */
import { CancellationScope, condition, patched, workflowInfo } from '@temporalio/workflow';
import type { LateStep } from '../domain/contract.js';
import type { WaitingForGate } from '../domain/gates/gates.js';
import { NOTIFY_LIMITS } from '../domain/notifications/delivery.js';
import { messagesOf, type Message, type Moment, type RunFacts } from '../domain/notifications/moments.js';
import {
  NONE_SENT,
  reportedDeliveries,
  reportOfDelivery,
  roomFor,
  type MessagesSent,
} from '../domain/notifications/notification-reports.js';
import type { Plan } from '../domain/plan/plan.js';
import type { NotificationReport } from '../domain/report/report.js';
import type { ApprovalProgress, BlockedProgress } from '../domain/report/progress.js';
import { rootCause } from './failure.js';
import { notify } from './proxies.js';
import { sleepUntil } from './timers.js';

/** Who is notified, what they were notified of already, and with which result. Without webhooks in the plan it schedules nothing. */
export class RunNotifications {
  #plan: Plan | null = null;
  /** Keys of the messages that were sent. */
  readonly #sentKeys = new Set<string>();
  /** How many moments of each kind somebody was notified of. */
  readonly #sent = new Map<Moment['kind'], MessagesSent>();
  /** Messages on their way. */
  readonly #open = new Set<Message>();
  readonly #reports: NotificationReport[] = [];
  /** How often each target was blocked, and how often each asked for an approval. */
  readonly #counts = new Map<string, number>();
  /** Who waits for a person, with the reminders about it. */
  readonly #waiting = new Map<string, { wait: WaitForPerson; readonly reminders: CancellationScope }>();

  /** From now on somebody may be notified. */
  planned(plan: Plan): void {
    this.#plan = plan.notify === undefined ? null : plan;
  }

  /** @returns whether somebody is notified */
  notifyOf(moment: Moment): boolean {
    const plan = this.#plan;
    if (plan === null) return false;
    const sent = this.#sent.get(moment.kind) ?? NONE_SENT;
    const room = roomFor(moment, sent, plan.targets.length);
    // In runs from before, reminders could use up the room for a new wait.
    if (room === 'no' || (room === 'wait' && !patched('waits-before-reminders'))) return false;
    const messages = messagesOf(moment, factsOf(plan), plan.notify ?? [], Date.now());
    const news = messages.filter(({ notification: { key } }) => !this.#sentKeys.has(key));
    if (news.length > 0) {
      const reminders = sent.reminders + ('reminder' in moment && moment.reminder > 0 ? 1 : 0);
      this.#sent.set(moment.kind, { all: sent.all + 1, reminders });
    }
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
    if (target >= 0) this.#begin({ kind: 'blocked', target, blocked });
  }

  /** The target no longer waits for a decision. */
  unblocked(path: string): void {
    this.#end('blocked', placeOf(this.#plan, path));
  }

  /** Somebody has to approve, or somebody has approved and more must. @param path `null`: the whole run asks */
  asked(path: string | null, approval: ApprovalProgress): void {
    const target = path === null ? null : placeOf(this.#plan, path);
    if (this.#plan === null || target === -1) return;
    // Runs from before it notify no one of an approval.
    if (!patched('notify-of-approvals')) return;
    const before = this.#waiting.get(keyOf('approval', target))?.wait;
    if (before?.kind === 'approval' && before.approval.askedAtMs !== approval.askedAtMs) this.#end('approval', target);
    this.#begin({ kind: 'approval', target, approval });
  }

  /** The run, or the target, no longer waits for an approval. */
  answered(path: string | null): void {
    this.#end('approval', path === null ? null : placeOf(this.#plan, path));
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

  /** The first message, then the reminders. Afterwards only what they say changes. */
  #begin(wait: WaitForPerson): void {
    const key = keyOf(wait.kind, wait.target);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.wait = wait;
      return;
    }
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    const isNotified = this.notifyOf({ ...wait, count, reminder: 0 });
    const reminders = new CancellationScope();
    this.#waiting.set(key, { wait, reminders });
    const remindMs = this.#plan?.remindMs;
    // A cancel of the run ends every wait for a person too.
    if (isNotified && remindMs !== undefined) reminders.run(() => this.#remind(key, count, remindMs)).catch(() => {});
  }

  #end(kind: WaitForPerson['kind'], target: number | null): void {
    const key = keyOf(kind, target);
    this.#waiting.get(key)?.reminders.cancel();
    this.#waiting.delete(key);
  }

  async #remind(key: string, count: number, remindMs: number): Promise<void> {
    let atMs = Date.now();
    for (let reminder = 1; ; reminder += 1) {
      atMs = await sleepUntil(atMs + remindMs);
      const wait = this.#waiting.get(key)?.wait;
      if (wait === undefined || !this.notifyOf({ ...wait, count, reminder })) return;
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

/** A decision or an approval that is waited for. */
type WaitForPerson =
  | Omit<Extract<Moment, { kind: 'blocked' }>, 'count' | 'reminder'>
  | Omit<Extract<Moment, { kind: 'approval' }>, 'count' | 'reminder'>;

function keyOf(kind: WaitForPerson['kind'], target: number | null): string {
  return `${kind} ${target ?? 'run'}`;
}

function placeOf(plan: Plan | null, path: string): number {
  return plan?.targets.findIndex(({ target }) => target.path === path) ?? -1;
}

function factsOf({ runbook, targets, hash, requestedBy, approvalIssuer }: Plan): RunFacts {
  const { workflowId, originalExecutionRunId } = workflowInfo();
  return {
    runId: workflowId,
    runbook,
    originalRunId: originalExecutionRunId,
    targets: targets.map(({ target }) => target.path),
    planHash: hash,
    requestedBy,
    isSigned: approvalIssuer !== undefined,
  };
}
