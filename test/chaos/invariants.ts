/** The promises, checked from outside: against the simulator's record and Temporal's histories, never against a report alone. Pure. */
import { notAloneThings } from './alone.js';
import { describePost, recordOf, type SceneRecord } from './decisions.js';
import { endlessThings } from './ends.js';
import type { Evidence, SceneEvidence, Violation } from './evidence.js';
import { unsteeredThings } from './steered.js';
import { wronglyNotifiedThings } from './notified.js';
import { unknownThings } from './known.js';
import { notUndoneThings } from './undone.js';

const CHECKS: Readonly<Record<Violation['promise'], (record: SceneRecord) => readonly string[]>> = {
  once: sentTooOften,
  known: unknownThings,
  undone: notUndoneThings,
  alone: notAloneThings,
  ends: endlessThings,
  steered: unsteeredThings,
  notified: wronglyNotifiedThings,
};
const PROMISES = Object.keys(CHECKS) as readonly Violation['promise'][];

/** @returns every promise that did not hold; empty if all did */
export function violations(evidence: Evidence): Violation[] {
  return evidence.scenes.flatMap((scene) => sceneViolations(scene, evidence));
}

function sceneViolations(scene: SceneEvidence, evidence: Evidence): readonly Violation[] {
  const record = recordOf(scene, evidence);
  return PROMISES.flatMap((promise) => CHECKS[promise](record).map((what) => ({ promise, scene: scene.name, what })));
}

/** Every accepted POST of ours belongs to a decision of its own. */
function sentTooOften({ unmatched, decisions, disturbances }: SceneRecord): readonly string[] {
  return unmatched.map((post) => {
    const sameAction = decisions.filter(
      ({ schedulings: [{ decision }] }) => decision.request.action.action === post.action,
    );
    const why =
      sameAction.length === 0 ? 'no run decided it' : `each decision for a ${post.action} at that time has its own`;
    return `${describePost(post)} has no decision: ${why}; around it: ${disturbances.describe(post.atMs, post.atMs)}`;
  });
}
