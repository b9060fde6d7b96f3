/** Earlier runs on an instance, from Temporal: the newest by the lease, which is always up to date; older ones by listing, which may lag. */
import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { isReport, withWholeTarget } from '../client/read-report.js';
import type { PastRun, PastRuns } from '../domain/plan/captured-count.js';
import { REPORT_MEMO, TARGET_SEARCH_ATTRIBUTE } from '../domain/contract.js';
import { namesOfTarget } from '../domain/run/listed-targets.js';
import { isOpen } from '../domain/run/workflow-status.js';
import { inTime } from './in-time.js';

export interface PastRunsAsked {
  /** The workflow id that is the lease on the instance. */
  readonly leaseId: string;
  /** `application/component/instance`. */
  readonly path: string;
  readonly runbooks: readonly string[];
  /** The run that asks. */
  readonly exceptRunId: string | null;
}

/** Chosen: a month of nights, each with a run down and one up. Servers list the newest first. */
const MOST_LISTED = 60;
/** A report over twenty targets has about 35 KB, and answers of megabytes are slow. */
export const PAGE_SIZE = 20;

/**
 * A run can be missing from the listing only while its record, made before its first action, is on its way. One that changed a count
 * has since followed a cloud job, so only the newest can be missing; that one is found by its lease.
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
  for (const info of await inTime(client, () => listed(client, asked))) {
    if (runs.has(info.runId) || info.runId === exceptRunId) continue;
    const run = pastRun(info);
    // What is listed as open may have ended since; what is listed as closed stays as it is.
    const sure = run.open || run.report === null ? await describe(client, info.workflowId, info.runId) : info;
    if (sure !== null) runs.set(info.runId, pastRun(sure));
  }
  const told = await Promise.all([...runs.values()].map((run) => withTarget(client, run, leaseId)));
  return { runs: told, leaseTakenAtMs: lease?.startTime.getTime() ?? null };
}

/** What the memo says of one of many targets may be cut: the result of the run, or of the target's own workflow, has the readings. */
async function withTarget(client: Client, run: PastRun, leaseId: string): Promise<PastRun> {
  if (run.report === null) return run;
  const read = (id: string, runId: string): Promise<unknown> =>
    inTime(client, () => client.workflow.getHandle(id, runId).result());
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

/** Text in a query, so that no name can end it. ServiceStage itself allows letters, digits, - and _ only. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

export async function describe(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<WorkflowExecutionDescription | null> {
  try {
    return await inTime(client, () => client.workflow.getHandle(workflowId, runId).describe());
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
