/** The promises, checked from the outside: the simulator's record and Temporal's histories, never a report's own word alone. Pure. */
import { notAloneThings } from './alone.js';
import { describePost, recordOf, type SceneRecord } from './decisions.js';
import { endlessThings } from './ends.js';
import type { Evidence, SceneEvidence, Violation } from './evidence.js';
import { unknownThings } from './known.js';
import { notUndoneThings } from './undone.js';

const CHECKS: Readonly<Record<Violation['promise'], (record: SceneRecord) => readonly string[]>> = {
  once: sentTooOften,
  known: unknownThings,
  undone: notUndoneThings,
  alone: notAloneThings,
  ends: endlessThings,
};
const PROMISES = Object.keys(CHECKS) as readonly Violation['promise'][];

/** Every promise that did not hold; empty where all is well. */
export function violations(evidence: Evidence): Violation[] {
  return evidence.scenes.flatMap((scene) => sceneViolations(scene, evidence));
}

function sceneViolations(scene: SceneEvidence, evidence: Evidence): readonly Violation[] {
  const record = recordOf(scene, evidence);
  return PROMISES.flatMap((promise) => CHECKS[promise](record).map((what) => ({ promise, scene: scene.name, what })));
}

/** Every accepted POST of ours has a decision of its own. */
function sentTooOften({ unmatched, decisions, disturbances }: SceneRecord): readonly string[] {
  return unmatched.map((post) => {
    const alike = decisions.filter(({ schedulings: [{ decision }] }) => decision.request.action.action === post.action);
    const why =
      alike.length === 0 ? 'nobody decided it' : `each decision for a ${post.action} at that time has its own`;
    return `${describePost(post)} has no decision: ${why}; around it: ${disturbances.describe(post.atMs, post.atMs)}`;
  });
}
