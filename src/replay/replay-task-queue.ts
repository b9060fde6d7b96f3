/** Replays what a namespace keeps of a task queue: the newest open executions, and the newest closed ones. */
import type { Client } from '@temporalio/client';
import { withReadableMemos } from '../temporal/readable-memos.js';
import { quoted } from '../temporal/visibility-query.js';
import { replayExecutions, type Execution, type ReplayOptions, type Replayed } from './replay-executions.js';

/** An execution with what a person recognises it by. */
export interface ListedExecution extends Execution {
  readonly workflowType: string;
  readonly isOpen: boolean;
}

/** What was replayed of a task queue. */
export interface TaskQueueReplay {
  /** How many executions the namespace keeps. */
  readonly kept: { readonly open: number; readonly closed: number };
  /** The open ones first. */
  readonly replays: readonly Replayed<ListedExecution>[];
}

/**
 * Replays at most `limit` open executions and as many closed ones. The server's listing may lag some seconds behind.
 * @param taskQueue as the executions were started
 * @throws what the calls to the server throw, and if the code cannot be loaded
 */
export async function replayTaskQueue(
  options: ReplayOptions,
  { taskQueue, limit }: { readonly taskQueue: string; readonly limit: number },
): Promise<TaskQueueReplay> {
  const { client } = options;
  const ofQueue = `TaskQueue = ${quoted(taskQueue)}`;
  const [open, closed] = [`${ofQueue} AND ExecutionStatus = 'Running'`, `${ofQueue} AND ExecutionStatus != 'Running'`];
  const count = async (query: string) => (await client.workflow.count(query)).count;
  const kept = { open: await count(open), closed: await count(closed) };
  const runs = [...(await list(client, open, limit)), ...(await list(client, closed, limit))];
  const replays: Replayed<ListedExecution>[] = [];
  for await (const replay of replayExecutions(options, runs.values())) replays.push(replay);
  return { kept, replays };
}

async function list(client: Client, query: string, limit: number): Promise<ListedExecution[]> {
  const listed: ListedExecution[] = [];
  for await (const { workflowId, runId, type, status } of withReadableMemos(client).list({ query })) {
    listed.push({ workflowId, runId, workflowType: type, isOpen: status.name === 'RUNNING' });
    if (listed.length === limit) break;
  }
  return listed;
}
