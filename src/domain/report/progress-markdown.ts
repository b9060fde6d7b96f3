/** What the Temporal UI shows of a run, or of a target, under way: Markdown of at most `DETAILS_BYTES` bytes. */
import { describeWaiting } from '../gates/gates.js';
import { describeUsualEnd } from '../plan/usual-words.js';
import { DETAILS_BYTES } from '../sizes.js';
import { inCell, markdownCell, markdownCode, markdownProse, markdownText } from '../text/markdown.js';
import { linesThatFit } from '../text/text.js';
import { describeApproval } from '../steering/approvals.js';
import type {
  AbortProgress,
  BlockedProgress,
  PauseProgress,
  RunProgress,
  StepProgress,
  TargetInRun,
  TargetProgress,
} from './progress.js';
import { describeTime } from '../time/utc-time.js';

/** For people: `paused by ann: the database is slow`. */
export function describePause({ state, actor, reason }: PauseProgress): string {
  return `${state} by ${actor}: ${reason}`;
}

/** For people: `aborted by ann: wrong version`. */
export function describeAbort({ actor, reason }: AbortProgress): string {
  return `aborted by ${actor}: ${reason}`;
}

/** For people: `blocked at restart, until 2026-12-01T04:00:00Z: Indeterminate: …`. */
export function describeBlocked(blocked: BlockedProgress): string {
  return `${describeBlockedAt(blocked)}: ${blocked.why}`;
}

/** For people, where the reason is shown already: `blocked at restart, until 2026-12-01T04:00:00Z`. */
export function describeBlockedAt({ step, untilMs }: Pick<BlockedProgress, 'step' | 'untilMs'>): string {
  return `blocked at ${step}, until ${describeTime(untilMs)}`;
}

/** For people, what an approver has to know of the run besides its targets: `requested by ann: disk full`, `resumes run night-1`. */
export function requestLines({ requestedBy, reason, resumes }: Asked): string[] {
  const by = requestedBy === undefined ? [] : [`requested by ${requestedBy}`];
  const why = reason === undefined ? [] : [reason];
  return [
    ...(by.length + why.length === 0 ? [] : [[...(by.length === 0 ? ['reason'] : by), ...why].join(': ')]),
    ...(resumes === undefined ? [] : [`resumes run ${resumes}`]),
  ];
}

type Asked = Pick<RunProgress, 'requestedBy' | 'reason' | 'resumes'>;

/** What a person in the Temporal UI can do about an approval. @param planHash `null`: the run shows it, and this is a target */
function howToApprove(planHash: string | null): string {
  const where = planHash === null ? 'the workflow of the run' : 'this workflow';
  return `Send the Update \`approve\` or \`reject\` to ${where}, with \`{"actor": "…", "reason": "…", "planHash": "${planHash ?? '…'}"}\`.`;
}

/** What a person in the Temporal UI can do about a pause. */
const HOW_TO_RESUME = 'Send the Update `resume` or `abort` to this workflow, with `{"actor": "…", "reason": "…"}`.';

/** Where a person in the Temporal UI finds what to do about a blocked target. */
function whereToDecide({ leaseId }: TargetInRun): string {
  return `Open the workflow of the target, ${markdownCode(leaseId)} (it is listed under Relationships). Its current details say what to check, and which Update to send to it.`;
}

/** What a person in the Temporal UI can do. */
const HOW_TO_DECIDE =
  'First compare the newest cloud job of the instance with the time of the step: `retryStep` sends the action again. Then send the Update `retryStep`, `skipStep` or `markSucceeded` to this workflow, with `{"actor": "…", "reason": "…"}`.';

/** The UI draws the details in a frame that is about two lines too low, and cuts off its end. */
const END = ['', '\u00a0', '', '\u00a0'];

/** The targets of a run, and what it waits for. */
export function runProgressMarkdown(run: RunProgress): string {
  const { waiting, pause, abort, targets, approval, planHash } = run;
  const rows = targets.map(
    (target) => `| ${markdownCell(target.path)} | ${target.outcome ?? inCell(markdownProse(stateOf(target)))} |`,
  );
  const asked = approval ?? targets.find((target) => target.approval !== undefined)?.approval;
  const asks =
    asked === undefined ? [] : [`**${markdownProse(describeApproval(asked))}**`, '', howToApprove(planHash), ''];
  const paused = pause === undefined ? [] : [`**${markdownProse(describePause(pause))}**`, '', HOW_TO_RESUME, ''];
  const aborted = abort === undefined ? [] : [`**${markdownProse(describeAbort(abort))}**`, ''];
  const gate = waiting === undefined ? [] : [`**Waiting**: ${markdownProse(describeWaiting(waiting))}`, ''];
  const first = targets.find(({ blocked }) => blocked !== undefined);
  const blocked =
    first?.blocked === undefined || pause !== undefined || abort !== undefined
      ? []
      : [
          `**${markdownText(first.path)}: ${markdownProse(describeBlocked(first.blocked))}**`,
          '',
          whereToDecide(first),
          '',
        ];
  const request = requestLines(run).flatMap((line) => [markdownProse(line), '']);
  return linesThatFit(
    [
      ...aborted,
      ...paused,
      ...blocked,
      ...asks,
      ...gate,
      ...request,
      '| target | state |',
      '| --- | --- |',
      ...rows,
      ...END,
    ],
    DETAILS_BYTES,
  );
}

function stateOf({ blocked, approval, childRunId }: TargetInRun): string {
  if (blocked !== undefined) return describeBlocked(blocked);
  if (approval !== undefined) return describeApproval(approval);
  return childRunId === null ? 'waiting' : 'running';
}

/** The steps and undos of a target. */
export function targetProgressMarkdown(progress: TargetProgress): string {
  const { path, phase, seen, steps, compensations, outcome, blocked, approval } = progress;
  const rows = [...steps, ...compensations].map(
    (step) =>
      `| ${[step.title, step.state, step.cloudJobId ?? ''].map(markdownCell).join(' | ')} | ${seenCell(step)} |`,
  );
  const waits = blocked === undefined ? [] : ['', `**${markdownProse(describeBlocked(blocked))}**`, '', HOW_TO_DECIDE];
  const asks =
    approval === undefined ? [] : ['', `**${markdownProse(describeApproval(approval))}**`, '', howToApprove(null)];
  const head = `**${markdownText(path)}**: ${outcome ?? phase}${seen === null ? '' : `, last seen ${markdownCode(seen)}`}`;
  const running = [...steps, ...compensations].flatMap(usualEndLine);
  return linesThatFit(
    [
      head,
      ...waits,
      ...asks,
      ...running,
      '',
      '| step | state | cloud job | seen |',
      '| --- | --- | --- | --- |',
      ...rows,
      ...END,
    ],
    DETAILS_BYTES,
  );
}

/** As code, because the UI draws `2/2` in other text as a fraction. */
function seenCell({ seen }: StepProgress): string {
  return seen === null ? '' : inCell(markdownCode(seen));
}

/** As times of day, because the text is not refreshed while the step runs. */
function usualEndLine({ title, state, startedAtMs, usual }: StepProgress): string[] {
  if (state !== 'running' || startedAtMs === null || usual === undefined) return [];
  return ['', `**${markdownText(title)}**: ${describeUsualEnd(usual, startedAtMs)}`];
}
