/** `RunbookClient`: starts runs, waits for reports, shows progress, cancels. Loads no native code. */
import { Client, type Connection, type WorkflowHandle } from '@temporalio/client';
import { DEFAULT_TASK_QUEUE } from '../domain/contract.js';
import type { Plan } from '../domain/plan/plan.js';
import type { RunReport } from '../domain/report/report.js';
import type { CommandAnswer } from '../domain/steering/commands.js';
import { isPolled, type RunFacts } from '../domain/run/run-facts.js';
import type { Target } from '../domain/target/target.js';
import { isOpen } from '../domain/run/workflow-status.js';
import { awaitReport, readReport } from './await-report.js';
import { cancelRun } from './cancel-run.js';
import type { CatalogueInputs } from './catalogue-inputs.js';
import type {
  ConnectOptions,
  PlanOptions,
  RunbookClientOptions,
  RunOptions,
  WaitOptions,
  WatchOptions,
} from './client-options.js';
import { ClosableConnection } from '../temporal/connection.js';
import { withReadableMemos } from '../temporal/readable-memos.js';
import { ServerUnreachable } from '../temporal/errors.js';
import { readHolder, type LeaseHolding } from './lease-holding.js';
import { listRuns, type ListOptions, type RunList } from './list-runs.js';
import type { RunSnapshot } from './report-snapshot.js';
import { planRun } from './plan-run.js';
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
import { startRun, type StartCall, type StartedRun } from './start-run.js';
import { checkedArguments, type PlanRequest, type RunbookName, type StartRequest } from './start-request.js';
import { Calls, toClientError, reasonOf } from '../temporal/calls.js';
import { takeSnapshot, watchRun } from './watch-run.js';

const WATCH_INTERVAL_MS = 500;
const CALL_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
const PATIENCE_MS = 60_000;

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
    const { namespace, dataConverter, identity, taskQueue, callTimeoutMs, ...others } = options;
    const { clientInterceptors: interceptors, ...connectionOptions } = others;
    const connection = ClosableConnection.lazy(connectionOptions);
    const given = { namespace, dataConverter, identity, interceptors };
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
      ...this.#starting(),
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
    const startArguments = checkedArguments(runbook, request);
    return planRun({ ...this.#starting(), runbook, startArguments, signal, patienceMs, onStarted });
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
   * Waits for the end and resolves for every outcome.
   * @throws RunNotFound, NoReport, ServerUnreachable, the signal's reason
   */
  async result(workflowId: string, { runId, signal, patienceMs = PATIENCE_MS }: WaitOptions = {}): Promise<RunReport> {
    return awaitReport({ ...this.#call(workflowId), runId, signal, patienceMs });
  }

  /**
   * Returns the report of a run that has ended, or `null` while it is in progress. Needs no worker.
   * @throws RunNotFound, ServerUnreachable
   */
  async report(workflowId: string, { runId }: RunOptions = {}): Promise<RunReport | null> {
    return readReport({ ...this.#call(workflowId), runId, signal: undefined, patienceMs: 0 });
  }

  /**
   * Returns the current progress. Needs a worker while the run is in progress.
   * @throws RunNotFound, RunPaused, NoWorkerAnswers, NotARun, NoReport, ServerUnreachable
   */
  async progress(workflowId: string, { runId }: RunOptions = {}): Promise<RunSnapshot> {
    return takeSnapshot({ ...this.#call(workflowId), runId, signal: undefined });
  }

  /**
   * Yields a snapshot whenever something changed, until the run has ended; the last one shows the outcome. Stops
   * without an error when the signal is aborted. Continues while the run is paused or no worker answers.
   * @throws RunNotFound, NoReport, NotARun, ServerUnreachable
   */
  watch(workflowId: string, options: WatchOptions = {}): AsyncGenerator<RunSnapshot, void> {
    const { runId, signal, patienceMs = PATIENCE_MS, intervalMs = WATCH_INTERVAL_MS, everySnapshot = false } = options;
    return watchRun({ ...this.#call(workflowId), runId, signal, patienceMs, intervalMs, everySnapshot });
  }

  /**
   * Asks the run to stop: it finishes the cloud job in flight and then follows the runbook's `onCancel`. Does not
   * wait for that.
   * @returns `alreadyEnded` if there was nothing to stop.
   * @throws RunNotFound, ServerUnreachable
   */
  async cancel(workflowId: string, { runId }: RunOptions = {}): Promise<'requested' | 'alreadyEnded'> {
    return cancelRun({ ...this.#call(workflowId), runId });
  }

  /**
   * Lets no step begin. The answer is `pausing` while something is in flight, and `paused` otherwise. A command is
   * taken at most once, however often its answer is lost.
   * @throws CommandRejected, RunEnded, RunNotFound, NoWorkerAnswers, ServerUnreachable
   */
  pause(workflowId: string, request: CommandRequest): Promise<CommandAnswer> {
    return commandRun(this.#call(workflowId), 'pause', request);
  }

  /** Lets a paused run continue. @throws as `pause` */
  resume(workflowId: string, request: CommandRequest): Promise<CommandAnswer> {
    return commandRun(this.#call(workflowId), 'resume', request);
  }

  /** Like `cancel`, with a name and a reason in the report. @throws as `pause` */
  abort(workflowId: string, request: CommandRequest): Promise<CommandAnswer> {
    return commandRun(this.#call(workflowId), 'abort', request);
  }

  /**
   * Decides about a blocked step: the instance is read at rest, and then the action is sent again, unless its desired
   * state holds.
   * @throws as `pause`, and RunPaused, NotARun
   */
  retryStep(workflowId: string, request: TargetCommandRequest): Promise<CommandAnswer> {
    return commandTarget(this.#call(workflowId), 'retryStep', request);
  }

  /** Decides about a blocked step: the target continues without it. @throws as `retryStep` */
  skipStep(workflowId: string, request: TargetCommandRequest): Promise<CommandAnswer> {
    return commandTarget(this.#call(workflowId), 'skipStep', request);
  }

  /** Decides about a blocked step: it was carried out, as the person has seen. @throws as `retryStep` */
  markSucceeded(workflowId: string, request: TargetCommandRequest): Promise<CommandAnswer> {
    return commandTarget(this.#call(workflowId), 'markSucceeded', request);
  }

  /**
   * Approves what the run, or a step of it, waits for. It is bound to the plan: without `planHash`, whatever the run has
   * planned is approved.
   * @throws as `retryStep`
   */
  approve(workflowId: string, request: ApprovalRequest): Promise<CommandAnswer> {
    return decideApproval(this.#call(workflowId), 'approve', request);
  }

  /** Rejects what the run, or a step of it, waits for. @throws as `approve` */
  reject(workflowId: string, request: ApprovalRequest): Promise<CommandAnswer> {
    return decideApproval(this.#call(workflowId), 'reject', request);
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

  /** What each call about one run needs. */
  #call(workflowId: string): CommandCall {
    return { calls: this.#calls, callTimeoutMs: this.#callTimeoutMs, workflowId };
  }

  #starting(): Pick<StartCall, 'calls' | 'callTimeoutMs' | 'taskQueue'> {
    return { calls: this.#calls, callTimeoutMs: this.#callTimeoutMs, taskQueue: this.taskQueue };
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
