/** What the rest of the project can ask of ServiceStage. `service-stage-client.ts` implements it over HTTP. Independent of Temporal. */
import type { Action } from '../domain/target/actions.js';
import type { CloudJob } from '../domain/target/cloud-job.js';
import type { Observation, Target } from '../domain/target/target.js';

/** Limits of one read. */
export interface ReadOptions {
  /** Longest time for one GET, milliseconds, after the budget granted it. */
  readonly timeoutMs: number;
  /** Aborts the wait and the GET; the signal's reason is rethrown. */
  readonly signal?: AbortSignal;
}

/** A recorded version of an instance. */
export interface Snapshot {
  readonly version: string;
  readonly description: string;
  readonly createdAtMs: number;
}

/** An application or a component. */
export interface NamedEntity {
  readonly id: string;
  readonly name: string;
}

/** An instance, as listed. */
export interface ListedInstance extends NamedEntity {
  readonly platformType: string;
}

/** A reading of an instance, and what the instance is called now; `null` if the answer has no name. */
export interface NamedObservation {
  readonly name: string | null;
  readonly observation: Observation;
}

/** Limits of one POST, and its fence. */
export interface SubmitOptions {
  /** Longest time for connection and answer together, milliseconds. */
  readonly timeoutMs: number;
  /**
   * Awaited after the connection is open, directly before the first byte; not counted in `timeoutMs`. If it throws,
   * the POST ends unsent and the error is rethrown.
   */
  readonly beforeFirstByte?: () => Promise<void>;
}

/** A place in the request budget and valid credentials, held for a POST that follows at once. */
export interface PostReservation {
  /**
   * Sends the action once: own connection, no retry, no redirect, no signal.
   * @throws ServiceStageError with `sent` `no`, `refused` or `unknown`
   */
  submitAction(target: Target, action: Action, options: SubmitOptions): Promise<{ readonly cloudJobId: string }>;
  /** Returns the place if nothing was sent. Safe to call at any time. */
  release(): void;
}

/** The API as the project uses it. All methods throw `ServiceStageError`, or the signal's reason when aborted. */
export interface ServiceStage {
  readonly projectId: string;
  /**
   * Waits for the budget and for credentials, so that nothing has to wait between the last reading and the send.
   * @throws ServiceStageError, always with `sent: 'no'`: `BudgetExhausted` if no place was free in time, or the
   * reason why IAM gave no token
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
  /** The same call; planning compares the name with the one that it looked up. */
  readNamedInstance(
    target: Pick<Target, 'applicationId' | 'componentId' | 'instanceId'>,
    options: ReadOptions,
  ): Promise<NamedObservation>;
  /** Reads all pages of its tasks. */
  readCloudJob(cloudJobId: string, options: ReadOptions): Promise<CloudJob>;
  /** Newest first, sorted here, because it is not certain which sort parameter the API honours. */
  listSnapshots(
    target: Pick<Target, 'applicationId' | 'componentId' | 'instanceId'>,
    options: ReadOptions,
  ): Promise<readonly Snapshot[]>;
  listApplications(options: ReadOptions): Promise<readonly NamedEntity[]>;
  listComponents(applicationId: string, options: ReadOptions): Promise<readonly NamedEntity[]>;
  listInstances(applicationId: string, componentId: string, options: ReadOptions): Promise<readonly ListedInstance[]>;
  /**
   * Our own IAM user id, for adoption evidence; `null` if IAM refuses to report it. Throws if IAM does not answer,
   * because that decides nothing.
   */
  ownUserId(options: ReadOptions): Promise<string | null>;
  /** How far this machine's clock was ahead of the last answer's `Date`; `null` before the first answer. */
  clockAheadMs(): number | null;
}
