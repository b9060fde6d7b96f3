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

interface Success {
  readonly startedAtMs: number;
  /** The search attribute of its targets. */
  readonly list: readonly string[];
}

/** A run with more targets than this stays on the list, so that the query stays short. Chosen. */
const MOST_PATHS = 5;
/** For one query. Chosen: the newest of them are read, and are most likely the later ones. */
const MOST_READ = 100;
/** For one list. Chosen: as many pages as the list itself may take. */
const MOST_READ_IN_ALL = 2_000;
const PAGE_SIZE = 20;

/** What one listing has read of runs that succeeded. */
export class LaterSuccesses {
  readonly #known: Success[] = [];

  constructor(
    private readonly workflows: Pick<WorkflowClient, 'list'>,
    /** Makes one call with its own time limit. */
    private readonly within: <Value>(call: () => Promise<Value>) => Promise<Value>,
  ) {}

  /** One query for all of them, unless enough is known. @returns those that no later run has made good; where that is not known, it counts as not. @throws what listing throws */
  async withoutMadeGood<Run extends EndedBadly>(runs: readonly Run[]): Promise<Run[]> {
    const open = new Map(
      runs
        .filter(({ paths }) => paths.length > 0 && paths.length <= MOST_PATHS)
        .map((run) => [run, new Set(run.paths)] as const),
    );
    const asked = () => [...open.keys()].filter((run) => open.get(run)?.size !== 0);
    for (const success of this.#known) makeGood(open, success);
    if (asked().length > 0) await this.#read(asked(), open);
    return runs.filter((run) => open.get(run)?.size !== 0);
  }

  /** Until each target of each run is made good. */
  async #read(asked: readonly EndedBadly[], open: Open): Promise<void> {
    const pages = this.workflows.list({ query: queryOf(asked), pageSize: PAGE_SIZE })[Symbol.asyncIterator]();
    for (let read = 0; read < MOST_READ && this.#known.length < MOST_READ_IN_ALL; read++) {
      const next = await this.within(() => pages.next());
      if (next.done === true) return;
      const { startTime, searchAttributes } = next.value;
      const list = (searchAttributes[TARGET_SEARCH_ATTRIBUTE] ?? []).map(String);
      const success = { startedAtMs: startTime.getTime(), list };
      this.#known.push(success);
      makeGood(open, success);
      if (asked.every((run) => open.get(run)?.size === 0)) return;
    }
  }
}

/** Runs with the targets of each that are not made good. */
type Open = ReadonlyMap<EndedBadly, Set<string>>;

function makeGood(open: Open, { startedAtMs, list }: Success): void {
  for (const [run, left] of open)
    if (startedAtMs > run.endedAtMs) for (const path of left) if (isListed(list, path)) left.delete(path);
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
