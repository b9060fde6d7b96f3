/**
 * Reads a target's progress. Its pending activity supplies the cloud job of the current step and the reason for
 * retries, because the workflow does not know them.
 */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { PROGRESS_QUERY } from '../domain/contract.js';
import type { OnceState } from '../domain/once/state.js';
import type { StepProgress, TargetInRun, TargetProgress } from '../domain/report/progress.js';
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

type StepFacts = Pick<StepProgress, 'retrying'> & { readonly cloudJobId: string | null };

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of the Temporal API: no attempt is running. */
const SCHEDULED = 1;

async function stepFacts(client: Client, pending: PendingActivity): Promise<StepFacts> {
  const details = await decodeFirst<Partial<OnceState>>(client, pending.heartbeatDetails?.payloads ?? []);
  const cloudJobId = details?.cloudJob?.id ?? null;
  const nextAttemptAtMs = Number(pending.state) === SCHEDULED ? (optionalTsToMs(pending.scheduledTime) ?? null) : null;
  const message = pending.lastFailure?.message ?? '';
  if (details?.retrying !== undefined) {
    const { reason, failures, sinceMs, untilMs } = details.retrying;
    return { cloudJobId, retrying: { reason, failures, sinceMs, untilMs, nextAttemptAtMs } };
  }
  if (message === '') return { cloudJobId };
  // The attempt was lost or failed with an unexpected error, so only the server has the message.
  const failures = Math.max(1, (pending.attempt ?? 1) - 1);
  const untilMs = optionalTsToMs(pending.expirationTime) ?? null;
  return { cloudJobId, retrying: { reason: plainFailure(message), failures, sinceMs: null, untilMs, nextAttemptAtMs } };
}

function withPending(progress: TargetProgress, { cloudJobId, retrying }: StepFacts): TargetProgress {
  const facts = { ...(cloudJobId === null ? {} : { cloudJobId }), ...(retrying === undefined ? {} : { retrying }) };
  const mark = (steps: TargetProgress['steps']) =>
    steps.map((step) => (step.state === 'running' ? { ...step, ...facts } : step));
  return { ...progress, steps: mark(progress.steps), compensations: mark(progress.compensations) };
}
