/**
 * Reads a target's progress. Its pending activity supplies the cloud job of the current step and the reason for
 * retries, because the workflow does not know them.
 */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { PROGRESS_QUERY } from '../domain/contract.js';
import type { Heartbeat, PhaseName } from '../domain/once/state.js';
import type { StepDoing, StepProgress, TargetInRun, TargetProgress } from '../domain/report/progress.js';
import { LONGEST_SHOWN } from '../domain/sizes.js';
import { describeObservation } from '../domain/target/target.js';
import { shortened } from '../domain/text/json-bytes.js';
import { decodeFirst } from '../temporal/payloads.js';
import { plainFailure } from './lost-attempt.js';

/** Returns `null` if the child no longer answers. */
export async function liveTargetProgress(
  client: Client,
  { leaseId, childRunId }: TargetInRun,
): Promise<TargetProgress | null> {
  if (childRunId === null) return null;
  const handle = client.workflow.getHandle(leaseId, childRunId);
  try {
    const progress = await handle.query<TargetProgress>(PROGRESS_QUERY);
    if (progress.phase === 'finished') return progress;
    const { raw } = await handle.describe();
    const [pending] = raw.pendingActivities ?? [];
    return pending === undefined ? progress : withPending(progress, await stepFacts(client, pending));
  } catch {
    return null; // It has ended, or its worker is being replaced; the next snapshot shows which.
  }
}

type PendingActivity = NonNullable<Awaited<ReturnType<WorkflowHandle['describe']>>['raw']['pendingActivities']>[number];

type StepFacts = Pick<StepProgress, 'retrying' | 'tasks' | 'doing'> &
  Partial<Pick<StepProgress, 'cloudJobId' | 'seen'>>;

const DOING: Readonly<Record<PhaseName, StepDoing | null>> = {
  barrier: 'preparing',
  reserving: 'preparing',
  observing: 'preparing',
  connecting: 'sending',
  leasing: 'sending',
  unleased: 'preparing',
  sending: 'sending',
  confirming: 'settling',
  following: 'following',
  lastReading: 'settling',
  verifying: 'verifying',
  settling: 'settling',
  // It is tried again.
  ended: null,
};

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of the Temporal API: no attempt is running. */
const SCHEDULED = 1;

async function stepFacts(client: Client, pending: PendingActivity): Promise<StepFacts> {
  const details = await decodeFirst<Partial<Heartbeat>>(client, pending.heartbeatDetails?.payloads ?? []);
  const shown = details === undefined ? {} : shownOf(details);
  const nextAttemptAtMs = Number(pending.state) === SCHEDULED ? (optionalTsToMs(pending.scheduledTime) ?? null) : null;
  const message = pending.lastFailure?.message ?? '';
  if (details?.retrying !== undefined) {
    const { reason, failures, sinceMs, untilMs } = details.retrying;
    return { ...shown, retrying: { reason, failures, sinceMs, untilMs, nextAttemptAtMs } };
  }
  if (message === '') return shown;
  // The attempt was lost or failed with an unexpected error, so only the server has the message.
  const failures = Math.max(1, (pending.attempt ?? 1) - 1);
  const untilMs = optionalTsToMs(pending.expirationTime) ?? null;
  return { ...shown, retrying: { reason: plainFailure(message), failures, sinceMs: null, untilMs, nextAttemptAtMs } };
}

/** Leaves out what is not there: the workflow's own value stays. */
function shownOf({ cloudJob, tasks, phase, seen }: Partial<Heartbeat>): StepFacts {
  // The heartbeat of a check has other details.
  const doing = phase === undefined ? null : (DOING[phase.name] ?? null);
  return {
    ...(cloudJob === undefined || cloudJob === null ? {} : { cloudJobId: cloudJob.id }),
    ...(tasks === undefined ? {} : { tasks }),
    ...(doing === null ? {} : { doing }),
    ...(seen === undefined || seen === null ? {} : { seen: shortened(describeObservation(seen), LONGEST_SHOWN.seen) }),
  };
}

function withPending(progress: TargetProgress, facts: StepFacts): TargetProgress {
  const mark = (steps: TargetProgress['steps']) =>
    steps.map((step) => (step.state === 'running' ? { ...step, ...facts } : step));
  return { ...progress, steps: mark(progress.steps), compensations: mark(progress.compensations) };
}
