/** Steered: a command is carried out once and is in the report; a pause holds; nothing is sent before its approval. From histories and the simulator. */
import type { CommandRecord } from '../../src/domain/report/report.js';
import { isCommandOf } from '../../src/domain/steering/command-names.js';
import { describePost, holderOf, timeOf, type SceneRecord } from './decisions.js';
import { CLOCK_MS } from './disturbances.js';
import type { HolderEvidence, RunEvidence, SceneEvidence, Sending } from './evidence.js';

/** Describes each command that was lost, carried out twice or not obeyed, one sentence each. */
export function unsteeredThings(record: SceneRecord): readonly string[] {
  const { runs, holders } = record.scene;
  return [
    ...keys(record.scene.sendings).flatMap((sendings) => answerProblems(sendings, record)),
    ...runs.flatMap((run) => [...sentWhilePaused(run, record), ...begunUnapproved(run, record.scene)]),
    ...holders.flatMap((holder) => [
      ...decidedWhilePaused(holder),
      ...unapprovedSteps(holder, runs),
      ...retriedUnasked(holder),
    ]),
    ...unasked(record.scene),
  ];
}

/** What was sent with one key: the same command, once or twice. */
function keys(sendings: readonly Sending[]): readonly (readonly Sending[])[] {
  const all = [...new Set(sendings.map(({ key }) => key))];
  return all.map((key) => sendings.filter((sent) => sent.key === key));
}

/** A report is lost with its workflow, and a reset may take back what was accepted after its point. */
const LOSES_A_REPORT = ['terminateRun', 'terminateTarget', 'resetTarget'];

function answerProblems(sendings: readonly Sending[], { scene, disturbances }: SceneRecord): readonly string[] {
  const [first] = sendings;
  if (first === undefined) return [];
  const { command, key, workflowId } = first;
  const who = `${command} with the key ${key} to ${workflowId}`;
  const accepted = sendings.filter(({ result, via }) => result === 'accepted' && via === 'update').length;
  const answered = sendings.filter(({ result }) => result === 'accepted' || result === 'repeated').length;
  const isClear = sendings.every(({ result }) => result !== 'unknown');
  const isLost = disturbances.happened(LOSES_A_REPORT, 0, Number.POSITIVE_INFINITY);
  const records = recordsOf(scene, workflowId).filter((each) => each.key === key);
  const run = scene.runs.find((each) => each.workflowId === workflowId);
  return [
    ...(accepted > 1 ? [`${who} was answered ${accepted} times as new`] : []),
    ...(records.length > 1 ? [`${who} is in the report ${records.length} times`] : []),
    ...(records.some(({ actor, reason }) => actor !== first.actor || reason === '')
      ? [`${who} is in the report without its actor or reason`]
      : []),
    ...(answered > 0 && records.length === 0 && !isLost && run?.report
      ? [`${who} was accepted (${first.state}) and is not in the report`]
      : []),
    ...(isClear && answered === 0 && records.length > 0 ? [`${who} was refused, and the report has it`] : []),
  ];
}

/** Commands in the reports of a run and of its targets, without the copies of the latter in the former. */
function recordsOf({ runs, holders }: SceneEvidence, workflowId: string): readonly CommandRecord[] {
  const commands = runs.find((run) => run.workflowId === workflowId)?.report?.commands ?? [];
  const own = holders.filter(({ parentWorkflowId }) => parentWorkflowId === workflowId);
  const decisions = own.at(-1)?.report?.steps.flatMap((step) => step.decisions ?? []) ?? [];
  return [...commands, ...decisions];
}

/** A report has no command that no one sent. */
function unasked(scene: SceneEvidence): readonly string[] {
  const sent = new Set(scene.sendings.map(({ key }) => key));
  return scene.runs.flatMap(({ workflowId }) =>
    recordsOf(scene, workflowId)
      .filter(({ key }) => !sent.has(key ?? ''))
      .map(({ command, actor }) => `${workflowId} reports ${command} of ${actor}, which no one sent`),
  );
}

/** From the moment a run shows `paused` until somebody lets it continue or ends it, ServiceStage accepts nothing of it. */
function sentWhilePaused(run: RunEvidence, record: SceneRecord): readonly string[] {
  return pauses(run, record).flatMap(({ fromMs, toMs }) =>
    record.ours
      .filter((post) => post.atMs > fromMs + CLOCK_MS && post.atMs < toMs - CLOCK_MS)
      .filter((post) => {
        const decision = record.decisionOf.get(post.cloudJobId);
        if (decision === undefined) return false;
        const holder = holderOf(post, decision);
        if (holder.parentWorkflowId !== run.workflowId || isReset(holder)) return false;
        const [{ decision: first }] = decision.schedulings;
        // Sent before, and accepted late.
        const isOld =
          first.scheduledAtMs < fromMs && record.disturbances.makeDoubt(first.scheduledAtMs, post.atMs, false);
        return !isOld;
      })
      .map(
        (post) =>
          `${describePost(post)} came while ${run.workflowId} was paused, from ${timeOf(fromMs)} to ${timeOf(toMs)}`,
      ),
  );
}

const ENDS_A_PAUSE = ['resume', 'abort'];

function pauses(
  run: RunEvidence,
  { scene, disturbances }: SceneRecord,
): readonly { readonly fromMs: number; readonly toMs: number }[] {
  const { states, accepted } = run.steered;
  const closedAtMs = run.closedAtMs ?? Number.POSITIVE_INFINITY;
  return states
    .filter(({ state }) => state === 'paused')
    .map(({ atMs }) => {
      const ends = [
        ...accepted.filter(({ command }) => ENDS_A_PAUSE.includes(command)).map((each) => each.atMs),
        ...(run.cancelRequestedAtMs === null ? [] : [run.cancelRequestedAtMs]),
        ...scene.holders.flatMap(({ cancelRequestedAtMs }) => cancelRequestedAtMs ?? []),
        closedAtMs,
      ].filter((endMs) => endMs >= atMs);
      return { fromMs: atMs, toMs: Math.min(...ends) };
    })
    .filter(({ fromMs, toMs }) => !disturbances.happened(LOSES_A_REPORT, fromMs, toMs));
}

function isReset({ originalRunId, runId }: HolderEvidence): boolean {
  return originalRunId !== runId;
}

/** By the history of a target alone: after its run ordered a pause, it decides no further step. Undos continue, and so does a retry. */
function decidedWhilePaused(holder: HolderEvidence): readonly string[] {
  const { steered, decisions, run, runId } = holder;
  if (isReset(holder)) return [];
  const steps = new Set(run.targetPlan.steps.map(({ id }) => id));
  return decisions.flatMap(({ request: { stepId }, decidedAfterEventId, scheduledAtMs }, index) => {
    const isAgain = decisions.slice(0, index).some(({ request }) => request.stepId === stepId);
    const received = steered.orders.filter(({ eventId }) => eventId < decidedAfterEventId);
    const newest = received.reduce((last, order) => (order.order >= last.order ? order : last), {
      paused: false,
      order: -1,
    });
    const isCancelled = (steered.cancelRequestedEventId ?? Number.POSITIVE_INFINITY) < decidedAfterEventId;
    return newest.paused && steps.has(stepId) && !isAgain && !isCancelled
      ? [`holder ${runId} decided ${stepId} at ${timeOf(scheduledAtMs)}, though its run had ordered a pause`]
      : [];
  });
}

/** Each further decision about a step was commanded. */
function retriedUnasked(holder: HolderEvidence): readonly string[] {
  if (isReset(holder)) return [];
  const retries = holder.steered.accepted.filter(({ command }) => command === 'retryStep').length;
  const more = holder.decisions.filter(({ request: { stepId } }, index) =>
    holder.decisions.slice(0, index).some(({ request }) => request.stepId === stepId),
  ).length;
  return more > retries
    ? [`holder ${holder.runId} decided ${more} steps again, and ${retries} retries were accepted`]
    : [];
}

/** Who requested every run of a storm. */
const REQUESTER = 'chaos';

/** Where the plan asks for an approval of the run, no target begins before it, and the requester's does not count. */
function begunUnapproved(
  { workflowId, runbook, steered, report }: RunEvidence,
  scene: SceneEvidence,
): readonly string[] {
  const isAsked = runbook === 'chaos-approved' || report?.approval !== undefined;
  if (!isAsked) return [];
  const approvedAtMs = steered.accepted.find(({ command }) => command === 'approve')?.atMs ?? Number.POSITIVE_INFINITY;
  const [first] = scene.holders.filter(({ parentWorkflowId }) => parentWorkflowId === workflowId);
  return [
    ...(first !== undefined && first.startedAtMs < approvedAtMs - CLOCK_MS
      ? [`${workflowId} began a target before it was approved`]
      : []),
    ...(report?.approval?.votes.some(({ command, actor }) => command === 'approve' && actor === REQUESTER) === true
      ? [`${workflowId} counts the approval of its requester`]
      : []),
  ];
}

/** What comes after an approval step is decided after one more approval than the run itself needed. */
function unapprovedSteps(holder: HolderEvidence, runs: readonly RunEvidence[]): readonly string[] {
  const run = runs.find(({ workflowId }) => workflowId === holder.parentWorkflowId);
  const { steps } = holder.run.targetPlan;
  const asks = steps.findIndex(({ kind }) => kind === 'approval');
  if (run === undefined || asks < 0) return [];
  const later = steps.slice(asks).map(({ id }) => id);
  const needed = run.report?.approval === undefined && run.runbook !== 'chaos-approved' ? 1 : 2;
  const approvals = run.steered.accepted.filter(({ command }) => command === 'approve');
  const approvedAtMs = approvals[needed - 1]?.atMs ?? Number.POSITIVE_INFINITY;
  return holder.decisions
    .filter(
      ({ request: { stepId }, scheduledAtMs }) => later.includes(stepId) && scheduledAtMs < approvedAtMs - CLOCK_MS,
    )
    .map(({ request: { stepId } }) => `holder ${holder.runId} decided ${stepId} before it was approved`);
}

/** A decision about a blocked step. */
export function isDecidedAs(decisions: readonly CommandRecord[] | undefined, ...commands: readonly string[]): boolean {
  const last = decisions?.at(-1)?.command;
  return last !== undefined && isCommandOf('target', last) && commands.includes(last);
}
