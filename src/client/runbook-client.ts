/** `RunbookClient`: what other services import. Starts runs, waits for reports, shows progress, cancels. Loads no native code. */
import {
  Client,
  Connection,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
  type ClientOptions,
  type ConnectionOptions,
  type WorkflowHandle,
} from '@temporalio/client';
import { DEFAULT_TASK_QUEUE, PROGRESS_QUERY, type StartArguments } from '../domain/contract.js';
import type { Plan } from '../domain/plan.js';
import type { Outcome, RunProgress, RunReport, TargetProgress } from '../domain/report.js';
import { NoReport, PlanRefused, RunIdTaken, RunNotFound, ServerUnreachable } from './errors.js';
import { isReport, reportInFailure, reportInMemo } from './read-report.js';
import { newRunId, requireRunId } from './run-id.js';
import { liveTargetProgress } from './target-progress.js';

export interface StartRequest extends Omit<StartArguments, 'dryRun' | 'window'> {
  /** Workflow id. The same id never starts a second run, also after the first has ended. Default: a new one. */
  readonly id?: string;
}

export interface StartedRun {
  readonly workflowId: string;
  readonly runId: string;
  /** `attached`: a run of this id was there already, under way or ended. */
  readonly started: 'started' | 'attached';
}

/** What a run and its targets show at one moment. */
export interface RunSnapshot {
  readonly workflowId: string;
  readonly run: RunProgress;
  /** Targets whose child has begun, in order; one that is over and no longer answers is left out. */
  readonly targets: readonly TargetProgress[];
}

export interface WatchOptions {
  /** Between two looks, milliseconds. Default 500. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

const WATCH_INTERVAL_MS = 500;
/** `UNAVAILABLE`, `DEADLINE_EXCEEDED` of gRPC. */
const UNREACHABLE_CODES = [14, 4];

export class RunbookClient {
  readonly client: Client;
  readonly taskQueue: string;
  readonly #close: () => Promise<void>;

  /** Takes any Temporal client: own data converter, Temporal Cloud, interceptors all work. */
  constructor({
    client,
    taskQueue = DEFAULT_TASK_QUEUE,
    close = async () => {},
  }: {
    client: Client;
    taskQueue?: string;
    close?: () => Promise<void>;
  }) {
    this.client = client;
    this.taskQueue = taskQueue;
    this.#close = close;
  }

  /** @throws ServerUnreachable */
  static async connect(
    options: ConnectionOptions & Pick<ClientOptions, 'namespace' | 'dataConverter'> & { taskQueue?: string } = {},
  ): Promise<RunbookClient> {
    const { namespace, dataConverter, taskQueue, ...connectionOptions } = options;
    try {
      const connection = await Connection.connect({ connectTimeout: 5_000, ...connectionOptions });
      const client = new Client({
        connection,
        ...(namespace === undefined ? {} : { namespace }),
        ...(dataConverter === undefined ? {} : { dataConverter }),
      });
      return new RunbookClient({
        client,
        close: () => connection.close(),
        ...(taskQueue === undefined ? {} : { taskQueue }),
      });
    } catch (error) {
      throw new ServerUnreachable(
        `Temporal at ${connectionOptions.address ?? 'localhost:7233'} cannot be reached: ${reasonOf(error)}`,
        { cause: error },
      );
    }
  }

  /** Ends the connection that `connect` opened; a client that was handed in is left as it is. */
  close(): Promise<void> {
    return this.#close();
  }

  /** @throws RunIdTaken, InvalidRunId, ServerUnreachable */
  async start(runbook: string, { id, ...startArguments }: StartRequest): Promise<StartedRun> {
    const workflowId = requireRunId(id ?? newRunId(runbook));
    try {
      const handle = await this.client.workflow.start(runbook, {
        workflowId,
        taskQueue: this.taskQueue,
        args: [startArguments],
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        staticSummary: `${runbook} on ${startArguments.targets.join(', ')}`.slice(0, 200),
      });
      return { workflowId, runId: handle.firstExecutionRunId, started: 'started' };
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return this.#attach(runbook, workflowId);
      throw named(error, workflowId);
    }
  }

  async #attach(runbook: string, workflowId: string): Promise<StartedRun> {
    const { type, runId } = await this.#describe(workflowId);
    if (type !== runbook)
      throw new RunIdTaken(
        `The id ${workflowId} belongs to a run of "${type}", not of "${runbook}"; choose another id`,
      );
    return { workflowId, runId, started: 'attached' };
  }

  /** What a run would do: planned by a worker with live reads, nothing touched. @throws PlanRefused */
  async plan(runbook: string, request: Omit<StartRequest, 'id'>): Promise<Plan> {
    const workflowId = newRunId(`plan-${runbook}`);
    const startArguments: StartArguments = { ...request, dryRun: true };
    try {
      const handle = await this.client.workflow.start(runbook, {
        workflowId,
        taskQueue: this.taskQueue,
        args: [startArguments],
      });
      return (await handle.result()) as Plan;
    } catch (error) {
      const report = reportInFailure(error);
      if (report === null) throw named(error, workflowId);
      throw new PlanRefused(report.failure?.message ?? report.summary, { cause: error });
    }
  }

  /** Waits for the end. Resolves for every outcome. @throws RunNotFound, NoReport */
  async result(workflowId: string, runId?: string): Promise<RunReport> {
    const handle = this.#handle(workflowId, runId);
    try {
      const result: unknown = await handle.result();
      if (isReport(result)) return result;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || isGrpcServiceError(error)) throw named(error, workflowId);
      const report = reportInFailure(error);
      if (report !== null) return report;
    }
    const report = await this.report(workflowId, runId);
    if (report === null)
      throw new NoReport(`${workflowId} left no report: it is no run of a runbook, or it was terminated`);
    return report;
  }

  /** The report of a run that has ended, `null` while it is under way. Needs no worker. @throws RunNotFound */
  async report(workflowId: string, runId?: string): Promise<RunReport | null> {
    return reportInMemo(await this.#describe(workflowId, runId));
  }

  /** What the run shows now. Needs a worker. @throws RunNotFound */
  async progress(workflowId: string, runId?: string): Promise<RunSnapshot> {
    try {
      const run = await this.#handle(workflowId, runId).query<RunProgress>(PROGRESS_QUERY);
      const begun = run.targets.filter(({ childRunId }) => childRunId !== null);
      const targets = await Promise.all(begun.map((target) => liveTargetProgress(this.client, target)));
      return { workflowId, run, targets: targets.filter((target) => target !== null) };
    } catch (error) {
      throw named(error, workflowId);
    }
  }

  /** Snapshots until the run has ended; the last one shows its outcome. */
  async *watch(
    workflowId: string,
    { intervalMs = WATCH_INTERVAL_MS, signal }: WatchOptions = {},
  ): AsyncGenerator<RunSnapshot, void> {
    for (;;) {
      if (signal?.aborted === true) return;
      const snapshot = await this.progress(workflowId);
      yield snapshot;
      if (snapshot.run.phase === 'finished') return;
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
  }

  /** Asks the run to stop: what is in flight is finished, then `onCancel` of the runbook applies. @throws RunNotFound */
  async cancel(workflowId: string): Promise<void> {
    try {
      await this.#handle(workflowId).cancel();
    } catch (error) {
      throw named(error, workflowId);
    }
  }

  /** Is a worker polling the task queue? */
  async hasWorker(): Promise<boolean> {
    const { pollers } = await this.client.connection.workflowService.describeTaskQueue({
      namespace: this.client.options.namespace,
      taskQueue: { name: this.taskQueue },
      taskQueueType: 1,
    });
    return (pollers ?? []).length > 0;
  }

  #handle(workflowId: string, runId?: string): WorkflowHandle {
    return this.client.workflow.getHandle(workflowId, runId);
  }

  async #describe(workflowId: string, runId?: string) {
    try {
      return await this.#handle(workflowId, runId).describe();
    } catch (error) {
      throw named(error, workflowId);
    }
  }
}

function named(error: unknown, workflowId: string): unknown {
  if (error instanceof WorkflowNotFoundError) return new RunNotFound(`There is no run ${workflowId}`, { cause: error });
  const grpc = isGrpcServiceError(error)
    ? error
    : error instanceof Error && isGrpcServiceError(error.cause)
      ? error.cause
      : undefined;
  if (grpc !== undefined && UNREACHABLE_CODES.includes(grpc.code))
    return new ServerUnreachable(`Temporal cannot be reached: ${grpc.details}`, { cause: error });
  return error;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export type { Outcome, Plan, RunReport };
export type { StepReport, TargetReport } from '../domain/report.js';
export { InvalidRunId, NoReport, PlanRefused, RunIdTaken, RunNotFound, ServerUnreachable } from './errors.js';
