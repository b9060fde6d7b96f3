/** How many runs are open and wait for a person, for the metrics. */
import type { Client } from '@temporalio/client';
import { ALARM_RULE_WORKFLOW } from '../domain/alarms/alarm.js';
import { STATE_SEARCH_ATTRIBUTE, TARGET_RUN_WORKFLOW } from '../domain/contract.js';
import type { ATTENTION_STATES } from '../domain/run/attention.js';
import { quoted } from '../temporal/visibility-query.js';

/** Counts of the runs of a task queue. */
export interface RunCounts {
  /** `null`: it is not known. */
  readonly open: number | null;
  /** By what they wait for a person for; `null` also where the namespace has no `RunbookState`. */
  readonly waiting: Readonly<Record<(typeof ATTENTION_STATES)[number], number | null>>;
}

/** Workflows that are not runs: leases and alarm rules. */
const NOT_RUNS = [TARGET_RUN_WORKFLOW, ALARM_RULE_WORKFLOW].map((type) => `WorkflowType != ${quoted(type)}`);
const TIMEOUT_MS = 5_000;

/** Asks Temporal's visibility store, which may lag some seconds behind. Never rejects. */
export async function countRuns(client: Client | undefined, taskQueue: string): Promise<RunCounts> {
  const open = [`TaskQueue = ${quoted(taskQueue)}`, `ExecutionStatus = 'Running'`];
  const waitingAs = (state: keyof RunCounts['waiting']) =>
    countOf(client, [...open, `${STATE_SEARCH_ATTRIBUTE} = ${quoted(state)}`]);
  const [all, paused, blocked, waitingForApproval] = await Promise.all([
    countOf(client, [...open, ...NOT_RUNS]),
    waitingAs('paused'),
    waitingAs('blocked'),
    waitingAs('waitingForApproval'),
  ]);
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
