/** What a replay of production histories showed, as text. Pure. */
import type { ReplayResult, Replayed } from '../replay/replay-executions.js';
import type { ListedExecution, TaskQueueReplay } from '../replay/replay-task-queue.js';
import type { Colors } from './colors.js';
import { printableFacts } from './terminal-text.js';

/** What `runbook replay --json` prints. */
export interface ShownReplay {
  readonly namespace: string;
  readonly taskQueue: string;
  readonly kept: TaskQueueReplay['kept'];
  /** How many executions had each result. */
  readonly results: Readonly<Record<ReplayResult, number>>;
  /** Those that were not replayed, each with its reason. */
  readonly notReplayed: readonly (ListedExecution & Pick<Replayed<ListedExecution>, 'result' | 'reason'>)[];
}

/** Counts the results. @param place where the executions are */
export function shownReplay(
  { kept, replays }: TaskQueueReplay,
  place: Pick<ShownReplay, 'namespace' | 'taskQueue'>,
): ShownReplay {
  const results: Record<ReplayResult, number> = { replayed: 0, failed: 0, notReplayable: 0, unread: 0 };
  for (const { result } of replays) results[result]++;
  const notReplayed = replays
    .filter(({ result }) => result !== 'replayed')
    .map(({ run, result, reason }) => ({ ...run, result, reason }));
  return { ...place, kept, results, notReplayed };
}

const WORDS: Readonly<Record<Exclude<ReplayResult, 'replayed'>, string>> = {
  failed: 'does not replay',
  notReplayable: 'cannot be checked',
  unread: 'could not be read',
};

/** A line for each execution that was not replayed, with its reason below, then the counts. */
export function renderReplay(given: ShownReplay, colors: Colors): string {
  const { namespace, taskQueue, kept, results, notReplayed } = printableFacts(given);
  const lines = notReplayed.flatMap(({ workflowId, workflowType, isOpen, result, reason }) => {
    const what = `${workflowId} (${workflowType}, ${isOpen ? 'open' : 'closed'})`;
    const words = result === 'replayed' ? '' : WORDS[result];
    return [`${result === 'notReplayable' ? '-' : colors.bad('✗')} ${what} ${words}`, `    ${reason ?? ''}`];
  });
  const of = Object.values(results).reduce((sum, each) => sum + each, 0);
  const all = kept.open + kept.closed;
  const more = of < all ? `. The namespace keeps ${all}; --limit takes more` : '';
  const summary = `${results.replayed} of ${of} histories replay (task queue ${taskQueue}, namespace ${namespace}: ${kept.open} open, ${kept.closed} closed)${more}`;
  const isGood = results.failed + results.unread === 0;
  return [...lines, isGood ? colors.bold(summary) : colors.bad(summary)].join('\n');
}
