/**
 * Reads earlier runs on an instance from Temporal: the newest by its lease, which is always current, and older ones
 * from a listing, which may lag.
 */
import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { withWholeTarget } from '../client/read-report.js';
import { isReport } from '../domain/report/find-report.js';
import type { PastRun, PastRuns } from '../domain/plan/captured-count.js';
import { REPORT_MEMO, TARGET_SEARCH_ATTRIBUTE } from '../domain/contract.js';
import { namesOfTarget } from '../domain/run/listed-targets.js';
import { isOpen } from '../domain/run/workflow-status.js';
import { withinCallLimit } from './time-limits.js';
import { quoted } from '../temporal/visibility-query.js';

/** Which earlier runs to read. */
export interface PastRunsAsked {
  /** The workflow id that is the lease on the instance. */
  readonly leaseId: string;
  /** `application/component/instance`. */
  readonly path: string;
  readonly runbooks: readonly string[];
  /** The run that asks; left out. */
  readonly exceptRunId: string | null;
}

/** Chosen: a month of nights with a run down and one up each. Servers list the newest first. */
const MOST_LISTED = 60;
/** A report on twenty targets has about 35 KB, and answers of megabytes are slow. */
export const PAGE_SIZE = 20;

/**
 * The earlier runs, newest first. A run can be missing from the listing only until its record, made before its first
 * action, has arrived. A run that changed a count has since followed a cloud job, so only the newest can be missing,
 * and that one is found by its lease.
 */
export async function pastRuns(client: Client, asked: PastRunsAsked): Promise<PastRuns> {
  const { leaseId, runbooks, exceptRunId } = asked;
  const runs = new Map<string, PastRun>();
  const lease = await describe(client, leaseId);
  const parent = lease?.parentExecution;
  const newest = parent?.workflowId ? await describe(client, parent.workflowId, parent.runId ?? undefined) : null;
  if (newest !== null && runbooks.includes(newest.type) && newest.runId !== exceptRunId) {
    const run = pastRun(newest);
    runs.set(run.runId, { ...run, open: run.open || (lease !== null && isOpen(lease.status.name)) });
  }
  for (const info of await withinCallLimit(client, () => listed(client, asked))) {
    if (runs.has(info.runId) || info.runId === exceptRunId) continue;
    const run = pastRun(info);
    // A run that is listed as open may have ended since; one that is listed as closed stays closed.
    const sure = run.open || run.report === null ? await describe(client, info.workflowId, info.runId) : info;
    if (sure !== null) runs.set(info.runId, pastRun(sure));
  }
  const stored = await Promise.all([...runs.values()].map((run) => withTarget(client, run, leaseId)));
  return { runs: stored, leaseTakenAtMs: lease?.startTime.getTime() ?? null };
}

/**
 * Reads the result of the run, or of the target's own workflow, because the memo may shorten the readings of a
 * target among many.
 */
async function withTarget(client: Client, run: PastRun, leaseId: string): Promise<PastRun> {
  if (run.report === null) return run;
  const read = (id: string, runId: string): Promise<unknown> =>
    withinCallLimit(client, () => client.workflow.getHandle(id, runId).result());
  return { ...run, report: await withWholeTarget(run.report, leaseId, read) };
}

async function listed(client: Client, { runbooks, path }: PastRunsAsked): Promise<WorkflowExecutionInfo[]> {
  const types = runbooks.map((runbook) => `WorkflowType = ${quoted(runbook)}`).join(' OR ');
  const names = namesOfTarget(path).map(quoted).join(', ');
  const query = `(${types}) AND ${TARGET_SEARCH_ATTRIBUTE} IN (${names})`;
  const found: WorkflowExecutionInfo[] = [];
  for await (const info of client.workflow.list({ query, pageSize: PAGE_SIZE })) {
    found.push(info);
    if (found.length === MOST_LISTED) break;
  }
  return found;
}

/** Reads one run; `null` if the server does not know it. */
export async function describe(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<WorkflowExecutionDescription | null> {
  try {
    return await withinCallLimit(client, () => client.workflow.getHandle(workflowId, runId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

type Described = Omit<WorkflowExecutionInfo, 'raw'> | WorkflowExecutionDescription;

function pastRun(info: Described): PastRun {
  const { type, workflowId, runId, status, startTime, closeTime, memo } = info;
  const report = memo?.[REPORT_MEMO];
  return {
    runbook: type,
    workflowId,
    runId,
    open: isOpen(status.name),
    status: status.name,
    startedAtMs: startTime.getTime(),
    closedAtMs: closeTime?.getTime() ?? null,
    report: isReport(report) ? report : null,
  };
}
