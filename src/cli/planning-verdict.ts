/** The moment after a start: was the run refused at once, as one with an unknown runbook or a wrong input is, or does it begin? */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunbookClient } from '../client/runbook-client.js';
import type { RunFacts } from '../domain/run/run-facts.js';
import type { RunReport } from '../domain/report/report.js';
import { isOpen } from '../domain/run/workflow-status.js';

/** Chosen: planning is a few reads of ServiceStage. */
const AT_MOST_MS = 5_000;
/** Once it is planned: window, freezes and the lease are asked before a target is begun. */
const THEN_MS = 1_000;
/** Between two looks; each is twice as long as the one before, up to a second. */
const FIRST_PAUSE_MS = 100;

export type PlanningVerdict =
  | { readonly kind: 'begun' }
  | { readonly kind: 'planning'; readonly facts: RunFacts }
  /** The server does not say; the run was started all the same. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ended'; readonly report: RunReport | null };

/** Needs no worker. @throws RunNotFound, ServerUnreachable */
export async function planningVerdict(client: RunbookClient, workflowId: string): Promise<PlanningVerdict> {
  const startedAtMs = performance.now();
  let plannedAtMs: number | null = null;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(1_000, pauseMs * 2)) {
    const facts = await client.diagnose(workflowId);
    const nowMs = performance.now();
    if (!isOpen(facts.status)) return { kind: 'ended', report: await client.report(workflowId) };
    if (facts.workflows.length > 1) return { kind: 'begun' };
    if (facts.planned) plannedAtMs ??= nowMs;
    if (plannedAtMs !== null && nowMs - plannedAtMs > THEN_MS) return { kind: 'begun' };
    if (plannedAtMs === null && nowMs - startedAtMs > AT_MOST_MS) return { kind: 'planning', facts };
    await delay(pauseMs);
  }
}
