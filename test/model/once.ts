/** Once: for one decision at most one POST is accepted, while cloud jobs show within the visibility window. */
import { ruleOf } from '../../src/domain/target/actions.js';
import { HEARTBEATS_CLEARED } from './blows.js';
import type { DecisionRecord, Job } from './chronicle.js';
import { tellTime } from './transcript.js';
import type { World } from './world.js';

/** Decisions for which more was accepted than is promised, one sentence each. */
export function sentTooOften({ chronicle, scenario }: World): readonly string[] {
  const { visibilityWindowMs } = scenario.limits;
  return [...chronicle.decisions.values()].flatMap((decision) => {
    const jobs = acceptedFor(decision);
    const isBeyond = jobs.some(({ acceptedAtMs, idShownAtMs }) => idShownAtMs - acceptedAtMs > visibilityWindowMs);
    // Beyond the window an action that names an end state may be sent once more, another only where its heartbeats were cleared.
    const mayBeSentAgain = ruleOf(decision.action).kind === 'state' || decision.doubts.has(HEARTBEATS_CLEARED);
    const most = isBeyond && mayBeSentAgain ? 2 : 1;
    return jobs.length > most
      ? [`${decision.stepId} was accepted ${jobs.length} times: ${jobs.map(describeJob).join(', ')}`]
      : [];
  });
}

/** Cloud jobs that were accepted for a decision, in their order. */
export function acceptedFor({ posts }: DecisionRecord): readonly Job[] {
  return posts.flatMap(({ job }) => (job === null ? [] : [job]));
}

/** `J2 stop (accepted at 12.345 s by R1/1-stop#2)` */
export function describeJob({ id, action, acceptedAtMs, post }: Job): string {
  const by = post === null ? 'somebody else' : post.attempt.name;
  return `${id} ${action.action} (accepted at ${tellTime(acceptedAtMs)} for ${by})`;
}
