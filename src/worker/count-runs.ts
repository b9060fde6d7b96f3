/** How many runs are open and wait for a person, for the metrics. */
import type { Client } from '@temporalio/client';
import { ALARM_RULE_WORKFLOW } from '../domain/alarms/alarm.js';
import { STATE_SEARCH_ATTRIBUTE, TARGET_RUN_WORKFLOW } from '../domain/contract.js';
import { ATTENTION_STATES } from '../domain/run/attention.js';
import { quoted } from '../temporal/visibility-query.js';

/** Counts of the runs of a task queue. */
export interface RunCounts {
  /** `null`: it is not known. */
  readonly open: number | null;
  /** By what they wait for a person for; `null` also where the namespace has no `RunbookState`. */
  readonly waiting: Readonly<Record<(typeof ATTENTION_STATES)[number], number | null>>;
}

/** Leases and alarm rules are no runs. */
const NOT_RUNS = [TARGET_RUN_WORKFLOW, ALARM_RULE_WORKFLOW].map((type) => `WorkflowType != ${quoted(type)}`);
const TIMEOUT_MS = 5_000;

/** Asks Temporal's visibility store, which may lag some seconds behind. Never rejects. */
export async function countRuns(client: Client | undefined, taskQueue: string): Promise<RunCounts> {
  const open = [`TaskQueue = ${quoted(taskQueue)}`, `ExecutionStatus = 'Running'`];
  const [all = null, ...waiting] = await Promise.all([
    countOf(client, [...open, ...NOT_RUNS]),
    ...ATTENTION_STATES.map((state) => countOf(client, [...open, `${STATE_SEARCH_ATTRIBUTE} = ${quoted(state)}`])),
  ]);
  const [paused = null, blocked = null, waitingForApproval = null] = waiting;
  return { open: all, waiting: { paused, blocked, waitingForApproval } };
}

async function countOf(client: Client | undefined, conditions: readonly string[]): Promise<number | null> {
  if (client === undefined) return null;
  try {
    const query = conditions.join(' AND ');
    const { count } = await client.withDeadline(Date.now() + TIMEOUT_MS, () => client.workflow.count(query));
    return count;
  } catch {
    return null;
  }
}
