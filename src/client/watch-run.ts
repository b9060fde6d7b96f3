/** What a run shows: one look at it, and looks again and again until it has ended. */
import {
  QueryNotRegisteredError,
  QueryRejectedError,
  WorkflowClient,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { PROGRESS_QUERY } from '../domain/contract.js';
import type { RunProgress } from '../domain/report/report.js';
import { isOpen, isPaused } from '../domain/run/workflow-status.js';
import { awaitEnd } from './await-end.js';
import { NoReport, NotARun, NoWorkerAnswers, RunPaused, ServerUnreachable } from '../temporal/errors.js';
import { Patience } from './patience.js';
import { reportInMemo, wholeReport } from './read-report.js';
import { snapshotOfReport, type RunSnapshot } from './report-snapshot.js';
import { liveTargetProgress } from './target-progress.js';
import { grpcCodeOf, toClientError, type Calls } from '../temporal/calls.js';

export interface SnapshotCall {
  readonly calls: Calls;
  readonly callTimeoutMs: number;
  readonly workflowId: string;
  readonly runId: string | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface WatchCall extends SnapshotCall {
  readonly intervalMs: number;
  readonly patienceMs: number;
  readonly everySnapshot: boolean;
}

/** A run that has ended is read from its report and needs no worker. @throws RunNotFound, RunPaused, NoReport, NotARun, NoWorkerAnswers, ServerUnreachable */
export async function takeSnapshot(look: SnapshotCall): Promise<RunSnapshot> {
  const { calls, callTimeoutMs, workflowId, runId, signal } = look;
  const { client } = calls;
  try {
    return await calls.interruptible(callTimeoutMs, signal, async () => {
      const run = await whileOpen(client).getHandle(workflowId, runId).query<RunProgress>(PROGRESS_QUERY);
      // A target's own workflow answers the same query, with what it knows of itself.
      if (!Array.isArray(run.targets)) throw new NotARun(workflowId);
      const begun = run.targets.filter(({ childRunId }) => childRunId !== null);
      const targets = await Promise.all(begun.map((target) => liveTargetProgress(client, target)));
      return { workflowId, run, targets: targets.filter((target) => target !== null) };
    });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isAborted(signal)) throw toClientError(error, workflowId);
    if (error instanceof QueryNotRegisteredError) throw new NotARun(workflowId, { cause: error });
    const isTold = error instanceof QueryRejectedError || grpcCodeOf(error) !== null;
    if (!isTold) throw error;
    return snapshotOfEnded(look, error);
  }
}

/** The server refuses queries to runs that have ended: their workflow could only tell what it knew before it was terminated. */
function whileOpen({ workflow }: Client): WorkflowClient {
  return new WorkflowClient({ ...workflow.options, connection: workflow.connection, queryRejectCondition: 'NOT_OPEN' });
}

/** The query went unanswered: has the run ended, is it paused, or is a worker or the server away? */
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
 * The first limit of a look, then twice as long up to that of every call: the server holds a query back that comes while another one
 * waits for the same workflow task, perhaps until the run has ended, and answers at once when it is asked anew.
 */
const FIRST_LOOK_MS = 2_000;

/** Snapshots until the run has ended; goes on over a pause or an absence of workers, and over one of the server for `patienceMs`. */
export async function* watchRun(watch: WatchCall): AsyncGenerator<RunSnapshot, void> {
  const { signal, intervalMs, patienceMs, everySnapshot } = watch;
  let shown = '';
  const patience = new Patience(patienceMs);
  let lookMs = FIRST_LOOK_MS;
  while (!isAborted(signal)) {
    const askedAtMs = performance.now();
    try {
      const snapshot = await takeSnapshot({ ...watch, callTimeoutMs: Math.min(lookMs, watch.callTimeoutMs) });
      patience.answered();
      lookMs = FIRST_LOOK_MS;
      const text = JSON.stringify(snapshot);
      if (everySnapshot || text !== shown) yield snapshot;
      shown = text;
      if (snapshot.run.phase === 'finished') return;
    } catch (error) {
      if (isAborted(signal)) return;
      lookMs *= 2;
      if (error instanceof NoWorkerAnswers || error instanceof RunPaused) patience.answered();
      else if (!(error instanceof ServerUnreachable) || patience.unanswered(askedAtMs, performance.now())) throw error;
    }
    await watch.calls.pause(intervalMs, signal);
  }
}

/** Asked anew each time: it changes while others are awaited. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
