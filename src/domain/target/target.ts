/** What a run acts on: one ServiceStage component instance, and what can be observed of it. */

/** One component instance, fully resolved. `path` is its name for people: `application/component/instance`. */
export interface Target {
  readonly path: string;
  readonly projectId: string;
  readonly applicationId: string;
  readonly componentId: string;
  readonly instanceId: string;
  /** `cce` (containers) or `vmapp` (virtual machines); other values of the API are kept. */
  readonly platformType: string;
}

/** One reading of an instance. Times are epoch milliseconds; fields that the API left out are `null`. */
export interface Observation {
  readonly observedAtMs: number;
  /** The vendor's status, as read (`RUNNING`, `STOPPED`, …). */
  readonly status: string;
  readonly version: string | null;
  /** Desired replicas. */
  readonly replicaCount: number | null;
  /** Replicas that are healthy. */
  readonly availableReplicaCount: number | null;
  /** ECS ids of the hosts of a VM component; `null` for containers and if the API does not report them. */
  readonly hosts: readonly string[] | null;
  /** The newest cloud job that the API shows for this instance. */
  readonly lastJobId: string | null;
  readonly lastJobStatus: string | null;
  readonly failDetail: string | null;
}

/** The meaning of a status. `moving` is not at rest; `neither` is at rest, but no undo leads to it. */
export type StatusMeaning = 'running' | 'stopped' | 'neither' | 'moving' | 'deleted';

/**
 * Every instance status of the API (`InstanceStatusType` of the V2 SDK models, 2026-11). An unlisted status counts
 * as `moving`: it is never success and ends as an overdue step.
 */
const STATUS_MEANINGS: Readonly<Record<string, StatusMeaning>> = {
  RUNNING: 'running',
  STOPPED: 'stopped',
  FAILED: 'neither',
  DOWN: 'neither',
  PARTIALLY_FAILED: 'neither',
  UNKNOWN: 'neither',
  RESERVED: 'neither',
  INITIALIZING: 'moving',
  UPGRADING: 'moving',
  STARTING: 'moving',
  STOPPING: 'moving',
  RESTARTING: 'moving',
  PENDING: 'moving',
  DELETING: 'moving',
  DELETED: 'deleted',
};

/** The meaning of a status; `moving` for one that is not listed. */
export function statusMeaning(status: string): StatusMeaning {
  return Object.hasOwn(STATUS_MEANINGS, status) ? (STATUS_MEANINGS[status] ?? 'moving') : 'moving';
}

/** True if the status is in our table. */
export function isListedStatus(status: string): boolean {
  return Object.hasOwn(STATUS_MEANINGS, status);
}

/** One line for people: `RUNNING 2/2, version 1.4.0`. */
export function describeObservation(observation: Observation): string {
  const { status, availableReplicaCount, replicaCount, version, failDetail } = observation;
  const replicas = replicaCount === null ? '' : ` ${availableReplicaCount ?? '?'}/${replicaCount}`;
  const detail = failDetail === null ? '' : ` (${failDetail})`;
  return `${status}${replicas}${version === null ? '' : `, version ${version}`}${detail}`;
}

/** Prefix of every lease's workflow id; runs must not use it. */
export const LEASE_PREFIX = 'runbook-target/';

/** The workflow id that is the lease on an instance: Temporal allows only one open workflow with it. */
export function leaseId(target: Pick<Target, 'projectId' | 'instanceId'>): string {
  return `${LEASE_PREFIX}${target.projectId}/${target.instanceId}`;
}
