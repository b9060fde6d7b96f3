/** Alone: executions that hold the lease never interleave, and nothing is sent under a cloud job in flight. */
import type { AcceptedAction } from '../support/simulator.js';
import { describePost, holderOf, type SceneRecord } from './decisions.js';
import { CLOCK_MS } from './disturbances.js';
import type { HolderEvidence, SceneEvidence } from './evidence.js';
import { isUndo, oldestReadingMs, unseenForeignJobs } from './undone.js';

export function notAloneThings(record: SceneRecord): readonly string[] {
  return [
    ...heldTogether(record.scene),
    ...sentAfterTheClose(record),
    ...interleaved(record),
    ...sentUnderOurOwn(record),
    ...sentUnderSomebodyElses(record),
    ...sentPastAColleague(record),
  ];
}

function closeOf({ closedAtMs }: HolderEvidence): number {
  return closedAtMs ?? Number.POSITIVE_INFINITY;
}

/** One instance has one holder at a time, whatever their ids. Within a chain of resets Temporal itself closes one execution for the next. */
function heldTogether({ holders }: SceneEvidence): readonly string[] {
  return holders.flatMap((earlier, index) =>
    holders
      .slice(index + 1)
      .filter(
        ({ originalRunId, startedAtMs }) =>
          originalRunId !== earlier.originalRunId && startedAtMs < closeOf(earlier) - CLOCK_MS,
      )
      .map(
        (later) =>
          `holder ${later.runId} (${later.workflowId}) began while ${earlier.runId} (${earlier.workflowId}) was open on the same instance`,
      ),
  );
}

function sentBy(holder: HolderEvidence, { ours, decisionOf }: SceneRecord): readonly AcceptedAction[] {
  return ours.filter((post) => {
    const decision = decisionOf.get(post.cloudJobId);
    return decision !== undefined && holderOf(post, decision) === holder;
  });
}

/** A terminated holder (a reset terminates it too) may leave an attempt that is silent for one heartbeat timeout. No other holder may. */
function sentAfterTheClose(record: SceneRecord): readonly string[] {
  const { scene, limits, disturbances } = record;
  return scene.holders.flatMap((holder) =>
    sentBy(holder, record)
      .filter((post) => {
        // It may have been sent in time and accepted late, which the window has to cover.
        const lateMs = disturbances.delayAPost(post.atMs, post.atMs) ? limits.visibilityWindowMs : 0;
        const silentMs = holder.status === 'TERMINATED' ? limits.heartbeatTimeoutMs + lateMs : 0;
        return post.atMs > closeOf(holder) + silentMs + CLOCK_MS && !disturbances.areBeyondTheWindow(post);
      })
      .map(
        (post) =>
          `${describePost(post)} came ${post.atMs - closeOf(holder)} ms after its holder ${holder.runId} had closed ${holder.status}`,
      ),
  );
}

function interleaved(record: SceneRecord): readonly string[] {
  const { holders } = record.scene;
  return holders.flatMap((earlier, index) => {
    const old = sentBy(earlier, record);
    return holders
      .slice(index + 1)
      .flatMap((later) =>
        sentBy(later, record).flatMap((post) => [
          ...(post.atMs < closeOf(earlier) - CLOCK_MS
            ? [`${describePost(post)} of ${later.runId} came while ${earlier.runId} held the lease`]
            : []),
          ...old
            .filter(({ atMs }) => atMs > post.atMs)
            .map(
              (straggler) =>
                `${describePost(straggler)} of ${earlier.runId} came after ${describePost(post)} of ${later.runId}`,
            ),
        ]),
      );
  });
}

function isInFlightAt({ atMs, endedAtMs }: AcceptedAction, timeMs: number): boolean {
  return atMs < timeMs && (endedAtMs ?? Number.POSITIVE_INFINITY) > timeMs + CLOCK_MS;
}

function sentUnderOurOwn({ ours, disturbances }: SceneRecord): readonly string[] {
  return ours.flatMap((post) =>
    ours
      .filter((other) => other !== post && isInFlightAt(other, post.atMs) && !disturbances.areBeyondTheWindow(other))
      .map((other) => `${describePost(post)} came while our own ${describePost(other)} was in flight`),
  );
}

/** A cloud job that showed too late for the reading before the send cannot be avoided, nor one that a newer cloud job hides from readings. */
function sentUnderSomebodyElses(record: SceneRecord): readonly string[] {
  return record.ours.flatMap((post) => {
    const newest = record.scene.accepted.findLast(
      (job) => job.atMs < post.atMs && job.visibleAtMs + oldestReadingMs(post, record) < post.atMs,
    );
    return newest?.byConsole === true && isInFlightAt(newest, post.atMs)
      ? [`${describePost(post)} came while ${describePost(newest)} of the console was in flight`]
      : [];
  });
}

/** A step must not be sent past a foreign cloud job either. An undo that is counts as not undone. */
function sentPastAColleague(record: SceneRecord): readonly string[] {
  return record.ours.flatMap((post) => {
    const decision = record.decisionOf.get(post.cloudJobId);
    if (decision === undefined || isUndo(decision)) return [];
    return unseenForeignJobs(post, decision, record).map(
      (job) => `${describePost(post)} was sent past ${describePost(job)}, which had long shown since its baseline`,
    );
  });
}
