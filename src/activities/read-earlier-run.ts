/** Reads a run that another one resumes: its plan from its history, and its report with those of its targets. */
import type { Client } from '@temporalio/client';
import { reportInMemo, wholeReport, type ReadResult } from '../client/read-report.js';
import type { RunName } from '../domain/report/report.js';
import type { EarlierRun } from '../domain/plan/earlier-run.js';
import { PLAN_VERSION, type Plan } from '../domain/plan/plan.js';
import { isOpen } from '../domain/run/workflow-status.js';
import { decodeFirst } from '../temporal/payloads.js';
import { describe } from './past-runs.js';
import { withinCallLimit } from './time-limits.js';

/** The activity whose result is the plan. */
const PLANNING = 'makePlan';
/**
 * Planning is the first thing that a run does; what comes before it is its start and workflow tasks that failed or
 * timed out. Chosen: 10 pages of 50 events bound what a strange history costs.
 */
const PAGE_SIZE = 50;
const MOST_PAGES = 10;

/** @returns `null` if the server does not know the run */
export async function readEarlierRun(client: Client, { workflowId, runId }: RunName): Promise<EarlierRun | null> {
  const described = await describe(client, workflowId, runId);
  if (described === null) return null;
  const read: ReadResult = (id, execution) =>
    withinCallLimit(client, () => client.workflow.getHandle(id, execution).result());
  const open = isOpen(described.status.name);
  const stored = open ? null : reportInMemo(described);
  return {
    workflowId,
    runId: described.runId,
    runbook: described.type,
    open,
    plan: open ? null : await readPlan(client, { workflowId, runId: described.runId }),
    report: stored === null ? null : await wholeReport(stored, read),
  };
}

/** The result of `makePlan` in the run's history; `null` if the history does not begin with one. */
async function readPlan(client: Client, execution: RunName): Promise<Plan | null> {
  let nextPageToken = new Uint8Array();
  let planningEventId: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await withinCallLimit(client, () =>
      client.connection.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution,
        maximumPageSize: PAGE_SIZE,
        nextPageToken,
      }),
    );
    for (const event of answer.history?.events ?? []) {
      const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: completed } =
        event;
      if (scheduled?.activityType?.name === PLANNING) planningEventId = String(event.eventId);
      if (completed && String(completed.scheduledEventId) === planningEventId) {
        const plan = await decodeFirst(client, completed.result?.payloads ?? []);
        return isPlan(plan) ? plan : null;
      }
    }
    nextPageToken = answer.nextPageToken as Uint8Array<ArrayBuffer>;
    if (nextPageToken.length === 0) return null;
  }
  return null;
}

function isPlan(value: unknown): value is Plan {
  return typeof value === 'object' && value !== null && 'planVersion' in value && value.planVersion === PLAN_VERSION;
}
