/** What activities ask of Temporal itself: an acknowledged heartbeat, whether an attempt is still the current one, who holds or held a lease. */
import type { Info } from '@temporalio/activity';
import {
  ActivityCancelledError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import type { PastRuns } from '../domain/captured-count.js';
import {
  UNSEEN_UNTIL_MEMO,
  type HeartbeatDetails,
  type LeaseHolder,
  type RunsAsked,
  type RunSeen,
} from '../domain/contract.js';
import { isOpen } from '../domain/workflow-status.js';
import { findRuns } from './find-runs.js';
import { inTime } from './in-time.js';
import { pastRuns, type PastRunsAsked } from './past-runs.js';

export interface TemporalAccess {
  /**
   * Rejects when the server does not take it: the attempt is superseded, or its workflow has ended.
   * @returns whether the server, taking it, said that the run was cancelled
   */
  recordHeartbeat(taskToken: Uint8Array, details: HeartbeatDetails): Promise<boolean>;
  /** Is the attempt that asks the one the server knows as started? */
  isCurrentAttempt(info: Info): Promise<boolean>;
  /** The newest execution under a workflow id, or `null` when there never was one. */
  describeLease(leaseId: string): Promise<LeaseHolder | null>;
  /** Earlier runs of some runbooks on an instance, with their reports. */
  pastRuns(asked: PastRunsAsked): Promise<PastRuns>;
  findRuns(asked: RunsAsked): Promise<readonly RunSeen[]>;
}

/** `PENDING_ACTIVITY_STATE_STARTED` and `_CANCEL_REQUESTED` of the Temporal API: an attempt is out there. */
const UNDER_WAY = [2, 3];

export function temporalAccess(client: Client): TemporalAccess {
  return {
    async recordHeartbeat(taskToken, details) {
      try {
        await inTime(client, () => client.activity.heartbeat(taskToken, details));
        return false;
      } catch (error) {
        if (error instanceof ActivityCancelledError) return true;
        throw error;
      }
    },
    async isCurrentAttempt(info) {
      const { workflowExecution, activityId, attempt, currentAttemptScheduledTimestampMs } = info;
      if (workflowExecution === undefined) return false;
      const handle = client.workflow.getHandle(workflowExecution.workflowId, workflowExecution.runId);
      const description = await inTime(client, () => handle.describe());
      const pending = description.raw.pendingActivities?.find((activity) => activity.activityId === activityId);
      if (!UNDER_WAY.includes(Number(pending?.state)) || pending?.attempt !== attempt) return false;
      return sameMillisecond(pending.scheduledTime, currentAttemptScheduledTimestampMs);
    },
    async describeLease(leaseId) {
      try {
        return leaseHolder(await inTime(client, () => client.workflow.getHandle(leaseId).describe()));
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      }
    },
    pastRuns: (asked) => pastRuns(client, asked),
    findRuns: (asked) => findRuns(client, asked),
  };
}

function leaseHolder(description: WorkflowExecutionDescription): LeaseHolder {
  const { runId, status, startTime, closeTime, parentExecution, memo } = description;
  const requestedBy = memo?.['requestedBy'];
  const unseenUntilMs = memo?.[UNSEEN_UNTIL_MEMO];
  return {
    runWorkflowId: parentExecution?.workflowId ?? null,
    runId,
    open: isOpen(status.name),
    status: status.name,
    startedAtMs: startTime.getTime(),
    closedAtMs: closeTime?.getTime() ?? null,
    requestedBy: typeof requestedBy === 'string' ? requestedBy : null,
    ...(typeof unseenUntilMs === 'number' ? { unseenUntilMs } : {}),
  };
}

interface Timestamp {
  readonly seconds?: { toNumber(): number } | number | string | null;
  readonly nanos?: number | null;
}

function sameMillisecond(time: Timestamp | null | undefined, epochMs: number): boolean {
  const seconds = time?.seconds;
  if (seconds === null || seconds === undefined) return false;
  const wholeSeconds = typeof seconds === 'object' ? seconds.toNumber() : Number(seconds);
  return Math.abs(wholeSeconds * 1000 + (time?.nanos ?? 0) / 1e6 - epochMs) < 1;
}
