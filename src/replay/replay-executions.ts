/** Replays histories of executions that a server keeps: does this workflow code come to the same commands? */
import type { Client } from '@temporalio/client';
import { Worker, type ReplayWorkerOptions } from '@temporalio/worker';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** One execution of a workflow. */
export interface Execution {
  readonly workflowId: string;
  readonly runId: string;
}

/**
 * What a replay shows. `failed`: this code comes to other commands, so the execution would stand still. `notReplayable`: it was
 * reset, and the SDK's replayer does not see that. `unread`: its history could not be read, such as one whose retention has just ended.
 */
export type ReplayResult = 'replayed' | 'failed' | 'notReplayable' | 'unread';

/** An execution with what its replay showed. */
export interface Replayed<Run extends Execution> {
  readonly run: Run;
  readonly result: ReplayResult;
  /** Why it was not replayed. */
  readonly reason: string | null;
}

/** What a server has, and the code to replay it with. */
export interface ReplayOptions {
  /** Its payload codecs decode the histories. */
  readonly client: Client;
  readonly code: ReplayWorkerOptions;
}

interface Given<Run> {
  readonly run: Run;
  readonly wasReset: boolean;
}

/**
 * Replays one history at a time, while the next one is fetched. Several callers may share an iterator: each replays a part.
 * @throws if the code itself cannot be loaded
 */
export async function* replayExecutions<Run extends Execution>(
  { client, code }: ReplayOptions,
  runs: Iterator<Run>,
): AsyncGenerator<Replayed<Run>, void> {
  const given: Given<Run>[] = [];
  const unread: Replayed<Run>[] = [];
  const { payloadCodecs } = client.options.loadedDataConverter;
  const replaying = Worker.runReplayHistories(
    { ...(payloadCodecs.length === 0 ? {} : { dataConverter: { payloadCodecs } }), ...code },
    histories(client, runs, { given, unread }),
  );
  // Results come in the order in which the histories are given.
  for await (const { error } of replaying) {
    const next = given.shift();
    if (next !== undefined) yield verdict(next, error);
    yield* unread.splice(0);
  }
  yield* unread;
}

/**
 * A reset run that waited out its predecessor cannot be replayed: the SDK's replayer (1.24) gives the workflow the original run's id
 * as its own, so that the reset is not seen, nor what was scheduled because of it.
 */
const RESET_THAT_WAITED = 'does not handle this event: HistoryEvent(id: ';

function verdict<Run extends Execution>({ run, wasReset }: Given<Run>, error: Error | undefined): Replayed<Run> {
  if (error === undefined) return { run, result: 'replayed', reason: null };
  if (wasReset && error.message.includes(RESET_THAT_WAITED))
    return { run, result: 'notReplayable', reason: 'it was reset, which the replayer of the SDK does not see' };
  const [, reason = error.message] = /Details: ([^]*)$/.exec(error.message) ?? [];
  return { run, result: 'failed', reason };
}

async function* histories<Run extends Execution>(
  client: Client,
  runs: Iterator<Run>,
  { given, unread }: { readonly given: Given<Run>[]; readonly unread: Replayed<Run>[] },
) {
  for (let current = fetchNext(client, runs); current !== null;) {
    const next = fetchNext(client, runs);
    const { run } = current;
    const history = await current.history;
    if (history instanceof Error) unread.push({ run, result: 'unread', reason: history.message });
    else {
      given.push({ run, wasReset: isOfReset(history) });
      yield { workflowId: run.workflowId, history };
    }
    current = next;
  }
}

function fetchNext<Run extends Execution>(client: Client, runs: Iterator<Run>) {
  const next = runs.next();
  if (next.done === true) return null;
  const run = next.value;
  const history = client.workflow
    .getHandle(run.workflowId, run.runId)
    .fetchHistory()
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  return { run, history };
}

/** The first task of a reset run fails in the history, and names the run that it was reset from. */
function isOfReset({ events }: History): boolean {
  return events?.some((event) => (event.workflowTaskFailedEventAttributes?.baseRunId ?? '') !== '') === true;
}
