/** What the rules of a file decided lately, as their workflows remember it. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { NoWorkerAnswers } from '../temporal/errors.js';
import { toClientError, ranOutOfTime, type Calls } from '../temporal/calls.js';
import { ALARM_LOG_QUERY, alarmRuleId, type AlarmLogLine } from '../domain/alarms/alarm.js';

const QUERY_TIMEOUT_MS = 10_000;

/** Newest first. A rule that never decided anything gives no lines. @throws NoWorkerAnswers, ServerUnreachable, AccessDenied */
export async function readAlarmLog(calls: Calls, owner: string, rules: readonly string[]): Promise<AlarmLogLine[]> {
  const logs = await Promise.all(rules.map((rule) => logOf(calls, alarmRuleId(owner, rule))));
  return logs.flat().sort((left, right) => right.decidedAtMs - left.decidedAtMs);
}

async function logOf(calls: Calls, workflowId: string): Promise<readonly AlarmLogLine[]> {
  try {
    return await calls.interruptible(QUERY_TIMEOUT_MS, undefined, () =>
      calls.client.workflow.getHandle(workflowId).query<readonly AlarmLogLine[]>(ALARM_LOG_QUERY),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    // The server answers other calls at once: what ran out is the wait for a worker.
    if (ranOutOfTime(error)) throw new NoWorkerAnswers(workflowId, { cause: error });
    throw toClientError(error, workflowId);
  }
}
