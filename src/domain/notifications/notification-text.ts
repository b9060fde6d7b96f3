/** A notification in words: what every chat tool shows. Pure. */
import { describeTime } from '../time/utc-time.js';
import type { Notification, NotificationEvent } from './notification.js';

/** A closed `Record`, so that an event without words does not compile. */
const HEADLINES: Readonly<Record<NotificationEvent, (runbook: string) => string>> = {
  waiting: (runbook) => `Runbook ${runbook} is waiting for you`,
  paused: (runbook) => `Runbook ${runbook} is paused`,
  failed: (runbook) => `Runbook ${runbook} failed`,
  indeterminate: (runbook) => `Runbook ${runbook}: it is not clear what a step did`,
  compensated: (runbook) => `Runbook ${runbook} failed and was undone`,
  done: (runbook) => `Runbook ${runbook} is done`,
  late: (runbook) => `Runbook ${runbook} is late`,
  test: () => 'Runbook test message',
};

/** Events that need somebody soon, events that are bad but over, and the rest: for the colour of a card. */
export const URGENCY: Readonly<Record<NotificationEvent, 'act' | 'read' | 'calm'>> = {
  waiting: 'act',
  paused: 'act',
  failed: 'act',
  indeterminate: 'act',
  compensated: 'read',
  late: 'read',
  done: 'calm',
  test: 'calm',
};

/** One line: what happened to which runbook on which target. It always contains the word `Runbook`, which a chat robot may require. */
export function headline({ event, runbook, targets, moreTargets }: Notification): string {
  const [first] = targets;
  const more = moreTargets + targets.length - 1;
  return [
    HEADLINES[event](runbook),
    ...(first === undefined ? [] : [`: ${first}`]),
    ...(more > 0 ? [` and ${more} more`] : []),
  ].join('');
}

/** What is worth knowing besides, by name. */
export function details({ event, runId, targets, moreTargets, outcome, atMs }: Notification): [string, string][] {
  if (event === 'test') return [['Time', describeTime(atMs)]];
  const all = [...targets, ...(moreTargets > 0 ? [`${moreTargets} more`] : [])];
  return [
    ['Run', runId],
    ...(all.length > 1 ? [['Targets', all.join(', ')] as [string, string]] : []),
    ...(outcome === undefined ? [] : [['Outcome', outcome] as [string, string]]),
    ['Time', describeTime(atMs)],
  ];
}

/** The whole message as lines of plain text, the most needed first. */
export function plainLines(notification: Notification): string[] {
  return [
    headline(notification),
    notification.summary,
    ...notification.needs.flatMap(({ what, command }) => [`To ${what}:`, command]),
    ...details(notification).map(([name, value]) => `${name}: ${value}`),
  ];
}
