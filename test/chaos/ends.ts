/** Ends: every run closes, by itself or on request, and no workflow task fails for ever. */
import type { SceneRecord, TrackedDecision } from './decisions.js';
import type { HolderEvidence, RunEvidence } from './evidence.js';

/** Messages of failed workflow tasks that do not mean a stuck run. `gather.ts` leaves out causes that are unrelated to the code. */
const HARMLESS: readonly RegExp[] = [
  // A worker that stops returns its open tasks.
  /\bworker\b.*\b(shut(ting)? ?down|shutdown|stopp(ed|ing))\b/i,
  // A worker drops what it had cached; the next task replays the history.
  /\bevict(ed|ion)\b/i,
  // A frozen worker wakes after the sandbox's time limit for an activation; the next task runs it again.
  /Script execution timed out/i,
  // A worker that is killed, frozen or cut off does not answer: the next one gets the task.
  /\bworkflow ?task (has )?timed ?out\b/i,
];

/** Statuses that have an outside cause, with the event that causes them. */
const TERMINATORS = { run: ['terminateRun'], holder: ['terminateTarget', 'resetTarget'] } as const;

export function endlessThings(record: SceneRecord): readonly string[] {
  const { runs, holders } = record.scene;
  return [
    ...runs.flatMap((run) => closeProblems(`run ${run.workflowId}`, run, TERMINATORS.run, record)),
    ...holders.flatMap((holder) => [
      ...closeProblems(`holder ${holder.runId}`, holder, TERMINATORS.holder, record),
      // It returns its report for every expected turn, even if it is cancelled.
      ...(['FAILED', 'CANCELLED'].includes(holder.status) ? [`holder ${holder.runId} closed ${holder.status}`] : []),
    ]),
  ];
}

function closeProblems(
  who: string,
  { status, closedAtMs, startedAtMs, workflowTaskFailures }: RunEvidence | HolderEvidence,
  terminators: readonly string[],
  { disturbances, byConsole, ours, decisionOf }: SceneRecord,
): readonly string[] {
  // An undo waits half an hour for a foreign cloud job to end, and follows its own for ten minutes: longer than this test waits.
  const waits =
    byConsole.some(({ endedAtMs }) => endedAtMs === null) ||
    ours.some(({ cloudJobId, endedAtMs }) => endedAtMs === null && isUndo(decisionOf.get(cloudJobId)));
  const stuck = workflowTaskFailures.filter((text) => !HARMLESS.some((pattern) => pattern.test(text)));
  const terminated = disturbances.happened(terminators, startedAtMs, closedAtMs ?? Number.POSITIVE_INFINITY);
  return [
    ...((status === 'RUNNING' && !waits) || status === 'PAUSED' ? [`${who} did not end (${status})`] : []),
    ...(status === 'TIMED_OUT' ? [`${who} timed out`] : []),
    ...(status === 'TERMINATED' && !terminated ? [`${who} was terminated, but nothing asked for it`] : []),
    ...stuck.map((text) => `${who}: its workflow task failed: ${text}`),
  ];
}

function isUndo(decision: TrackedDecision | undefined): boolean {
  return decision?.stepId.startsWith('undo-') ?? false;
}
