/** Waiting in a workflow, so that every replay decides by the same time afterwards. */
import { condition, sleep } from '@temporalio/workflow';

/**
 * Sleeps until `atMs`, epoch milliseconds, or until the scope is cancelled.
 *
 * Decide by the returned time, not by `Date.now()`. A worker that answers a query about a workflow outside its cache first replays the history.
 * If that ends with a timer that fired, the workflow wakes with the time of the task *before* the timer (SDK 1.24, docs/decisions/0026), while
 * every later replay sees the time of the timer.
 *
 * @returns the time at the end of the wait, never before `atMs`
 */
export async function sleepUntil(atMs: number): Promise<number> {
  await sleep(Math.max(1, atMs - Date.now()));
  return Math.max(Date.now(), atMs);
}

/** Like `sleepUntil`, but ends early when `isThere` becomes true. @returns the time at the end of the wait; `atMs` or later if it did not end early */
export async function conditionUntil(isThere: () => boolean, atMs: number): Promise<number> {
  const cameFirst = await condition(isThere, Math.max(1, atMs - Date.now()));
  return cameFirst ? Date.now() : Math.max(Date.now(), atMs);
}
