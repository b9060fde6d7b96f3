/** Notified: a webhook is notified of an end once, and the report has what the receiver knows; no receiver delays an end or an undo. */
import { NOTIFY_LIMITS } from '../../src/domain/notifications/delivery.js';
import { timeOf, type SceneRecord } from './decisions.js';
import type { RunEvidence, Received } from './evidence.js';

/** For a machine under load. */
const SLACK_MS = 15_000;
/** An answer that is lost is asked for again: only then may a receiver be notified twice. */
const LOSES_AN_ANSWER = ['killWorker', 'workerEnded', 'freezeWorker', 'stopServer', 'cut', 'stall', 'starved'];
/** The events of an end. */
const ENDS = ['done', 'failed', 'compensated'];

/** Describes each message that is missing, false or one too many, and each run that waited for a receiver. */
export function wronglyNotifiedThings(record: SceneRecord): readonly string[] {
  return record.scene.runs.flatMap((run) => [
    ...notifiedTwice(run, record),
    ...severalEnds(run, record.scene.received),
    ...falselyDelivered(run, record.scene.received),
    ...keptOpen(run, record),
    ...undoneLate(run, record),
  ]);
}

function notifiedTwice({ workflowId }: RunEvidence, { scene, disturbances }: SceneRecord): readonly string[] {
  const taken = scene.received.filter(({ runId, taken: isTaken }) => runId === workflowId && isTaken);
  return taken.flatMap(({ id, event, atMs }, index) => {
    const first = taken.slice(0, index).findLast((earlier) => earlier.id === id);
    return first === undefined || disturbances.happened(LOSES_AN_ANSWER, first.atMs - SLACK_MS, atMs)
      ? []
      : [`${event} of ${workflowId} was taken at ${timeOf(first.atMs)} and sent again at ${timeOf(atMs)}`];
  });
}

function severalEnds({ workflowId }: RunEvidence, received: readonly Received[]): readonly string[] {
  const ids = new Set(
    received.filter(({ runId, event }) => runId === workflowId && ENDS.includes(event)).map(({ id }) => id),
  );
  return ids.size > 1 ? [`the end of ${workflowId} was sent as ${ids.size} different messages`] : [];
}

function falselyDelivered({ workflowId, report }: RunEvidence, received: readonly Received[]): readonly string[] {
  return (report?.notifications ?? [])
    .filter(({ result }) => result === 'delivered')
    .filter(({ event }) => !received.some((each) => each.runId === workflowId && each.event === event && each.taken))
    .map(({ event }) => `${workflowId} reports that ${event} was delivered, and the receiver did not take it`);
}

function keptOpen({ workflowId, report, closedAtMs }: RunEvidence, { disturbances }: SceneRecord): readonly string[] {
  if (report === null || closedAtMs === null) return [];
  const openMs = closedAtMs - report.endedAtMs;
  const bound = NOTIFY_LIMITS.atEndMs + SLACK_MS;
  return openMs > bound && !disturbances.happened(LOSES_AN_ANSWER, report.endedAtMs, closedAtMs)
    ? [`${workflowId} stayed open for ${openMs} ms after its end`]
    : [];
}

/** The first undo follows the last step: at most a wait for an operator is between them. */
function undoneLate({ workflowId }: RunEvidence, { scene, disturbances }: SceneRecord): readonly string[] {
  return scene.holders
    .filter(({ parentWorkflowId, originalRunId, runId }) => parentWorkflowId === workflowId && originalRunId === runId)
    .flatMap(({ report, run, steered }) => {
      const [undo] = report?.compensations ?? [];
      const last = report?.steps.at(-1);
      if (undo === undefined || last === undefined) return [];
      const waitMs = undo.startedAtMs - last.endedAtMs;
      const isExcused =
        steered.orders.length > 0 ||
        disturbances.happened(LOSES_AN_ANSWER, last.startedAtMs - SLACK_MS, undo.startedAtMs);
      return waitMs > (run.operatorWaitMs ?? 0) + SLACK_MS && !isExcused
        ? [`the undo of ${workflowId} began ${waitMs} ms after its last step`]
        : [];
    });
}
