/**
 * While a command waits for a run, explains why nothing happens: as soon as there is a reason, and again when it
 * changes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunbookClient } from '../client/runbook-client.js';
import { cancelLines, explainAbsence, explainSilence, type Awaited, type RunFacts } from '../domain/run/run-facts.js';
import { printable } from '../domain/text/text.js';

/** Chosen: a healthy run ends or moves on within it, and people do not wait longer for an explanation. */
const ASK_EVERY_MS = 4_000;
/** A reachable server answers within milliseconds, one under load within a second or two. */
const ANSWERED_WITHIN_MS = 3_000;

/** What a wait needs so that its silences can be explained. */
export interface ExplainedWait {
  readonly client: Pick<RunbookClient, 'diagnose'>;
  readonly awaited: Awaited;
  /** Returns the run's id, or `null` until it is known. */
  readonly workflowId: () => string | null;
  /** Receives the lines of a reason, and no lines when the run continues. */
  readonly show: (lines: readonly string[]) => void;
}

/** Runs `wait` and shows, meanwhile, why the run does not move. @throws what `wait` throws */
export async function withExplanations<Value>(explained: ExplainedWait, wait: () => Promise<Value>): Promise<Value> {
  const over = new AbortController();
  // Not awaited: a question that is never answered must not delay the end of the wait.
  void askUntil(over.signal, explained);
  try {
    return await wait();
  } finally {
    over.abort();
  }
}

async function askUntil(over: AbortSignal, { client, awaited, workflowId, show }: ExplainedWait): Promise<void> {
  let shownKey = '';
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
    if (key === shownKey) continue;
    shownKey = key;
    show([...cancel, ...(silence?.lines ?? [])].map(printable));
  }
}

/** Explains only; every other error is one that the wait itself reports. */
async function ask(client: ExplainedWait['client'], workflowId: string): Promise<RunFacts | 'away' | 'refused'> {
  try {
    return await client.diagnose(workflowId);
  } catch (error) {
    return error instanceof Error && error.name === 'ServerUnreachable' ? 'away' : 'refused';
  }
}

/** @returns true if the time passed, false if the signal was aborted first */
async function passes(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
