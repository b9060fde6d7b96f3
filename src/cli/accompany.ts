/** While a command waits for a run: says why nothing happens, as soon as there is a reason and whenever it changes. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunbookClient } from '../client/runbook-client.js';
import { cancelLines, explainAbsence, explainSilence, type Awaited, type RunFacts } from '../domain/run/run-facts.js';
import { printable } from '../domain/text/text.js';

/** Chosen: long enough for every run that is well, short enough for whoever watches. */
const ASK_EVERY_MS = 4_000;
/** A server that is there answers within milliseconds, one under load within a second or two. */
const ANSWERED_WITHIN_MS = 3_000;

export interface Company {
  readonly client: Pick<RunbookClient, 'diagnose'>;
  readonly awaited: Awaited;
  /** Of the run, as soon as it is known. */
  readonly workflowId: () => string | null;
  /** Gets the lines of a reason, and none when it is over. */
  readonly show: (lines: readonly string[]) => void;
}

/** @throws what `wait` throws */
export async function accompanied<Value>(company: Company, wait: () => Promise<Value>): Promise<Value> {
  const over = new AbortController();
  // Not awaited: a question without an answer must not hold up the end of the wait.
  void askUntil(over.signal, company);
  try {
    return await wait();
  } finally {
    over.abort();
  }
}

async function askUntil(over: AbortSignal, { client, awaited, workflowId, show }: Company): Promise<void> {
  let said = '';
  let awaySinceMs: number | null = null;
  while (await passes(ASK_EVERY_MS, over)) {
    const id = workflowId();
    if (id === null) continue;
    const askedAtMs = Date.now();
    const facts = await Promise.race([ask(client, id), passes(ANSWERED_WITHIN_MS, over).then(() => 'away' as const)]);
    if (over.aborted) return;
    if (facts === 'refused') continue;
    awaySinceMs = facts === 'away' ? (awaySinceMs ?? askedAtMs) : null;
    const silence =
      facts === 'away'
        ? explainAbsence(id, awaySinceMs ?? askedAtMs, awaited)
        : explainSilence(facts, Date.now(), awaited);
    const cancel = facts === 'away' ? [] : cancelLines(facts);
    const key = [...cancel, silence?.key ?? ''].join();
    if (key === said) continue;
    said = key;
    show([...cancel, ...(silence?.lines ?? [])].map(printable));
  }
}

/** Only a help for whoever waits: any other error is one that the wait itself ends with. */
async function ask(client: Company['client'], workflowId: string): Promise<RunFacts | 'away' | 'refused'> {
  try {
    return await client.diagnose(workflowId);
  } catch (error) {
    return error instanceof Error && error.name === 'ServerUnreachable' ? 'away' : 'refused';
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
