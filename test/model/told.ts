/** Known: a run that comes to its end tells of everything that was accepted for it. */
import { acceptedFor, describeJob } from './once.js';
import type { HolderRecord } from './chronicle.js';
import type { World } from './world.js';

/** What no report tells of, one sentence each. */
export function untoldThings({ chronicle }: World): readonly string[] {
  return chronicle.holders.filter(({ status }) => status === 'COMPLETED').flatMap(leftOut);
}

function leftOut({ runId, report, decisions }: HolderRecord): readonly string[] {
  if (report === null) return [`${runId} ended without its report`];
  const told = [...report.steps, ...report.compensations].map(({ id }) => id);
  return decisions
    .filter(({ stepId }) => !told.includes(stepId))
    .flatMap((decision) => acceptedFor(decision))
    .map((job) => `${runId} does not tell of ${describeJob(job)}`);
}
