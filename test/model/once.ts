/** Once: at most one POST is accepted for one decision, as long as cloud jobs show within the visibility window. */
import { ruleOf } from '../../src/domain/target/actions.js';
import { HEARTBEATS_CLEARED } from './disruptions.js';
import type { DecisionRecord, Job } from './ground-truth.js';
import { formatTime } from './transcript.js';
import type { World } from './world.js';

/** Describes each decision for which too many POSTs were accepted, one sentence each. */
export function sentTooOften({ truth, scenario }: World): readonly string[] {
  const { visibilityWindowMs } = scenario.limits;
  return [...truth.decisions.values()].flatMap((decision) => {
    const jobs = acceptedFor(decision);
    const isBeyond = jobs.some(({ acceptedAtMs, idShownAtMs }) => idShownAtMs - acceptedAtMs > visibilityWindowMs);
    // Beyond the window an action that names an end state may be sent once more; any other only if its heartbeats were cleared.
    const mayBeSentAgain = ruleOf(decision.action).kind === 'state' || decision.doubts.has(HEARTBEATS_CLEARED);
    const most = isBeyond && mayBeSentAgain ? 2 : 1;
    return jobs.length > most
      ? [`${decision.stepId} was accepted ${jobs.length} times: ${jobs.map(describeJob).join(', ')}`]
      : [];
  });
}

/** The cloud jobs that were accepted for a decision, in order. */
export function acceptedFor({ posts }: DecisionRecord): readonly Job[] {
  const jobs: Job[] = [];
  for (const { job } of posts) if (job !== null) jobs.push(job);
  return jobs;
}

/** `J2 stop (accepted at 12.345 s for R1/1-stop#2)` */
export function describeJob({ id, action, acceptedAtMs, post }: Job): string {
  const by = post === null ? 'somebody else' : post.attempt.name;
  return `${id} ${action.action} (accepted at ${formatTime(acceptedAtMs)} for ${by})`;
}
