/** The result of notifying one webhook, how often and how long that is tried, and which variables have the secrets. Pure. */

/**
 * The names of variables with addresses and secrets of webhooks begin with this. A notifications file can name no other variable, so
 * the credentials of ServiceStage cannot be sent to a webhook.
 */
export const WEBHOOK_SECRET_PREFIX = 'RUNBOOK_NOTIFY_';

/**
 * `delivered`: the receiver confirmed it. `refused`: it will not take it, and another attempt would get the same answer. `unanswered`: it did not
 * answer in time, or asked for later each time. `unknown`: no webhook has that name.
 */
type DeliveryResult = 'delivered' | 'refused' | 'unanswered' | 'unknown';

/** One webhook, as the activity `notify` reports it. It is in the history of the run. */
export interface Delivery {
  /** Its name in the notifications file. */
  readonly webhook: string;
  readonly result: DeliveryResult;
  /** What was answered, or why there was no answer; at most 300 bytes, without addresses and secrets. */
  readonly detail: string;
}

/**
 * How `notify` is scheduled: as an activity of its own, never awaited by what acts on a target. Times are milliseconds. Chosen: a receiver
 * that is down for half an hour is still notified.
 */
export const NOTIFY_LIMITS = {
  /** Attempts of the activity. The last one returns what it could not deliver instead of failing. */
  attempts: 10,
  firstPauseMs: 2_000,
  backoff: 3,
  /** Also the longest time that a receiver may ask us to wait. */
  longestPauseMs: 300_000,
  /** One attempt. All webhooks are notified at once, and each has 10 s. */
  startToCloseMs: 20_000,
  /** All attempts together, and the wait for a worker. */
  scheduleToCloseMs: 3_600_000,
  /**
   * How long a run that has ended stays open until its last messages are delivered. Chosen: four attempts. A longer time would hold back the next
   * run of a schedule.
   */
  atEndMs: 60_000,
} as const;
