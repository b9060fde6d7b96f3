/** Many calls, a few at a time. */

/** Results in the order of the items; the first error ends it once the calls under way have ended. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  most: number,
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const work = async () => {
    for (const [index, item] of queue) results[index] = await act(item);
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, work));
  for (const { reason } of ended.filter((each) => each.status === 'rejected')) throw reason;
  return results;
}

/** Calls to the server at a time: chosen, a schedule is a workflow there, and each call a task of it. */
export const CALLS_AT_A_TIME = 10;
