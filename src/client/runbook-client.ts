/** `RunbookClient`: starts runs, waits for reports, shows progress, cancels. Loads no native code. */
import {
  Client,
  TimeoutFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type ClientOptions,
  type Connection,
  type ConnectionOptions,
  type WorkflowHandle,
} from '@temporalio/client';
import { DEFAULT_TASK_QUEUE, type StartArguments } from '../domain/contract.js';
import { describeDuration } from '../domain/time/duration.js';
import type { Plan } from '../domain/plan/plan.js';
import type { RunReport } from '../domain/report/report.js';
import type { CommandAnswer } from '../domain/steering/commands.js';
import { isPolled, type RunFacts } from '../domain/run/run-facts.js';
import type { Target } from '../domain/target/target.js';
import { isOpen } from '../domain/run/workflow-status.js';
import { awaitEnd, type WaitCall } from './await-end.js';
import type { CatalogueInputs } from './catalogue-inputs.js';
import { ClosableConnection } from '../temporal/connection.js';
import { withReadableMemos } from '../temporal/readable-memos.js';
import { NoReport, PlanRefused, ServerUnreachable } from '../temporal/errors.js';
import { isReport, reportInFailure, reportInMemo, wholeReport } from './read-report.js';
import { readHolder, type LeaseHolding } from './lease-holding.js';
import { listRuns, type ListOptions, type RunList } from './list-runs.js';
import type { RunSnapshot } from './report-snapshot.js';
import { readPollers, readRunFacts } from './run-facts.js';
import { newRunId, requireRunId } from './run-id.js';
import {
  commandRun,
  commandTarget,
  decideApproval,
  type ApprovalRequest,
  type CommandCall,
  type CommandRequest,
  type TargetCommandRequest,
} from './send-command.js';
import { resumptionOf, type ResumeOptions, type Resumption } from './resume-run.js';
import { startRun, type StartedRun } from './start-run.js';
import { checkedArguments, type PlanRequest, type RunbookName, type StartRequest } from './start-request.js';
import { Calls, toClientError, reasonOf } from '../temporal/calls.js';
import { takeSnapshot, watchRun } from './watch-run.js';

/** Options of a `RunbookClient` with a Temporal client of yours. */
export interface RunbookClientOptions {
  readonly client: Client;
  /** Default `runbooks`. */
  readonly taskQueue?: string | undefined;
  /** Limit of one call to Temporal, milliseconds; after it the server counts as unreachable. Default 10,000. */
  readonly callTimeoutMs?: number | undefined;
  /** Closes the connection after the last call has ended. Default: it stays open. */
  readonly close?: (() => Promise<void>) | undefined;
}

/** The address and credentials of Temporal, as `Connection` and `Client` of `@temporalio/client` accept them. */
export type ConnectOptions = ConnectionOptions & {
  readonly [Key in 'namespace' | 'dataConverter' | 'identity']?: ClientOptions[Key] | undefined;
} & Pick<RunbookClientOptions, 'taskQueue' | 'callTimeoutMs'>;

/** Which execution of a workflow id to read. */
export interface RunOptions {
  /** One execution of the workflow id. Default: the newest. It matters only for runs that were reset. */
  readonly runId?: string | undefined;
}

/** How long to wait for a run. */
export interface WaitOptions extends RunOptions {
  /** Ends the wait, not the run. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long Temporal may answer nothing before `ServerUnreachable` is thrown, milliseconds. A wait for a result may
   * take 40 s to notice. Default 60,000.
   */
  readonly patienceMs?: number | undefined;
}

/** How long to wait for a plan. */
export interface PlanOptions extends Omit<WaitOptions, 'runId'> {
  /** Receives the workflow id of the planning run once it has started; use it with `diagnose`. */
  readonly onStarted?: ((workflowId: string) => void) | undefined;
}

/** How to watch a run. */
export interface WatchOptions extends WaitOptions {
  /** Pause between two snapshots, milliseconds. Default 500. */
  readonly intervalMs?: number | undefined;
  /** Also yield snapshots that show nothing new. Default false. */
  readonly everySnapshot?: boolean | undefined;
}

const WATCH_INTERVAL_MS = 500;
const CALL_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
const PATIENCE_MS = 60_000;
/** Planning takes at most three minutes (`makePlan`); the rest allows a worker to start. */
const PLAN_TIMEOUT_MS = 10 * 60_000;
const END_PLAN_MS = 3_000;

/** `Inputs` maps names of runbooks to their inputs; extend `CatalogueInputs` with your own. */
export class RunbookClient<Inputs extends object = CatalogueInputs> implements AsyncDisposable {
  readonly client: Client;
  readonly taskQueue: string;
  readonly #callTimeoutMs: number;
  readonly #calls: Calls;
  readonly #closeConnection: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;

  /** Accepts any Temporal client, with its data converter, interceptors and credentials. */
  constructor({ client, taskQueue, callTimeoutMs, close }: RunbookClientOptions) {
    this.client = client;
    this.#calls = new Calls(client);
    this.taskQueue = taskQueue ?? DEFAULT_TASK_QUEUE;
    this.#callTimeoutMs = callTimeoutMs ?? CALL_TIMEOUT_MS;
    this.#closeConnection = close;
  }

  /** Connects at once. @throws ServerUnreachable, AccessDenied */
  static async connect<Inputs extends object = CatalogueInputs>(
    options: ConnectOptions = {},
  ): Promise<RunbookClient<Inputs>> {
    const runbooks = RunbookClient.lazy<Inputs>({ connectTimeout: CONNECT_TIMEOUT_MS, ...options });
    try {
      await (runbooks.client.connection as Connection).ensureConnected();
      return runbooks;
    } catch (error) {
      await runbooks.close();
      const clientError = toClientError(error, null);
      if (clientError !== error && !(clientError instanceof ServerUnreachable)) throw clientError;
      throw new ServerUnreachable(
        `Temporal at ${addressOf(options)} cannot be reached: ${reasonOf(error)}. Check TEMPORAL_ADDRESS and the network`,
        { cause: error },
      );
    }
  }

  /** Connects at the first call, so that a service can start while Temporal is unreachable. */
  static lazy<Inputs extends object = CatalogueInputs>(options: ConnectOptions = {}): RunbookClient<Inputs> {
    const { namespace, dataConverter, identity, taskQueue, callTimeoutMs, ...connectionOptions } = options;
    const connection = ClosableConnection.lazy(connectionOptions);
    const given = { namespace, dataConverter, identity };
    const client = new Client({
      connection,
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    });
    return new RunbookClient<Inputs>({ client, taskQueue, callTimeoutMs, close: () => connection.close() });
  }

  /**
   * Ends waiting calls with `ClientClosed`, lets a start or cancel that is being sent finish (for at most
   * `callTimeoutMs`), and closes the connection if `connect` or `lazy` opened it. Later calls throw `ClientClosed`.
   */
  close(): Promise<void> {
    this.#closing ??= this.#calls.close().then(() => this.#closeConnection?.());
    return this.#closing;
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Starts at most one run per id, even if an answer is lost and the caller tries again.
   * @throws RunIdTaken, RunAlreadyStarted, InvalidRunId, InvalidRequest, ServerUnreachable, AccessDenied
   */
  async start<Name extends RunbookName<Inputs>>(
    runbook: Name,
    request: StartRequest<Inputs, Name>,
  ): Promise<StartedRun> {
    return startRun({
      calls: this.#calls,
      taskQueue: this.taskQueue,
      callTimeoutMs: this.#callTimeoutMs,
      runbook,
      workflowId: requireRunId(request.id ?? newRunId(runbook)),
      startArguments: checkedArguments(runbook, request),
      onExisting: request.onExisting ?? 'attach',
    });
  }

  /**
   * Returns what a run would do. A worker plans it with live reads and changes nothing. Planning ends when the
   * signal is aborted, or after ten minutes without a worker.
   * @throws PlanRefused, InvalidRequest, ServerUnreachable, AccessDenied
   */
  async plan<Name extends RunbookName<Inputs>>(
    runbook: Name,
    request: PlanRequest<Inputs, Name>,
    { signal, patienceMs = PATIENCE_MS, onStarted }: PlanOptions = {},
  ): Promise<Plan> {
    const workflowId = newRunId(`plan-${runbook}`);
    const startArguments: StartArguments = { ...checkedArguments(runbook, request), dryRun: true };
    const { client, taskQueue } = this;
    const args = [startArguments];
    const start = { workflowId, taskQueue, args, workflowExecutionTimeout: PLAN_TIMEOUT_MS };
    try {
      signal?.throwIfAborted();
      await this.#calls.uninterruptible(this.#callTimeoutMs, () => client.workflow.start(runbook, start));
      onStarted?.(workflowId);
      return (await awaitEnd({ calls: this.#calls, workflowId, runId: undefined, signal, patienceMs })) as Plan;
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) await this.#endPlan(workflowId);
      const report = reportInFailure(error);
      if (report !== null) throw new PlanRefused(report.failure?.message ?? report.summary, { cause: error });
      if (error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure)
        throw new PlanRefused(`No worker planned the run within ${describeDuration(PLAN_TIMEOUT_MS)}`, {
          cause: error,
        });
      throw toClientError(error, workflowId);
    }
  }

  /**
   * Makes the request of a run that continues where this one failed, on the targets that did not succeed. Give it to
   * `plan`, to see what is left and what would be refused, or to `start`.
   * @throws RunNotFound, NoReport, InvalidRequest if it is in progress or nothing is left to do, ServerUnreachable
   */
  async resumption(workflowId: string, options: ResumeOptions = {}): Promise<Resumption> {
    try {
      const { type, runId, status } = await this.#within(() => this.#handle(workflowId, options.runId).describe());
      const report = await this.report(workflowId, { runId });
      return resumptionOf(workflowId, { runbook: type, runId, open: isOpen(status.name), report }, options);
    } catch (error) {
      throw toClientError(error, workflowId);
    }
  }

  /**
   * Starts a new run that continues where this one failed: from the failed step on, only on the targets that did not
   * succeed, with the same values. A worker checks the instances; where the world has changed since, the new run ends
   * `refused` with the reason.
   * @throws as `resumption` and `start`
   */
  async resumeFailed(workflowId: string, options: ResumeOptions = {}): Promise<StartedRun> {
    const { runbook, request } = await this.resumption(workflowId, options);
    return this.start(runbook, request as StartRequest<Inputs, string>);
  }

  /**
   * Terminates planning that its caller no longer waits for. It changes nothing, and a cancel would have to wait for
   * a worker.
   */
  async #endPlan(workflowId: string): Promise<void> {
    const handle = this.#handle(workflowId);
    // If it cannot be ended now, its own timeout ends it.
    await this.#calls
      .uninterruptible(END_PLAN_MS, () => handle.terminate('the caller no longer waits for this plan'))
      .catch(() => {});
  }

  /**
   * Waits for the end and resolves for every outcome.
   * @throws RunNotFound, NoReport, ServerUnreachable, the signal's reason
   */
  async result(workflowId: string, { runId, signal, patienceMs = PATIENCE_MS }: WaitOptions = {}): Promise<RunReport> {
    const waiting = { calls: this.#calls, signal, patienceMs };
    // A cancelled run has its report only in its memo.
    const stored = (await resultOf({ ...waiting, workflowId, runId })) ?? (await this.#reportInMemo(workflowId, runId));
    if (stored === null) throw new NoReport(workflowId);
    return wholeReport(stored, (id, execution) => awaitEnd({ ...waiting, workflowId: id, runId: execution }));
  }

  /**
   * Returns the report of a run that has ended, or `null` while it is in progress. Needs no worker.
   * @throws RunNotFound, ServerUnreachable
   */
  async report(workflowId: string, { runId }: RunOptions = {}): Promise<RunReport | null> {
    const stored = await this.#reportInMemo(workflowId, runId);
    if (stored === null) return null;
    const waiting = { calls: this.#calls, signal: undefined, patienceMs: 0 };
    return wholeReport(stored, (id, execution) => awaitEnd({ ...waiting, workflowId: id, runId: execution }));
  }

  async #reportInMemo(workflowId: string, runId: string | undefined): Promise<RunReport | null> {
    try {
      return reportInMemo(await this.#within(() => this.#handle(workflowId, runId).describe()));
    } catch (error) {
      throw toClientError(error, workflowId);
    }
  }

  /**
   * Returns the current progress. Needs a worker while the run is in progress.
   * @throws RunNotFound, RunPaused, NoWorkerAnswers, NotARun, NoReport, ServerUnreachable
   */
  async progress(workflowId: string, { runId }: RunOptions = {}): Promise<RunSnapshot> {
    return takeSnapshot({
      calls: this.#calls,
      callTimeoutMs: this.#callTimeoutMs,
      workflowId,
      runId,
      signal: undefined,
    });
  }

  /**
   * Yields a snapshot whenever something changed, until the run has ended; the last one shows the outcome. Stops
   * without an error when the signal is aborted. Continues while the run is paused or no worker answers.
   * @throws RunNotFound, NoReport, NotARun, ServerUnreachable
   */
  watch(workflowId: string, options: WatchOptions = {}): AsyncGenerator<RunSnapshot, void> {
    const { runId, signal, patienceMs = PATIENCE_MS, intervalMs = WATCH_INTERVAL_MS, everySnapshot = false } = options;
    return watchRun({
      calls: this.#calls,
      callTimeoutMs: this.#callTimeoutMs,
      workflowId,
      runId,
      signal,
      patienceMs,
      intervalMs,
      everySnapshot: everySnapshot,
    });
  }

  /**
   * Asks the run to stop: it finishes the cloud job in flight and then follows the runbook's `onCancel`. Does not
   * wait for that.
   * @returns `alreadyEnded` if there was nothing to stop.
   * @throws RunNotFound, ServerUnreachable
   */
  async cancel(workflowId: string, { runId }: RunOptions = {}): Promise<'requested' | 'alreadyEnded'> {
    const handle = this.#handle(workflowId, runId);
    try {
      const { status } = await this.#within(() => handle.describe());
      if (!isOpen(status.name)) return 'alreadyEnded';
    } catch (error) {
      throw toClientError(error, workflowId);
    }
    try {
      await this.#calls.uninterruptible(this.#callTimeoutMs, () => handle.cancel());
      return 'requested';
    } catch (error) {
      // It was there a moment ago, so it has just ended.
      if (error instanceof WorkflowNotFoundError) return 'alreadyEnded';
      throw toClientError(error, workflowId);
    }
  }

  /**
   * Lets no step begin. The answer is `pausing` while something is in flight, and `paused` otherwise. A command is
   * taken at most once, however often its answer is lost.
   * @throws CommandRejected, RunEnded, RunNotFound, NoWorkerAnswers, ServerUnreachable
   */
  pause(workflowId: string, request: CommandRequest): Promise<CommandAnswer> {
    return commandRun(this.#command(workflowId), 'pause', request);
  }

  /** Lets a paused run continue. @throws as `pause` */
  resume(workflowId: string, request: CommandRequest): Promise<CommandAnswer> {
    return commandRun(this.#command(workflowId), 'resume', request);
  }

  /** Like `cancel`, with a name and a reason in the report. @throws as `pause` */
  abort(workflowId: string, request: CommandRequest): Promise<CommandAnswer> {
    return commandRun(this.#command(workflowId), 'abort', request);
  }

  /**
   * Decides about a blocked step: the instance is read at rest, and then the action is sent again, unless its desired
   * state holds.
   * @throws as `pause`, and RunPaused, NotARun
   */
  retryStep(workflowId: string, request: TargetCommandRequest): Promise<CommandAnswer> {
    return commandTarget(this.#command(workflowId), 'retryStep', request);
  }

  /** Decides about a blocked step: the target continues without it. @throws as `retryStep` */
  skipStep(workflowId: string, request: TargetCommandRequest): Promise<CommandAnswer> {
    return commandTarget(this.#command(workflowId), 'skipStep', request);
  }

  /** Decides about a blocked step: it was carried out, as the person has seen. @throws as `retryStep` */
  markSucceeded(workflowId: string, request: TargetCommandRequest): Promise<CommandAnswer> {
    return commandTarget(this.#command(workflowId), 'markSucceeded', request);
  }

  /**
   * Approves what the run, or a step of it, waits for. It is bound to the plan: without `planHash`, whatever the run has
   * planned is approved.
   * @throws as `retryStep`
   */
  approve(workflowId: string, request: ApprovalRequest): Promise<CommandAnswer> {
    return decideApproval(this.#command(workflowId), 'approve', request);
  }

  /** Rejects what the run, or a step of it, waits for. @throws as `approve` */
  reject(workflowId: string, request: ApprovalRequest): Promise<CommandAnswer> {
    return decideApproval(this.#command(workflowId), 'reject', request);
  }

  #command(workflowId: string): CommandCall {
    return { calls: this.#calls, callTimeoutMs: this.#callTimeoutMs, workflowId };
  }

  /**
   * Returns what the server knows of a run without a worker: what it waits for and since when. `explainSilence` puts
   * it into words.
   * @throws RunNotFound, ServerUnreachable, AccessDenied
   */
  async diagnose(workflowId: string, { runId }: RunOptions = {}): Promise<RunFacts> {
    try {
      return await this.#within(() => readRunFacts(this.client, workflowId, runId));
    } catch (error) {
      throw toClientError(error, workflowId);
    }
  }

  /**
   * Lists runs, without leases, alarm rules and dry runs: open ones first, then those that ended last. Needs no worker.
   * The server's listing may lag some seconds behind.
   * @throws ServerUnreachable, AccessDenied
   */
  async list(options: ListOptions = {}): Promise<RunList> {
    const { client, taskQueue } = this;
    const within = <Value>(call: () => Promise<Value>) => this.#within(call);
    try {
      return await listRuns(
        { client, workflows: withReadableMemos(client), taskQueue, nowMs: Date.now(), within },
        options,
      );
    } catch (error) {
      throw toClientError(error, null);
    }
  }

  /**
   * Returns which run acts on an instance now, or `null`. Always current, and needs no worker.
   * @param instance ids as ServiceStage gives them
   * @throws ServerUnreachable, AccessDenied
   */
  async leaseHolder(instance: Pick<Target, 'projectId' | 'instanceId'>): Promise<LeaseHolding | null> {
    try {
      return await this.#within(() => readHolder(this.client, instance));
    } catch (error) {
      throw toClientError(error, null);
    }
  }

  /**
   * Returns whether a worker polls the task queue. One that has just stopped counts for up to 75 s.
   * @throws ServerUnreachable, AccessDenied
   */
  async hasWorker(): Promise<boolean> {
    try {
      return isPolled(await this.#within(() => readPollers(this.client, this.taskQueue)), Date.now());
    } catch (error) {
      throw toClientError(error, null);
    }
  }

  #within<Value>(call: () => Promise<Value>): Promise<Value> {
    return this.#calls.interruptible(this.#callTimeoutMs, undefined, call);
  }

  #handle(workflowId: string, runId?: string): WorkflowHandle {
    return this.client.workflow.getHandle(workflowId, runId);
  }
}

/** For messages. With a proxy, `address` is that of the proxy, and the channel arguments contain the server. */
function addressOf({ address = 'localhost:7233', channelArgs }: ConnectOptions): string {
  const target = channelArgs?.['grpc.http_connect_target'];
  return typeof target === 'string' ? `${target.replace(/^dns:/, '')} through the proxy ${address}` : address;
}

/** The report that a run returned or failed with; `null` if there is none. */
async function resultOf(wait: WaitCall): Promise<RunReport | null> {
  try {
    const result = await awaitEnd(wait);
    return isReport(result) ? result : null;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return reportInFailure(error);
  }
}
