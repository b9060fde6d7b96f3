/** Which runs a listing shows, as a query of Temporal's visibility store. */
import { ALARM_RULE_WORKFLOW } from '../domain/alarms/alarm.js';
import {
  OUTCOME_SEARCH_ATTRIBUTE,
  STATE_SEARCH_ATTRIBUTE,
  TARGET_RUN_WORKFLOW,
  TARGET_SEARCH_ATTRIBUTE,
} from '../domain/contract.js';
import type { Outcome } from '../domain/report/report.js';
import { UNSUCCESSFUL_OUTCOMES } from '../domain/run/attention.js';
import { namesOfTarget } from '../domain/run/listed-targets.js';
import { quoted, quotedTime } from '../temporal/visibility-query.js';

/** Which runs to list. All that is given must hold. */
export interface RunFilter {
  /** Only runs that have not ended. */
  readonly open?: boolean | undefined;
  /** Name of a runbook. */
  readonly runbook?: string | undefined;
  /** `application/component/instance` by names, whole. A run has its targets once it is planned. */
  readonly target?: string | undefined;
  /** Only runs that ended with one of these. */
  readonly outcomes?: readonly Outcome[] | undefined;
  /** Who asked for it. The server has no index of it, so runs are read until enough match: at most 2,000. */
  readonly requestedBy?: string | undefined;
  /** Only runs started at or after it. Epoch milliseconds. */
  readonly sinceMs?: number | undefined;
  /**
   * Only runs that need a person, as `ListedRun.attention` shows, and not those whose targets a later run has succeeded on. Runs that were
   * paused in Temporal itself are not found by it.
   */
  readonly needsAttention?: boolean | undefined;
}

/**
 * The visibility query. `ORDER BY` is not for every store; all of them list open workflows first, then those that
 * ended last.
 * @param attentionSinceMs runs that ended before it need no one. Epoch milliseconds
 * @param hasState the namespace has the search attribute of states
 */
export function queryOf(filter: RunFilter, taskQueue: string, attentionSinceMs: number, hasState: boolean): string {
  const { open, runbook, target, outcomes, sinceMs, needsAttention } = filter;
  // A workflow on our task queue that has no targets yet is planning; on another queue it may be anything.
  const isRun = [
    `${TARGET_SEARCH_ATTRIBUTE} IS NOT NULL`,
    `${OUTCOME_SEARCH_ATTRIBUTE} IS NOT NULL`,
    `(CloseTime IS NULL AND TaskQueue = ${quoted(taskQueue)})`,
  ];
  const conditions = [
    `WorkflowType != ${quoted(TARGET_RUN_WORKFLOW)}`,
    `WorkflowType != ${quoted(ALARM_RULE_WORKFLOW)}`,
    `(${isRun.join(' OR ')})`,
  ];
  if (open === true) conditions.push('CloseTime IS NULL');
  if (runbook !== undefined) conditions.push(`WorkflowType = ${quoted(runbook)}`);
  if (target !== undefined)
    conditions.push(`${TARGET_SEARCH_ATTRIBUTE} IN (${namesOfTarget(target).map(quoted).join(', ')})`);
  if (outcomes !== undefined) conditions.push(`${OUTCOME_SEARCH_ATTRIBUTE} IN (${outcomes.map(quoted).join(', ')})`);
  if (sinceMs !== undefined) conditions.push(`StartTime >= ${quotedTime(sinceMs)}`);
  if (needsAttention === true) conditions.push(attentionCondition(attentionSinceMs, hasState));
  return conditions.join(' AND ');
}

/** As `attentionOf`, or wider: what is listed is classified once more. */
function attentionCondition(sinceMs: number, hasState: boolean): string {
  const outcomes = UNSUCCESSFUL_OUTCOMES.map(quoted).join(', ');
  const ended = `CloseTime >= ${quotedTime(sinceMs)} AND (${OUTCOME_SEARCH_ATTRIBUTE} IN (${outcomes}) OR ${OUTCOME_SEARCH_ATTRIBUTE} IS NULL)`;
  const waiting = hasState ? `(CloseTime IS NULL AND ${STATE_SEARCH_ATTRIBUTE} IS NOT NULL) OR ` : '';
  return `(${waiting}(${ended}))`;
}
