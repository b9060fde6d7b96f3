/** Finds out, just after a start, whether the run was refused (unknown runbook, wrong input) or has started work. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunbookClient } from '../client/runbook-client.js';
import type { RunFacts } from '../domain/run/run-facts.js';
import type { RunReport } from '../domain/report/report.js';
import { isOpen } from '../domain/run/workflow-status.js';

/** Chosen: planning is a few reads of ServiceStage. */
const AT_MOST_MS = 5_000;
/** After planning, the run checks window, freezes and lease within this time. */
const THEN_MS = 1_000;
/** The first pause between two checks; each pause is twice as long as the previous one, up to a second. */
const FIRST_PAUSE_MS = 100;

/** What became of a run within seconds of its start. */
export type PlanningVerdict =
  | { readonly kind: 'begun' }
  | { readonly kind: 'planning'; readonly facts: RunFacts }
  /** The server does not answer; the run was started all the same. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ended'; readonly report: RunReport | null };

/** Waits at most about five seconds and needs no worker. @throws RunNotFound, ServerUnreachable */
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
