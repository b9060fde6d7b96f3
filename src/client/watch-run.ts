/** Reads a snapshot of a run, and repeats it until the run has ended. */
import {
  QueryNotRegisteredError,
  QueryRejectedError,
  WorkflowClient,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { PROGRESS_QUERY } from '../domain/contract.js';
import type { RunProgress, TargetProgress } from '../domain/report/progress.js';
import { isOpen, isPaused } from '../domain/run/workflow-status.js';
import { awaitEnd } from './await-end.js';
import { NoReport, NotARun, NoWorkerAnswers, RunPaused, ServerUnreachable } from '../temporal/errors.js';
import { Patience } from './patience.js';
import { reportInMemo, wholeReport } from './read-report.js';
import { snapshotOfReport, type RunSnapshot } from './report-snapshot.js';
import { liveTargetProgress } from './target-progress.js';
import { grpcCodeOf, toClientError, type Calls } from '../temporal/calls.js';

/** Which run to read, and how. */
export interface SnapshotCall {
  readonly calls: Calls;
  readonly callTimeoutMs: number;
  readonly workflowId: string;
  readonly runId: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** How to watch a run. */
export interface WatchCall extends SnapshotCall {
  readonly intervalMs: number;
  readonly patienceMs: number;
  readonly everySnapshot: boolean;
}

/**
 * Returns a snapshot. A run that has ended is read from its report and needs no worker.
 * @throws RunNotFound, RunPaused, NoReport, NotARun, NoWorkerAnswers, ServerUnreachable
 */
export async function takeSnapshot(call: SnapshotCall): Promise<RunSnapshot> {
  const { calls, callTimeoutMs, workflowId, runId, signal } = call;
  const { client } = calls;
  try {
    const snapshot = await calls.interruptible(callTimeoutMs, signal, async () => {
      const run = await whileOpen(client).getHandle(workflowId, runId).query<RunProgress>(PROGRESS_QUERY);
      // A target's own workflow answers the same query in another shape.
      if (!Array.isArray(run.targets)) throw new NotARun(workflowId);
      const begun = run.targets.filter(({ childRunId }) => childRunId !== null);
      return snapshotOf(workflowId, run, await Promise.all(begun.map((target) => liveTargetProgress(client, target))));
    });
    return snapshot ?? (await snapshotOfEnded(call, null));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isAborted(signal)) throw toClientError(error, workflowId);
    if (error instanceof QueryNotRegisteredError) throw new NotARun(workflowId, { cause: error });
    const isAnswer = error instanceof QueryRejectedError || grpcCodeOf(error) !== null;
    if (!isAnswer) throw error;
    return snapshotOfEnded(call, error);
  }
}

/**
 * The snapshot of a run that is open.
 *
 * @param answers of its targets that have begun; `null` for one that gave none, which the next snapshot shows
 * @returns `null` for a run that has just finished and lacks such a target: its report has all of them, and no other snapshot follows
 */
export function snapshotOf(
  workflowId: string,
  run: RunProgress,
  answers: readonly (TargetProgress | null)[],
): RunSnapshot | null {
  const targets = answers.filter((target) => target !== null);
  return run.phase === 'finished' && targets.length < answers.length ? null : { workflowId, run, targets };
}

/** Refuses queries to closed runs, because a workflow that was terminated would answer with stale progress. */
function whileOpen({ workflow }: Client): WorkflowClient {
  return new WorkflowClient({ ...workflow.options, connection: workflow.connection, queryRejectCondition: 'NOT_OPEN' });
}

/** Called after an unanswered query. Finds out whether the run has ended, is paused, or lacks a worker. */
async function snapshotOfEnded(
  { calls, callTimeoutMs, workflowId, runId, signal }: SnapshotCall,
  why: unknown,
): Promise<RunSnapshot> {
  try {
    const described = await calls.interruptible(callTimeoutMs, signal, () =>
      calls.client.workflow.getHandle(workflowId, runId).describe(),
    );
    const status = described.status.name;
    if (isPaused(status)) throw new RunPaused(workflowId, { cause: why });
    if (isOpen(status)) throw new NoWorkerAnswers(workflowId, { cause: why });
    const report = reportInMemo(described);
    if (report === null) throw new NoReport(workflowId);
    const waiting = { calls, signal, patienceMs: 0 };
    const read = (id: string, execution: string) => awaitEnd({ ...waiting, workflowId: id, runId: execution });
    return snapshotOfReport(await wholeReport(report, read));
  } catch (error) {
    throw toClientError(error, workflowId);
  }
}

/**
 * The first limit of a query; it doubles up to the limit of every call. The server holds back a query that arrives
 * while another one waits for the same workflow task, perhaps until the run has ended, but answers a repeated query
 * at once.
 */
const FIRST_QUERY_MS = 2_000;

/** The longest pause after an unanswered query: a long interval is meant for a run that answers. */
const UNANSWERED_PAUSE_MS = 2_000;

/**
 * Yields snapshots until the run has ended. Continues while the run is paused or has no worker, and while the server
 * is unreachable for at most `patienceMs`.
 */
export async function* watchRun(watch: WatchCall): AsyncGenerator<RunSnapshot, void> {
  const { signal, intervalMs, patienceMs, everySnapshot } = watch;
  let shown = '';
  const patience = new Patience(patienceMs);
  let queryMs = FIRST_QUERY_MS;
  while (!isAborted(signal)) {
    const askedAtMs = performance.now();
    let pauseMs = intervalMs;
    try {
      const snapshot = await takeSnapshot({ ...watch, callTimeoutMs: Math.min(queryMs, watch.callTimeoutMs) });
      patience.answered();
      queryMs = FIRST_QUERY_MS;
      const text = JSON.stringify(snapshot);
      if (everySnapshot || text !== shown) yield snapshot;
      shown = text;
      if (snapshot.run.phase === 'finished') return;
    } catch (error) {
      if (isAborted(signal)) return;
      queryMs *= 2;
      pauseMs = Math.min(intervalMs, UNANSWERED_PAUSE_MS);
      if (error instanceof NoWorkerAnswers || error instanceof RunPaused) patience.answered();
      else if (!(error instanceof ServerUnreachable) || patience.unanswered(askedAtMs, performance.now())) throw error;
    }
    await watch.calls.pause(pauseMs, signal);
  }
}

/** A function, because the compiler would assume that the value does not change during an await. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
