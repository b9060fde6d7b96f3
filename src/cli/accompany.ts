/** While a command waits for a run: says why nothing happens, as soon as there is a reason and whenever it changes. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunbookClient } from '../client/runbook-client.js';
import { explainSilence } from '../domain/run-facts.js';
import { printable } from '../domain/text.js';

/** Chosen: long enough for every run that is well, short enough for whoever watches. */
const ASK_EVERY_MS = 4_000;

/**
 * @param workflowId of the run, as soon as it is known
 * @param show gets the lines of a reason, and none when it is over
 */
export async function accompanied<Value>(
  client: Pick<RunbookClient, 'diagnose'>,
  workflowId: () => string | null,
  show: (lines: readonly string[]) => void,
  wait: () => Promise<Value>,
): Promise<Value> {
  const over = new AbortController();
  const asking = askUntil(over.signal, client, workflowId, show);
  try {
    return await wait();
  } finally {
    over.abort();
    await asking;
  }
}

async function askUntil(
  over: AbortSignal,
  client: Pick<RunbookClient, 'diagnose'>,
  workflowId: () => string | null,
  show: (lines: readonly string[]) => void,
): Promise<void> {
  let said: string | null = null;
  while (await passes(ASK_EVERY_MS, over)) {
    const id = workflowId();
    if (id === null) continue;
    // Only a help for whoever waits: the wait itself tells when Temporal is away.
    const facts = await client.diagnose(id).catch(() => null);
    if (facts === null || over.aborted) continue;
    const silence = explainSilence(facts, Date.now());
    if ((silence?.key ?? null) === said) continue;
    said = silence?.key ?? null;
    show(silence?.lines.map(printable) ?? []);
  }
}

/** @returns whether the time passed before the signal was aborted */
async function passes(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
