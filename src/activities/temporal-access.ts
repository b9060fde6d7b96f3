/** What activities ask Temporal: an acknowledged heartbeat, whether an attempt is still the current one, and who holds or held a lease. */
import type { Info } from '@temporalio/activity';
import {
  ActivityCancelledError,
  ActivityNotFoundError,
  ActivityPausedError,
  ActivityResetError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import type { EventOf, Standing } from '../domain/once/events.js';
import type { OnceState } from '../domain/once/state.js';
import type { PastRuns } from '../domain/plan/captured-count.js';
import {
  CLEAR_AT_MEMO,
  STATE_SEARCH_ATTRIBUTE,
  UNSEEN_MEMO,
  type LeaseHolder,
  type RunsAsked,
  type RunSeen,
} from '../domain/contract.js';
import type { EarlierRun } from '../domain/plan/earlier-run.js';
import type { RunName } from '../domain/report/report.js';
import { isOpen } from '../domain/run/workflow-status.js';
import { hasSearchAttribute } from '../temporal/search-attributes.js';
import { findRuns } from './find-runs.js';
import { withinCallLimit } from './time-limits.js';
import { readEarlierRun } from './read-earlier-run.js';
import { pastRuns, type PastRunsAsked } from './past-runs.js';

type StandingAnswer = Omit<EventOf<'standing'>, 'kind'>;

/** The calls; every one of them ends in time, whatever the server does. */
export interface TemporalAccess {
  /**
   * Asks whether this attempt is the current one, and only then writes its heartbeat. If a reset has replaced the
   * attempt and the numbers agree, the server would accept the heartbeat, and it would hide that of the newer attempt.
   */
  standing(info: Info, state: OnceState, timeoutMs: number): Promise<StandingAnswer>;
  /**
   * Writes the heartbeat first, then asks the same question. A reset after the heartbeat passes it on to the next
   * attempt, and a reset before it shows in the answer.
   *
   * @param isYoung leaves the question out: the attempt after a reset waits until it sees what this one sends
   */
  sendLease(info: Info, state: OnceState, isYoung: boolean, timeoutMs: number): Promise<StandingAnswer>;
  /** The newest execution under a workflow id, or `null` when there never was one. */
  describeLease(leaseId: string): Promise<LeaseHolder | null>;
  /** Earlier runs of some runbooks on an instance, with their reports. */
  pastRuns(asked: PastRunsAsked): Promise<PastRuns>;
  /** A run that should be resumed; `null` if the server does not know it. */
  earlierRun(name: RunName): Promise<EarlierRun | null>;
  findRuns(asked: RunsAsked): Promise<readonly RunSeen[]>;
  /** Does the namespace have `RunbookState`? Where that cannot be found out, the answer is no. */
  hasStateAttribute(): Promise<boolean>;
}

/** `PENDING_ACTIVITY_STATE_STARTED` and `_CANCEL_REQUESTED` of the Temporal API: an attempt is out there. */
const UNDER_WAY = [2, 3];

/** Calls through this client. */
export function temporalAccess(client: Client): TemporalAccess {
  let hasStateAttribute = false;
  return {
    async standing(info, state, timeoutMs) {
      const answer = await standingOf(client, info, timeoutMs);
      if (answer.standing !== 'current') return answer;
      return { ...answer, standing: await heartbeat(client, info, state, timeoutMs) };
    },
    async sendLease(info, state, isYoung, timeoutMs) {
      const standing = await heartbeat(client, info, state, timeoutMs);
      return standing === 'current' && !isYoung ? standingOf(client, info, timeoutMs) : { standing };
    },
    async describeLease(leaseId) {
      try {
        return leaseHolder(await withinCallLimit(client, () => client.workflow.getHandle(leaseId).describe()));
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      }
    },
    pastRuns: (asked) => pastRuns(client, asked),
    earlierRun: (name) => readEarlierRun(client, name),
    findRuns: (asked) => findRuns(client, asked),
    async hasStateAttribute() {
      hasStateAttribute ||= await withinCallLimit(client, () =>
        hasSearchAttribute(client, STATE_SEARCH_ATTRIBUTE),
      ).catch(() => false);
      return hasStateAttribute;
    },
  };
}

/** The heartbeat was written if this resolves with `current` or `cancelled`. */
async function heartbeat(client: Client, info: Info, state: OnceState, timeoutMs: number): Promise<Standing> {
  try {
    await client.withDeadline(Date.now() + timeoutMs, () => client.activity.heartbeat(info.taskToken, state));
    return 'current';
  } catch (error) {
    if (error instanceof ActivityCancelledError) return 'cancelled';
    // The server does not know the attempt, or has paused or reset it: another one will carry the step out.
    const isSuperseded =
      error instanceof ActivityNotFoundError ||
      error instanceof ActivityPausedError ||
      error instanceof ActivityResetError;
    return isSuperseded ? 'superseded' : 'unclear';
  }
}

/** Asks whether the server knows this attempt as the one that is running. */
async function standingOf(client: Client, info: Info, timeoutMs: number): Promise<StandingAnswer> {
  const { workflowExecution, activityId, attempt, currentAttemptScheduledTimestampMs } = info;
  if (workflowExecution === undefined) return { standing: 'superseded' };
  const handle = client.workflow.getHandle(workflowExecution.workflowId, workflowExecution.runId);
  try {
    const { raw } = await client.withDeadline(Date.now() + timeoutMs, () => handle.describe());
    const pending = raw.pendingActivities?.find((activity) => activity.activityId === activityId);
    const isCurrent =
      UNDER_WAY.includes(Number(pending?.state)) &&
      pending?.attempt === attempt &&
      isSameMillisecond(pending.scheduledTime, currentAttemptScheduledTimestampMs);
    const isAfterTimeout = (pending?.lastFailure?.timeoutFailureInfo ?? null) !== null;
    return { standing: isCurrent ? 'current' : 'superseded', ...(isAfterTimeout ? { isAfterTimeout } : {}) };
  } catch (error) {
    return { standing: error instanceof WorkflowNotFoundError ? 'superseded' : 'unclear' };
  }
}

function leaseHolder(description: WorkflowExecutionDescription): LeaseHolder {
  const { runId, status, startTime, closeTime, parentExecution, memo, raw } = description;
  const requestedBy = memo?.['requestedBy'];
  const clearAtMs = memo?.[CLEAR_AT_MEMO];
  const unseenMs = memo?.[UNSEEN_MEMO];
  const resetAtMs = epochMs(raw.workflowExtendedInfo?.lastResetTime);
  return {
    runWorkflowId: parentExecution?.workflowId ?? null,
    runId,
    open: isOpen(status.name),
    status: status.name,
    startedAtMs: startTime.getTime(),
    closedAtMs: closeTime?.getTime() ?? null,
    requestedBy: typeof requestedBy === 'string' ? requestedBy : null,
    clearAtMs: typeof clearAtMs === 'number' ? clearAtMs : 0,
    ...(resetAtMs === null ? {} : { resetAtMs }),
    ...(typeof unseenMs === 'number' ? { unseenMs } : {}),
  };
}

interface Timestamp {
  readonly seconds?: { toNumber(): number } | number | string | null;
  readonly nanos?: number | null;
}

function isSameMillisecond(time: Timestamp | null | undefined, atMs: number): boolean {
  const timeMs = epochMs(time);
  return timeMs !== null && Math.abs(timeMs - atMs) < 1;
}

/** @returns `null` if there is no time */
function epochMs(time: Timestamp | null | undefined): number | null {
  const seconds = time?.seconds;
  if (seconds === null || seconds === undefined) return null;
  const wholeSeconds = typeof seconds === 'object' ? seconds.toNumber() : Number(seconds);
  return wholeSeconds * 1000 + (time?.nanos ?? 0) / 1e6;
}
