/** Ends: every run comes to its close, by itself or because it was told to, and no workflow task fails for ever. */
import type { SceneRecord } from './decisions.js';
import type { HolderEvidence, RunEvidence } from './evidence.js';

/** What a failed workflow task may say without a run being stuck; causes that say nothing of the code are left out in `gather.ts`. */
const HARMLESS: readonly RegExp[] = [
  // A worker that stops gives its open tasks back.
  /\bworker\b.*\b(shut(ting)? ?down|shutdown|stopp(ed|ing))\b/i,
  // It drops what it had cached; the next task replays the history.
  /\bevict(ed|ion)\b/i,
  // A frozen worker wakes past the time that the sandbox allows an activation; the next task runs it anew.
  /Script execution timed out/i,
  // A killed, frozen or cut off worker does not answer: the next one gets the task.
  /\bworkflow ?task (has )?timed ?out\b/i,
];

/** Statuses that only somebody from outside brings about, with what does. */
const TERMINATORS = { run: ['terminateRun'], holder: ['terminateTarget', 'resetTarget'] } as const;

export function endlessThings(record: SceneRecord): readonly string[] {
  const { runs, holders } = record.scene;
  return [
    ...runs.flatMap((run) => closeProblems(`run ${run.workflowId}`, run, TERMINATORS.run, record)),
    ...holders.flatMap((holder) => [
      ...closeProblems(`holder ${holder.runId}`, holder, TERMINATORS.holder, record),
      // It returns its report for every expected turn, also when it is cancelled.
      ...(['FAILED', 'CANCELLED'].includes(holder.status) ? [`holder ${holder.runId} closed ${holder.status}`] : []),
    ]),
  ];
}

function closeProblems(
  who: string,
  { status, closedAtMs, startedAtMs, workflowTaskFailures }: RunEvidence | HolderEvidence,
  terminators: readonly string[],
  { disturbances, byConsole }: SceneRecord,
): readonly string[] {
  // Nothing is undone under a cloud job in flight: an undo waits for a colleague's for half an hour, longer than anybody waits here.
  const waits = byConsole.some(({ endedAtMs }) => endedAtMs === null);
  const stuck = workflowTaskFailures.filter((text) => !HARMLESS.some((pattern) => pattern.test(text)));
  const terminated = disturbances.happened(terminators, startedAtMs, closedAtMs ?? Number.POSITIVE_INFINITY);
  return [
    ...((status === 'RUNNING' && !waits) || status === 'PAUSED' ? [`${who} did not end (${status})`] : []),
    ...(status === 'TIMED_OUT' ? [`${who} timed out`] : []),
    ...(status === 'TERMINATED' && !terminated ? [`${who} was terminated by nobody`] : []),
    ...stuck.map((text) => `${who}: its workflow task failed: ${text}`),
  ];
}
