/** Reads what the server knows of a run in progress, without a worker. */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { TARGET_SEARCH_ATTRIBUTE } from '../domain/contract.js';
import type { ActivityFacts, PinnedVersion, Poller, RunFacts, WorkflowFacts } from '../domain/run/run-facts.js';
import { plainFailure } from './lost-attempt.js';

type Raw = WorkflowExecutionDescription['raw'];
type RawActivity = NonNullable<Raw['pendingActivities']>[number];
type Timestamp = RawActivity['scheduledTime'];

/** `PendingWorkflowTaskState`, `PendingActivityState`, `TaskQueueType` and `VersioningBehavior` of the Temporal API. */
const STARTED = 2;
const SCHEDULED = 1;
const WORKFLOW_QUEUE = 1;
const ACTIVITY_QUEUE = 2;
const PINNED = 1;
/** Targets run one after another; a few more may be ending. */
const MOST_CHILDREN = 5;

/** Makes two calls, and one for each target in progress. @throws what the calls throw */
export async function readRunFacts(client: Client, workflowId: string, runId: string | undefined): Promise<RunFacts> {
  const described = await client.workflow.getHandle(workflowId, runId).describe();
  const { raw, taskQueue } = described;
  const children = (raw.pendingChildren ?? []).slice(0, MOST_CHILDREN);
  const [pollers, ...ofChildren] = await Promise.all([
    // This part is optional, and the credentials may not allow it.
    readPollers(client, taskQueue).catch(() => null),
    ...children.map(async ({ workflowId: id, runId: childRunId }) => {
      const child = await describeChild(client, id ?? '', childRunId ?? undefined);
      return child === null ? [] : [workflowFacts(id ?? '', (await child.staticSummary()) ?? null, child.raw)];
    }),
  ]);
  const attributes = raw.workflowExecutionInfo?.searchAttributes?.indexedFields ?? {};
  return {
    workflowId,
    status: described.status.name,
    taskQueue,
    startedAtMs: described.startTime.getTime(),
    planned: Object.hasOwn(attributes, TARGET_SEARCH_ATTRIBUTE),
    cancelRequested: raw.workflowExtendedInfo?.cancelRequested === true,
    workflows: [workflowFacts(workflowId, null, raw), ...ofChildren.flat()],
    pollers,
  };
}

/** @returns `null` if the server lists the target before it can be found, or after it was removed */
async function describeChild(
  client: Client,
  workflowId: string,
  runId: string | undefined,
): Promise<WorkflowExecutionDescription | null> {
  try {
    return await client.workflow.getHandle(workflowId, runId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/**
 * Workers that polled the task queue, latest first. A worker that polls for workflows and for activities counts
 * once.
 */
export async function readPollers(client: Client, taskQueue: string): Promise<readonly Poller[]> {
  const lists = await Promise.all(
    [WORKFLOW_QUEUE, ACTIVITY_QUEUE].map((taskQueueType) =>
      client.connection.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: taskQueue },
        taskQueueType,
      }),
    ),
  );
  const lastAccess = new Map<string, number>();
  for (const { identity, lastAccessTime } of lists.flatMap(({ pollers }) => pollers ?? []))
    lastAccess.set(identity ?? '', Math.max(lastAccess.get(identity ?? '') ?? 0, epochMs(lastAccessTime) ?? 0));
  return [...lastAccess]
    .map(([identity, lastAccessAtMs]) => ({ identity, lastAccessAtMs }))
    .sort((left, right) => right.lastAccessAtMs - left.lastAccessAtMs);
}

function workflowFacts(workflowId: string, summary: string | null, raw: Raw): WorkflowFacts {
  const { pendingWorkflowTask: task, pendingActivities } = raw;
  const state: number = task?.state ?? 0;
  const taken = state === STARTED;
  const sinceMs = epochMs(taken ? task?.startedTime : (task?.originalScheduledTime ?? task?.scheduledTime));
  return {
    workflowId,
    summary,
    turn: sinceMs === null ? null : { sinceMs, taken },
    activities: (pendingActivities ?? []).map(activityFacts),
    pinnedTo: pinnedVersion(raw),
  };
}

/** By an override, or by its own behaviour. */
function pinnedVersion(raw: Raw): PinnedVersion | null {
  const { behavior, deploymentVersion, versioningOverride } = raw.workflowExecutionInfo?.versioningInfo ?? {};
  const version = versioningOverride?.pinned?.version ?? (Number(behavior) === PINNED ? deploymentVersion : null);
  const { deploymentName, buildId } = version ?? {};
  return deploymentName == null || buildId == null ? null : { deploymentName, buildId };
}

function activityFacts(activity: RawActivity): ActivityFacts {
  const { activityType, attempt, state, scheduledTime, lastStartedTime, lastHeartbeatTime } = activity;
  const { activityOptions, lastWorkerIdentity, lastFailure, nextAttemptScheduleTime } = activity;
  const startedAtMs = epochMs(lastStartedTime) ?? 0;
  const heartbeatAtMs = epochMs(lastHeartbeatTime);
  const nextAtMs = epochMs(nextAttemptScheduleTime);
  const isWaiting = Number(state) === SCHEDULED;
  return {
    name: activityType?.name ?? '',
    attempt: attempt ?? 1,
    state: !isWaiting ? 'taken' : nextAtMs === null ? 'waiting' : 'backingOff',
    atMs: !isWaiting ? startedAtMs : (nextAtMs ?? epochMs(scheduledTime) ?? 0),
    // A heartbeat of an earlier attempt proves nothing about this one.
    heartbeatAtMs: heartbeatAtMs !== null && heartbeatAtMs >= startedAtMs ? heartbeatAtMs : null,
    heartbeatTimeoutMs: epochMs(activityOptions?.heartbeatTimeout),
    worker: lastWorkerIdentity === '' ? null : (lastWorkerIdentity ?? null),
    lastFailure: lastFailure?.message == null ? null : plainFailure(lastFailure.message),
  };
}

/** Converts a moment or a duration to milliseconds; `null` if it is absent. */
function epochMs(time: Timestamp): number | null {
  if (time === null || time === undefined) return null;
  const ms = Number(time.seconds ?? 0) * 1_000 + Math.floor((time.nanos ?? 0) / 1_000_000);
  return ms === 0 ? null : ms;
}
