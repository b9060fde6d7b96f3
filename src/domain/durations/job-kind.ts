/** Which cloud jobs are of one kind. */
import type { ActionName } from '../target/actions.js';
import type { JobKind } from './durations.js';

/**
 * The kind of an action's cloud job. `componentId` is `application/component`, the part of the target's path before the instance: a report names
 * no other id of the component, and what is learned from reports and from live cloud jobs must be found under the same key.
 *
 * @param path `application/component/instance`
 */
export function jobKindOf(action: ActionName, path: string): JobKind {
  return { action, componentId: path.slice(0, Math.max(0, path.lastIndexOf('/'))) };
}
