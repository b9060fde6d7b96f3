/** Waiting in a workflow, so that what comes after it is decided by the same time in every replay. */
import { condition, sleep } from '@temporalio/workflow';

/**
 * Sleeps until `atMs`, epoch milliseconds, or until the scope is cancelled.
 *
 * A worker that answers a query about a workflow it does not have in its cache first replays the whole history. Where that ends with a
 * timer that fired, the workflow wakes with the time of the task *before* the timer (SDK 1.24, docs/decisions/0026), and a decision by `Date.now()`
 * there differs from the one that every later replay makes. Go by the returned time instead.
 *
 * @returns the time then, never before `atMs`
 */
export async function sleepUntil(atMs: number): Promise<number> {
  await sleep(Math.max(1, atMs - Date.now()));
  return Math.max(Date.now(), atMs);
}

/** As `sleepUntil`, ended early when `isThere` turns true. @returns the time then: at least `atMs` where nothing came before it */
export async function conditionUntil(isThere: () => boolean, atMs: number): Promise<number> {
  const cameFirst = await condition(isThere, Math.max(1, atMs - Date.now()));
  return cameFirst ? Date.now() : Math.max(Date.now(), atMs);
}
