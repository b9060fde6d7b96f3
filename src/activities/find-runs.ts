/**
 * Finds the runs that act or acted on some targets. Runs asked for by id are read directly; the others come from a
 * listing, which may lag some seconds.
 */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { TARGET_RUN_WORKFLOW, TARGET_SEARCH_ATTRIBUTE, type RunsAsked, type RunSeen } from '../domain/contract.js';
import { jsonBytes } from '../domain/text/json-bytes.js';
import { isListed, namesOfTarget } from '../domain/run/listed-targets.js';
import { PAYLOAD_BYTES } from '../domain/sizes.js';
import { isOpen } from '../domain/run/workflow-status.js';
import { withinCallLimit } from './time-limits.js';
import { describe, PAGE_SIZE } from './past-runs.js';
import { quoted, quotedTime } from '../temporal/visibility-query.js';

/** Chosen: keeps a query short and stays far below the server's limit on listings (10 a second by default). */
const TARGETS_IN_A_QUERY = 50;
/** Servers list open runs first, then those that ended last. */
const MOST_LISTED = 200;
const DESCRIBED_TOGETHER = 20;

/** Returns each run once. The most recent ones are kept if the answer would be too long. */
export async function findRuns(client: Client, { runIds, targets, sinceMs }: RunsAsked): Promise<RunSeen[]> {
  const described: RunSeen[] = [];
  for (let at = 0; at < runIds.length; at += DESCRIBED_TOGETHER) {
    const together = runIds.slice(at, at + DESCRIBED_TOGETHER);
    described.push(...(await Promise.all(together.map((runId) => describedRun(client, runId, targets)))));
  }
  const known = new Set(runIds);
  const listed: RunSeen[] = [];
  for (let at = 0; at < targets.length; at += TARGETS_IN_A_QUERY)
    listed.push(
      ...(await withinCallLimit(client, () => listedRuns(client, targets.slice(at, at + TARGETS_IN_A_QUERY), sinceMs))),
    );
  return withinAnswer([...described, ...listed.filter(({ runId }) => !known.has(runId))]);
}

/**
 * The answer is stored in the history of the rule that asks. If it is too long, the runs that ended longest ago are
 * left out.
 */
function withinAnswer(runs: readonly RunSeen[]): RunSeen[] {
  // The difference of two open runs is not a number, which `|| 0` makes equal.
  const newestFirst = [...runs].sort(
    (left, right) => (right.endedAtMs ?? Infinity) - (left.endedAtMs ?? Infinity) || 0,
  );
  let room = PAYLOAD_BYTES;
  const cutAt = newestFirst.findIndex((run) => (room -= jsonBytes(run) + 1) < 0);
  return cutAt < 0 ? [...runs] : newestFirst.slice(0, cutAt);
}

async function describedRun(client: Client, runId: string, asked: readonly string[]): Promise<RunSeen> {
  const run = await describe(client, runId);
  return run === null ? { runId, targets: [], endedAtMs: 0 } : seen(run, asked);
}

async function listedRuns(client: Client, targets: readonly string[], sinceMs: number): Promise<RunSeen[]> {
  const names = targets.flatMap(namesOfTarget).map(quoted).join(', ');
  const since = `CloseTime IS NULL OR CloseTime >= ${quotedTime(sinceMs)}`;
  const query = `${TARGET_SEARCH_ATTRIBUTE} IN (${names}) AND WorkflowType != ${quoted(TARGET_RUN_WORKFLOW)} AND (${since})`;
  const runs: RunSeen[] = [];
  for await (const run of client.workflow.list({ query, pageSize: PAGE_SIZE })) {
    runs.push(seen(run, targets));
    if (runs.length === MOST_LISTED) break;
  }
  return runs;
}

function seen(
  {
    workflowId,
    status,
    closeTime,
    searchAttributes,
  }: Pick<WorkflowExecutionInfo, 'workflowId' | 'status' | 'closeTime' | 'searchAttributes'>,
  asked: readonly string[],
): RunSeen {
  const value: unknown = searchAttributes[TARGET_SEARCH_ATTRIBUTE];
  const list = Array.isArray(value) ? value.map(String) : [];
  return {
    runId: workflowId,
    targets: asked.filter((path) => isListed(list, path)),
    endedAtMs: isOpen(status.name) ? null : (closeTime?.getTime() ?? 0),
  };
}
