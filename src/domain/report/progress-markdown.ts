/** What the Temporal UI shows of a run, or of a target, under way: Markdown of at most `DETAILS_BYTES` bytes. */
import { describeWaiting } from '../gates/gates.js';
import { describeUsualEnd } from '../plan/usual-words.js';
import { DETAILS_BYTES } from '../sizes.js';
import { markdownCell, markdownText } from '../text/markdown.js';
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

/** For people: `blocked: Indeterminate: …, until 2026-12-01T04:00:00Z`. */
export function describeBlocked({ step, why, untilMs }: BlockedProgress): string {
  return `blocked at ${step}, until ${describeTime(untilMs)}: ${why}`;
}

/** What a person in the Temporal UI can do about an approval. */
function howToApprove(planHash: string | null): string {
  return `Send the Update \`approve\` or \`reject\` to the workflow of the run, with \`{"actor": "…", "reason": "…", "planHash": "${planHash ?? '…'}"}\`.`;
}

/** What a person in the Temporal UI can do. */
const HOW_TO_DECIDE =
  'Send the Update `retryStep`, `skipStep` or `markSucceeded` to this workflow, with `{"actor": "…", "reason": "…"}`.';

/** The targets of a run, and what it waits for. */
export function runProgressMarkdown({ waiting, pause, abort, targets, approval, planHash }: RunProgress): string {
  const rows = targets.map(
    (target) => `| ${markdownCell(target.path)} | ${target.outcome ?? markdownCell(stateOf(target))} |`,
  );
  const asked = approval ?? targets.find((target) => target.approval !== undefined)?.approval;
  const asks =
    asked === undefined ? [] : [`**${markdownText(describeApproval(asked))}**`, '', howToApprove(planHash), ''];
  const paused = pause === undefined ? [] : [`**${markdownText(describePause(pause))}**`, ''];
  const aborted = abort === undefined ? [] : [`**${markdownText(describeAbort(abort))}**`, ''];
  const gate = waiting === undefined ? [] : [`**Waiting**: ${markdownText(describeWaiting(waiting))}`, ''];
  return linesThatFit(
    [...aborted, ...paused, ...asks, ...gate, '| target | state |', '| --- | --- |', ...rows],
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
    (step) => `| ${[step.title, step.state, step.cloudJobId ?? '', step.seen ?? ''].map(markdownCell).join(' | ')} |`,
  );
  const waits = blocked === undefined ? [] : ['', `**${markdownText(describeBlocked(blocked))}**`, '', HOW_TO_DECIDE];
  const asks =
    approval === undefined ? [] : ['', `**${markdownText(describeApproval(approval))}**`, '', howToApprove(null)];
  const head = `**${markdownText(path)}**: ${outcome ?? phase}${seen === null ? '' : `, last seen ${markdownText(seen)}`}`;
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
    ],
    DETAILS_BYTES,
  );
}

/** As times of day, because the text is not refreshed while the step runs. */
function usualEndLine({ title, state, startedAtMs, usual }: StepProgress): string[] {
  if (state !== 'running' || startedAtMs === null || usual === undefined) return [];
  return ['', `**${markdownText(title)}**: ${describeUsualEnd(usual, startedAtMs)}`];
}
