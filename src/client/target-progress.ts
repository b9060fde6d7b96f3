/** A target's progress, with the cloud job of the step under way: its workflow does not know it yet, its activity's heartbeat does. */
import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { PROGRESS_QUERY, type HeartbeatDetails } from '../domain/contract.js';
import type { TargetInRun, TargetProgress } from '../domain/report.js';
import { decodeFirst } from './payloads.js';

/** `null` when the child no longer answers. */
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
    const payloads = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
    return withCloudJob(progress, await cloudJobIn(client, payloads));
  } catch {
    return null; // Over and gone, or a worker is just being replaced: the next snapshot tells.
  }
}

async function cloudJobIn(client: Client, payloads: Payload[]): Promise<string | null> {
  const details = await decodeFirst<HeartbeatDetails>(client, payloads);
  return details?.state?.kind === 'following' ? details.state.cloudJobId : null;
}

function withCloudJob(progress: TargetProgress, cloudJobId: string | null): TargetProgress {
  if (cloudJobId === null) return progress;
  const mark = (steps: TargetProgress['steps']) =>
    steps.map((step) => (step.state === 'running' ? { ...step, cloudJobId } : step));
  return { ...progress, steps: mark(progress.steps), compensations: mark(progress.compensations) };
}
