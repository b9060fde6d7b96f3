/** Which runs that ended badly a later run has made good: it began after they had ended, and succeeded on the same targets. */
import type { WorkflowClient } from '@temporalio/client';
import { OUTCOME_SEARCH_ATTRIBUTE, TARGET_RUN_WORKFLOW, TARGET_SEARCH_ATTRIBUTE } from '../domain/contract.js';
import { isListed, namesOfTarget } from '../domain/run/listed-targets.js';
import { quoted, quotedTime } from '../temporal/visibility-query.js';

/** A run that has ended and needs a person. */
export interface EndedBadly {
  /** Epoch milliseconds. */
  readonly endedAtMs: number;
  /** The targets that it needs a person for. */
  readonly paths: readonly string[];
}

/** A run with more targets than this stays on the list, so that the query stays short. Chosen. */
const MOST_PATHS = 5;
/** Chosen: the newest of them are read, and are most likely the later ones. */
const MOST_READ = 100;
const PAGE_SIZE = 20;

/** One query for all of them. @returns those that no later run has made good; where that is not known, it counts as not. @throws what listing throws */
export async function withoutMadeGood<Run extends EndedBadly>(
  runs: readonly Run[],
  workflows: Pick<WorkflowClient, 'list'>,
  within: <Value>(call: () => Promise<Value>) => Promise<Value>,
): Promise<Run[]> {
  const asked = runs.filter(({ paths }) => paths.length > 0 && paths.length <= MOST_PATHS);
  if (asked.length === 0) return [...runs];
  const pages = workflows.list({ query: queryOf(asked), pageSize: PAGE_SIZE })[Symbol.asyncIterator]();
  const open = new Map(asked.map((run) => [run, new Set(run.paths)]));
  for (let read = 0; read < MOST_READ; read++) {
    const next = await within(() => pages.next());
    if (next.done === true) break;
    const startedAtMs = next.value.startTime.getTime();
    const list = (next.value.searchAttributes[TARGET_SEARCH_ATTRIBUTE] ?? []).map(String);
    for (const [run, left] of open)
      if (startedAtMs > run.endedAtMs)
        for (const path of left) if (isListed(list, path) || list.includes(path)) left.delete(path);
  }
  return runs.filter((run) => open.get(run)?.size !== 0);
}

function queryOf(runs: readonly EndedBadly[]): string {
  const names = new Set(runs.flatMap(({ paths }) => paths.flatMap(namesOfTarget)));
  const firstEndMs = Math.min(...runs.map(({ endedAtMs }) => endedAtMs));
  return [
    `WorkflowType != ${quoted(TARGET_RUN_WORKFLOW)}`,
    `${OUTCOME_SEARCH_ATTRIBUTE} = 'succeeded'`,
    `StartTime > ${quotedTime(firstEndMs)}`,
    `${TARGET_SEARCH_ATTRIBUTE} IN (${[...names].map(quoted).join(', ')})`,
  ].join(' AND ');
}
