/** What Temporal's status of a workflow means. Whatever needs to know whether a run or a lease is open asks here. */

/** May the workflow still act? A paused one can be resumed. @param status as the SDK spells it, such as `RUNNING` */
export function isOpen(status: string): boolean {
  return status === 'RUNNING' || isPaused(status);
}

/** Was it paused with `temporal workflow pause` (servers newer than 1.29)? Until it is resumed it can be cancelled, and answers no query. */
export function isPaused(status: string): boolean {
  return status === 'PAUSED';
}
