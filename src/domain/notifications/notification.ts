/** One notification for people and other programs: an event of a small closed set, as bounded data without secrets. Pure. */
import type { Outcome } from '../report/report.js';
import { clipText, printable } from '../text/text.js';
import type { RunEvent } from './events.js';

/** An event, or the message of `runbook notify test`, which concerns no run. */
export type NotificationEvent = RunEvent | 'test';

/** What a person can do, and the command for it. */
interface Need {
  /** Such as `approve the plan`. */
  readonly what: string;
  /** As it is typed. */
  readonly command: string;
}

/** One message, made by `createNotification`. Every text is printable, on one line and bounded. */
export interface Notification {
  readonly event: NotificationEvent;
  /** Workflow id. */
  readonly runId: string;
  readonly runbook: string;
  /** `application/component/instance`; the first few. */
  readonly targets: readonly string[];
  /** How many more targets there are. */
  readonly moreTargets: number;
  /** Absent while the run is open. */
  readonly outcome?: Outcome;
  /** What happened, in one or two sentences. */
  readonly summary: string;
  readonly needs: readonly Need[];
  /** When it happened, epoch milliseconds. */
  readonly atMs: number;
  /** The same for each delivery of the same message, so that a receiver can drop repeats. */
  readonly key: string;
}

/** What a notification is made of; texts may be of any length and contain anything. */
export interface NotificationFacts {
  readonly event: NotificationEvent;
  /** Workflow id. */
  readonly runId: string;
  readonly runbook: string;
  readonly targets: readonly string[];
  readonly outcome?: Outcome;
  readonly summary: string;
  readonly needs?: readonly Need[];
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** What distinguishes messages about one event of one run: a step, a target, the number of a reminder. */
  readonly about?: string;
}

/** Bytes. Chosen so that the longest message fits into 4 KB, and a usual one into the 2,048 bytes of WeCom. */
const LONGEST = { summary: 500, target: 150, id: 300, runbook: 100, what: 120, command: 400, about: 150, key: 700 };
const MOST_TARGETS_SHOWN = 3;
const MOST_NEEDS = 4;

/** The only way to make a notification: bounds every text, and shows control characters instead of sending them. */
export function createNotification(facts: NotificationFacts): Notification {
  const { event, runId, runbook, targets, outcome, summary, needs = [], atMs, about = '' } = facts;
  return {
    event,
    runId: oneLine(runId, LONGEST.id),
    runbook: oneLine(runbook, LONGEST.runbook),
    targets: targets.slice(0, MOST_TARGETS_SHOWN).map((target) => oneLine(target, LONGEST.target)),
    moreTargets: Math.max(0, targets.length - MOST_TARGETS_SHOWN),
    ...(outcome === undefined ? {} : { outcome }),
    summary: oneLine(summary, LONGEST.summary),
    needs: needs.slice(0, MOST_NEEDS).map(({ what, command }) => ({
      what: oneLine(what, LONGEST.what),
      command: oneLine(command, LONGEST.command),
    })),
    atMs,
    key: oneLine([event, oneLine(about, LONGEST.about), runId].join('/'), LONGEST.key),
  };
}

function oneLine(text: string, longest: number): string {
  return clipText(printable(text), longest);
}

/** Which event the end of a run is. A closed `Record`, so that an outcome without an event does not compile. */
export const EVENT_OF_OUTCOME: Readonly<Record<Outcome, RunEvent>> = {
  succeeded: 'done',
  cancelled: 'done',
  compensated: 'compensated',
  failed: 'failed',
  compensationFailed: 'failed',
  refused: 'failed',
  expired: 'failed',
  indeterminate: 'indeterminate',
};
