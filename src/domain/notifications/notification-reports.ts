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
const MOST_MESSAGES: Readonly<Record<Moment['kind'], number>> = {
  waitsForGate: 10,
  blocked: 60,
  approval: 30,
  paused: 20,
  late: 10,
  ended: 1,
};
/** After reminders have used up the number of their kind, people are still notified of this number of waits, and of one more for each target. Chosen. */
const MOST_WAITS: Readonly<Partial<Record<Moment['kind'], number>>> = { blocked: 40, approval: 20 };

/** How many messages of one kind a run has sent. */
export interface MessagesSent {
  readonly all: number;
  readonly reminders: number;
}

/** Nothing was sent. */
export const NONE_SENT: MessagesSent = { all: 0, reminders: 0 };

/**
 * Is there room for one more message of this kind?
 *
 * @returns `wait`: only because it is about a new wait for a person; runs from before that counted did not send it
 */
export function roomFor(moment: Moment, { all, reminders }: MessagesSent, targets: number): 'yes' | 'wait' | 'no' {
  if (all < MOST_MESSAGES[moment.kind]) return 'yes';
  const waits = MOST_WAITS[moment.kind];
  const isReminder = 'reminder' in moment && moment.reminder > 0;
  return waits !== undefined && !isReminder && all - reminders < waits + targets ? 'wait' : 'no';
}

/** An upper bound of the messages of each kind. */
export function mostMessages(targets: number): Readonly<Record<Moment['kind'], number>> {
  const most = (kind: 'blocked' | 'approval') => MOST_MESSAGES[kind] + (MOST_WAITS[kind] ?? 0) + targets;
  return { ...MOST_MESSAGES, blocked: most('blocked'), approval: most('approval') };
}

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
