/** What an operator commanded, and what they can command now: lines of the live view, of events in a pipe, and of reports. Pure. */
import type { RunSnapshot } from '../client/report-snapshot.js';
import { describeApproval, describeApprovalReport } from '../domain/steering/approvals.js';
import {
  describeAbort,
  describeBlocked,
  describeBlockedAt,
  describePause,
  requestLines,
} from '../domain/report/progress-markdown.js';
import type { BlockedProgress, RunProgress, TargetProgress } from '../domain/report/progress.js';
import type { ApprovalReport, RunReport, StepReport } from '../domain/report/report.js';
import { shellWord } from '../domain/text/shell-word.js';
import { describeTime } from '../domain/time/utc-time.js';
import { describeCommand, type CommandAnswer } from '../domain/steering/commands.js';
import { decisionText, foundText, twiceWarning } from '../rendering/step-notes.js';
import type { Colors } from './colors.js';
import { command, cutLine, wrapped, type Line } from './live/lines.js';

/** Below the head of a run that is pausing or paused, with the command that ends it. */
export function pauseLines({ pause }: RunProgress, workflowId: string, colors: Colors): Line[] {
  if (pause === undefined) return [];
  return [
    wrapped(0, colors.warn(`${describePause(pause)} (${describeTime(pause.sinceMs)})`)),
    command(2, `runbook resume ${shellWord(workflowId)} --reason '…'`),
  ];
}

/** Below the head of a run that was aborted. */
export function abortLines({ abort }: RunProgress, colors: Colors): Line[] {
  if (abort === undefined) return [];
  const then = 'what is in flight is finished, then onCancel of the runbook is followed';
  return [wrapped(0, colors.warn(`${describeAbort(abort)} (${describeTime(abort.sinceMs)}); ${then}`))];
}

/** Below a blocked target, with the commands that decide about it, unless the run would refuse them now. */
export function blockedLines(
  target: TargetProgress,
  { pause, abort }: RunProgress,
  workflowId: string,
  colors: Colors,
): Line[] {
  const { path, blocked } = target;
  if (blocked === undefined) return [];
  const head = wrapped(2, colors.warn(blockedText(target, blocked)));
  if (abort !== undefined) return [head];
  if (pause !== undefined) return [head, cutLine(2, colors.dim('resume the run first; then the step can be decided'))];
  return [
    head,
    cutLine(2, 'check first, then choose:'),
    command(2, howToCheck(path)),
    ...choicesOf(blocked).map(([choice, when]) => wrapped(4, `${choice}: ${colors.dim(when)}`)),
    command(2, howToDecide(workflowId, path)),
    cutLine(2, colors.dim('or skip-step, or mark-succeeded, in place of retry-step')),
  ];
}

/** The reason is left out where the line of the step shows it. */
function blockedText({ steps }: Pick<TargetProgress, 'steps'>, blocked: BlockedProgress): string {
  const isShown = steps.some(({ id, failure }) => id === blocked.step && failure === blocked.why);
  return isShown ? describeBlockedAt(blocked) : describeBlocked(blocked);
}

/** Which decision fits what the instance shows. */
function choicesOf({ result, untilMs }: BlockedProgress): readonly (readonly [string, string])[] {
  const noDecision = `no one decides until ${describeTime(untilMs)}`;
  if (result === 'failed')
    return [
      ['mark-succeeded', 'you see that it has been done'],
      ['retry-step', 'it has not been done and the cause is fixed; sends it again'],
      ['skip-step', 'done by hand, or not needed'],
      [noDecision, 'what was done is undone, as after a failed step'],
    ];
  return [
    ['mark-succeeded', 'the cloud job of this action is there'],
    ['retry-step', 'none is there, and it was not done; sends it again'],
    ['skip-step', 'done by hand, or not needed'],
    [noDecision, result === undefined ? 'the step stays as it ended' : 'the step ends indeterminate'],
  ];
}

/** How many targets are named to an approver. Chosen: they fit on two or three lines. */
const MOST_TARGETS = 5;

/** What the person who approves a whole run has to know of it. */
export function aboutLines(run: RunProgress): string[] {
  const paths = run.targets.map(({ path }) => path);
  const more = paths.length - MOST_TARGETS;
  const named = [...paths.slice(0, MOST_TARGETS), ...(more > 0 ? [`… ${more} more`] : [])].join(', ');
  const what = paths.length === 1 ? 'target' : `${paths.length} targets`;
  return [...requestLines(run), ...(paths.length === 0 ? [] : [`${what}: ${named}`])];
}

/**
 * Below a run, or a target, that waits for an approval, with the command to type.
 * @param about what the approver has to know of the run
 */
export function approvalLines(
  { approval }: Asking,
  workflowId: string,
  colors: Colors,
  about: readonly string[],
): Line[] {
  if (approval === undefined) return [];
  const { votes } = approval;
  const by =
    votes.length === 0 ? [] : [cutLine(2, colors.dim(`approved by ${votes.map(({ actor }) => actor).join(', ')}`))];
  return [
    wrapped(2, colors.warn(describeApproval(approval))),
    ...about.map((line) => wrapped(2, line)),
    ...by,
    command(2, howToApprove(workflowId)),
    cutLine(2, colors.dim('or reject, in place of approve')),
  ];
}

type Asking = Pick<RunProgress, 'approval'>;

function howToApprove(workflowId: string): string {
  return `runbook approve ${shellWord(workflowId)} --reason '…'`;
}

function howToCheck(path: string): string {
  return `runbook targets ${shellWord(path)}`;
}

function howToDecide(workflowId: string, path: string): string {
  return `runbook retry-step ${shellWord(workflowId)} ${shellWord(path)} --reason '…'`;
}

/** An approval that is asked for since the snapshot before, or that somebody has given meanwhile. */
export function approvalEvents(
  before: Asking | undefined,
  { approval }: Asking,
  what: string,
  { workflowId, about }: { readonly workflowId: string; readonly about: readonly string[] },
): string[] {
  if (approval === undefined) return [];
  const was = before?.approval;
  if (was?.askedAtMs === approval.askedAtMs && was.votes.length === approval.votes.length) return [];
  const facts = about.map((fact) => `; ${fact}`).join('');
  return [`${what}: ${describeApproval(approval)}${facts}; type: ${howToApprove(workflowId)} (or reject)`];
}

/** How an approval ended, in the report. Who decided is among the commands to the run. */
export function approvalReportLines(approval: ApprovalReport | undefined, colors: Colors): string[] {
  return approval === undefined ? [] : [colors.dim(describeApprovalReport(approval))];
}

/** An abort between two snapshots, or a pause that began, took effect or ended. */
export function steeringEvents(before: RunProgress | undefined, { runbook, pause, abort }: RunProgress): string[] {
  if (abort !== undefined) return before?.abort === undefined ? [`${runbook}: ${describeAbort(abort)}`] : [];
  if (before?.pause?.state === pause?.state) return [];
  return [`${runbook}: ${pause === undefined ? 'resumed' : describePause(pause)}`];
}

/** A target that became blocked between two snapshots, or for another reason. */
export function blockedEvents(
  before: RunSnapshot | null,
  target: TargetProgress,
  { workflowId, run }: RunSnapshot,
): string[] {
  const { path, blocked } = target;
  const was = before?.targets.find((earlier) => earlier.path === path)?.blocked;
  if (blocked === undefined || (was?.why === blocked.why && was.step === blocked.step)) return [];
  const text = `${path}: ${blockedText(target, blocked)}`;
  if (run.abort !== undefined) return [text];
  if (run.pause !== undefined) return [`${text}; resume the run first`];
  const choose = `${howToDecide(workflowId, path)} (or skip-step, or mark-succeeded)`;
  return [`${text}; check first: ${howToCheck(path)}; then type: ${choose}`];
}

/** The commands to a run, in its report. */
export function commandLines({ commands = [] }: RunReport, colors: Colors): string[] {
  return commands.map((command) => colors.dim(describeCommand(command)));
}

/** The decisions about a step, in the report. */
export function decisionLines(step: StepReport, colors: Colors): string[] {
  const { decisions = [] } = step;
  const twice = twiceWarning(step);
  const lines = decisions.flatMap((decision) => {
    const found = foundText(decision);
    return [
      colors.warn(`      ${decisionText(decision)}`),
      ...(found === null ? [] : [colors.dim(`        ${found}`)]),
    ];
  });
  return twice === null ? lines : [...lines, colors.warn(`      ${twice}`)];
}

/** What follows from a command that the run has accepted. */
export function answerWords(answer: CommandAnswer): string {
  return `${answer.repeated ? 'Accepted earlier' : 'Accepted'}: ${meaningOf(answer)}`;
}

function meaningOf({ command, state }: CommandAnswer): string {
  if (command === 'pause' && state === 'pausing') return 'the run pauses as soon as nothing is in flight';
  if (command === 'approve' && state === 'waitingForApproval') return 'more people have to approve';
  return MEANINGS[command];
}

const MEANINGS: Readonly<Record<CommandAnswer['command'], string>> = {
  pause: 'the run is paused',
  resume: 'the run continues',
  abort: 'the run finishes what is in flight, then follows onCancel',
  approve: 'the run continues',
  reject: 'the run does not begin, or its step fails',
  retryStep: 'the instance is read first; then the step is carried out once more',
  skipStep: 'the instance is read; then the target continues without the step',
  markSucceeded: 'the instance is read; then the target continues',
};
