/** What the activities report beside their results. Nothing depends on it. */
import type { Delivery } from '../domain/notifications/delivery.js';
import type { Event } from '../domain/once/events.js';
import type { Ending, OnceState } from '../domain/once/state.js';
import type { ActionName } from '../domain/target/actions.js';

/** What observes activities, such as the metrics of a worker. It never throws. */
export interface ActivityObserver {
  /** ServiceStage answered what a cloud job does. */
  polled(action: ActionName): void;
  /** A cloud job that was found by reading is taken as ours. */
  adopted(action: ActionName): void;
  /** A cloud job that was followed from its POST was seen to have ended; the ages of `FollowedJob`, milliseconds. */
  cloudJobEnded(action: ActionName, ages: { readonly runningAtMs: number; readonly endedByMs: number }): void;
  /** @param action `null`: an instance was settled before a first step */
  attemptEnded(goal: OnceState['goal']['kind'], action: ActionName | null, ending: Ending): void;
  /** Settling is over, over all its attempts. */
  settled(tookMs: number): void;
  /** A notification is over. */
  notified(delivery: Delivery): void;
}

/** Reports an event of an attempt, and what it has changed. @param before the cloud job before it */
export function observeEvent(
  observer: ActivityObserver,
  action: ActionName,
  event: Event['kind'],
  before: OnceState['cloudJob'],
  after: OnceState['cloudJob'],
): void {
  if (event === 'polled') observer.polled(action);
  if (after === null) return;
  const { evidence, runningAtMs = 0, endedByMs } = after;
  if (before === null && evidence !== undefined) observer.adopted(action);
  if (before?.endedByMs === undefined && endedByMs !== undefined)
    observer.cloudJobEnded(action, { runningAtMs, endedByMs });
}
