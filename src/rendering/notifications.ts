/** Who is notified of a run, and who was not: lines of plans and reports. Pure. */
import type { PlannedWebhook } from '../domain/notifications/planned-webhooks.js';
import type { NotificationReport } from '../domain/report/report.js';

/** `notifies ops: failed, waiting`, one line each. */
export function plannedNotifications(webhooks: readonly PlannedWebhook[]): string[] {
  return webhooks.map(({ webhook, on, unknown }) => {
    const missing = unknown === true ? ' (the worker that planned has no webhook of that name)' : '';
    return `notifies ${webhook}: ${on.join(', ')}${missing}`;
  });
}

/** A line for each webhook that was not notified: only those need a reader. */
export function undelivered(notifications: readonly NotificationReport[]): string[] {
  return notifications
    .filter(({ result }) => result !== 'delivered')
    .map(({ event, webhook, result, detail }) => {
      const why = detail === undefined ? '' : `: ${detail}`;
      return `${webhook} was not notified of ${event} (${result}${why})`;
    });
}
