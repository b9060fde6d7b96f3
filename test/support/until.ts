/** Waiting for what comes about by itself, in place of waiting for a time. */

/** Chosen: soon enough to meet a cloud job of 150 ms, seldom enough that many tests at once leave the machine to what they wait for. */
const EVERY_MS = 20;
/** Within the time limit of a test with servers, so that the failure says what was waited for. */
const GIVE_UP_MS = 240_000;

/** @throws when the condition throws, or does not hold in time */
export async function until(condition: () => Promise<boolean> | boolean, everyMs = EVERY_MS): Promise<void> {
  const giveUpAtMs = Date.now() + GIVE_UP_MS;
  while (!(await condition())) {
    if (Date.now() > giveUpAtMs) throw new Error(`This did not come about: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Reads again until there is a value; a read that fails counts as none. @throws when there is none in time */
export async function untilFound<Value>(read: () => Promise<Value | null>): Promise<Value> {
  let found: Value | null = null;
  await until(async () => {
    found = await read().catch(() => null);
    return found !== null;
  });
  return found as Value;
}
