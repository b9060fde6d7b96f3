/** Waits for conditions instead of fixed times. */

/**
 * Chosen: short enough to observe a cloud job of 150 ms, long enough that many waiting tests leave the machine idle.
 */
const EVERY_MS = 50;
/** Shorter than the time limit of a test with servers, so that the failure names the condition. */
const GIVE_UP_MS = 240_000;

/** Resolves when the condition holds. @throws if the condition throws, or does not hold in time */
export async function until(condition: () => Promise<boolean> | boolean, everyMs = EVERY_MS): Promise<void> {
  const giveUpAtMs = Date.now() + GIVE_UP_MS;
  while (!(await condition())) {
    if (Date.now() > giveUpAtMs) throw new Error(`This did not come about: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Reads until there is a value; a read that fails counts as none. @throws if there is none in time */
export async function untilFound<Value>(read: () => Promise<Value | null>): Promise<Value> {
  let found: Value | null = null;
  await until(async () => {
    found = await read().catch(() => null);
    return found !== null;
  });
  return found as Value;
}
