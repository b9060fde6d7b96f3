/**
 * `notify`: notifies webhooks of an event of a run. It fails only to be tried again; what cannot be delivered is returned, so that
 * no run depends on it.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { NOTIFY_LIMITS, type Delivery } from '../domain/notifications/delivery.js';
import type { Notification } from '../domain/notifications/notification.js';
import { clipText } from '../domain/text/text.js';
import type { Attempt, Notifier } from '../notifications/notifier.js';

const LONGEST_MESSAGE_BYTES = 1_000;

/**
 * One attempt of the activity. What is over is kept in the heartbeat, so that the next attempt notifies only the others.
 * A receiver may still get a message twice, if its answer was lost; the id is the same then.
 *
 * @param onOver called for each webhook that is not notified again
 */
export async function notify(
  notifier: Notifier,
  notification: Notification,
  names?: readonly string[],
  onOver?: (delivery: Delivery) => void,
): Promise<readonly Delivery[]> {
  const context = Context.current();
  const settled = [...settledBefore(context.info.heartbeatDetails)];
  const attempts = await notifier.deliver(notification, {
    names,
    except: settled.map(({ webhook }) => webhook),
    signal: context.cancellationSignal,
    onSettled: ({ webhook, result, detail }) => {
      const delivery = { webhook, result, detail };
      settled.push(delivery);
      context.heartbeat(settled);
      onOver?.(delivery);
    },
  });
  const open = attempts.filter(({ againAfterMs }) => againAfterMs !== undefined);
  if (open.length === 0) return settled;
  if (context.info.attempt >= NOTIFY_LIMITS.attempts) {
    const abandoned = open.map(({ webhook, result, detail }) => ({ webhook, result, detail }));
    for (const delivery of abandoned) onOver?.(delivery);
    return [...settled, ...abandoned];
  }
  throw notDelivered(open);
}

/** Only this activity writes them. */
function settledBefore(details: unknown): readonly Delivery[] {
  return Array.isArray(details) ? (details as readonly Delivery[]) : [];
}

function notDelivered(open: readonly Attempt[]): ApplicationFailure {
  const askedMs = Math.max(...open.map(({ againAfterMs = 0 }) => againAfterMs));
  const made = ApplicationFailure.create({
    type: 'NotDelivered',
    message: clipText(open.map(({ webhook, detail }) => `${webhook}: ${detail}`).join('; '), LONGEST_MESSAGE_BYTES),
    ...(askedMs > 0 ? { nextRetryDelay: Math.min(askedMs, NOTIFY_LIMITS.longestPauseMs) } : {}),
  });
  made.stack = '';
  return made;
}
