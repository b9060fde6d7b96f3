/** Known: the report of a run that completes names everything that was accepted for it. */
import { acceptedFor, describeJob } from './once.js';
import type { HolderRecord } from './ground-truth.js';
import type { World } from './world.js';

/** Accepted cloud jobs that no report names, one sentence each. */
export function leftOutThings({ truth }: World): readonly string[] {
  return truth.holders.filter(({ status }) => status === 'COMPLETED').flatMap(leftOut);
}

function leftOut({ runId, report, decisions }: HolderRecord): readonly string[] {
  if (report === null) return [`${runId} ended without its report`];
  const named = [...report.steps, ...report.compensations].map(({ id }) => id);
  return decisions
    .filter(({ stepId }) => !named.includes(stepId))
    .flatMap((decision) => acceptedFor(decision))
    .map((job) => `${runId} leaves out ${describeJob(job)}`);
}
