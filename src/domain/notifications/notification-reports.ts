/** What a report keeps of the notifications of its run. Pure. */
import type { NotificationReport } from '../report/report.js';
import { shortened } from '../text/json-bytes.js';
import type { Delivery } from './delivery.js';
import type { Moment } from './moments.js';
import type { Notification } from './notification.js';

/**
 * How many messages of each kind one run sends, reminders included. Chosen: more than a person reads, and few for a history. Each kind has a
 * number of its own, so that many late steps leave room for a decision that is awaited.
 */
export const MOST_MESSAGES: Readonly<Record<Moment['kind'], number>> = {
  waitsForGate: 10,
  blocked: 60,
  approval: 30,
  paused: 20,
  late: 10,
  ended: 1,
};
/** How many deliveries a report has. Chosen; those that failed are kept first. */
const MOST_REPORTED = 50;
const LONGEST_DETAIL_BYTES = 300;

/** @param event `test` is never an event of a run */
export function reportOfDelivery(
  { event, atMs }: Pick<Notification, 'event' | 'atMs'>,
  { webhook, result, detail }: Delivery,
): NotificationReport[] {
  if (event === 'test') return [];
  const why = result === 'delivered' ? {} : { detail: shortened(detail, LONGEST_DETAIL_BYTES) };
  return [{ event, webhook, result, atMs, ...why }];
}

/** Oldest first, and no more than a report has room for. */
export function reportedDeliveries(all: readonly NotificationReport[]): NotificationReport[] {
  const failed = all.filter(({ result }) => result !== 'delivered').slice(-MOST_REPORTED);
  const room = MOST_REPORTED - failed.length;
  const delivered = room === 0 ? [] : all.filter(({ result }) => result === 'delivered').slice(-room);
  return [...failed, ...delivered].sort(
    (left, right) =>
      left.atMs - right.atMs || (left.webhook < right.webhook ? -1 : left.webhook > right.webhook ? 1 : 0),
  );
}
