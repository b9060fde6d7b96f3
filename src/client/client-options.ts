/** The options of `RunbookClient` and of its calls. */
import type { Client, ClientOptions, ConnectionOptions } from '@temporalio/client';

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
} & Pick<RunbookClientOptions, 'taskQueue' | 'callTimeoutMs'> & {
    /** Interceptors of the Temporal client, such as `await tracingInterceptors()`. Those of gRPC are in `interceptors`, as `Connection` has them. */
    readonly clientInterceptors?: ClientOptions['interceptors'] | undefined;
  };

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
