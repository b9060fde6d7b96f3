/** What Temporal's word for the state of a workflow means. Every question whether a run, or a lease, is open is asked here. */

/** It may still act: a paused one goes on when it is resumed. `status` as the SDK spells it, such as `RUNNING`. */
export function isOpen(status: string): boolean {
  return status === 'RUNNING' || isPaused(status);
}

/** Held by `temporal workflow pause` (servers newer than 1.29): it takes a cancel, and answers no query until it is resumed. */
export function isPaused(status: string): boolean {
  return status === 'PAUSED';
}
