/** What the rest of the project may ask of ServiceStage. Implemented over HTTP in `http.ts`; knows nothing of Temporal. */
import type { Action } from '../domain/target/actions.js';
import type { CloudJob } from '../domain/target/cloud-job.js';
import type { Observation, Target } from '../domain/target/target.js';

export interface ReadOptions {
  /** Longest time for one GET, milliseconds, from when the budget let it go. */
  readonly timeoutMs: number;
  /** Aborts the wait and the GET; the signal's reason is rethrown. */
  readonly signal?: AbortSignal;
}

export interface Snapshot {
  readonly version: string;
  readonly description: string;
  readonly createdAtMs: number;
}

export interface NamedEntity {
  readonly id: string;
  readonly name: string;
}

export interface ListedInstance extends NamedEntity {
  readonly platformType: string;
}

export interface SubmitOptions {
  /** Longest time for connection and answer together. */
  readonly timeoutMs: number;
  /** Awaited once the connection stands, directly before the first byte; it does not count for `timeoutMs`; what it throws ends the POST unsent and is rethrown. */
  readonly beforeFirstByte?: () => Promise<void>;
}

/** A place in the request budget and valid credentials, held for one POST that follows at once. */
export interface PostReservation {
  /**
   * Sends the action, once: its own connection, no retry, no redirect, no signal.
   * @throws ServiceStageError with `sent` `no`, `refused` or `unknown`
   */
  submitAction(target: Target, action: Action, options: SubmitOptions): Promise<{ readonly cloudJobId: string }>;
  /** Gives the place back when nothing was sent. Safe to call at any time. */
  release(): void;
}

/** All methods throw `ServiceStageError`, or the signal's reason when aborted. */
export interface ServiceStage {
  readonly projectId: string;
  /**
   * Waits for the budget and for credentials, so that nothing waits between the last reading and the send.
   * @throws ServiceStageError always with `sent: 'no'`: `BudgetExhausted` when no place came in time, or what kept IAM from giving a token
   */
  reservePost(limits: {
    readonly budgetWaitMs: number;
    readonly credentialsWaitMs: number;
    readonly signal?: AbortSignal;
  }): Promise<PostReservation>;
  readInstance(
    target: Pick<Target, 'applicationId' | 'componentId' | 'instanceId'>,
    options: ReadOptions,
  ): Promise<Observation>;
  /** All pages of its tasks. */
  readCloudJob(cloudJobId: string, options: ReadOptions): Promise<CloudJob>;
  /** Newest first, sorted here: which sort parameter the API honours is not certain. */
  listSnapshots(
    target: Pick<Target, 'applicationId' | 'componentId' | 'instanceId'>,
    options: ReadOptions,
  ): Promise<readonly Snapshot[]>;
  listApplications(options: ReadOptions): Promise<readonly NamedEntity[]>;
  listComponents(applicationId: string, options: ReadOptions): Promise<readonly NamedEntity[]>;
  listInstances(applicationId: string, componentId: string, options: ReadOptions): Promise<readonly ListedInstance[]>;
  /** Our own IAM user id, for adoption evidence; `null` where IAM will not say. Throws where it does not answer: that decides nothing. */
  ownUserId(options: ReadOptions): Promise<string | null>;
  /** How far this machine's clock was ahead of the last answer's `Date`; `null` before the first answer. */
  clockAheadMs(): number | null;
}
