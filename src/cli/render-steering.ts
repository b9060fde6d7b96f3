/** What an operator commanded, and what they can command now: lines of the live view, of events in a pipe, and of reports. Pure. */
import type { RunSnapshot } from '../client/report-snapshot.js';
import { describeApproval, describeApprovalReport } from '../domain/steering/approvals.js';
import { describeAbort, describeBlocked, describePause } from '../domain/report/progress-markdown.js';
import type { RunProgress, TargetProgress } from '../domain/report/progress.js';
import type { ApprovalReport, RunReport, StepReport } from '../domain/report/report.js';
import { shellWord } from '../domain/text/shell-word.js';
import { describeTime } from '../domain/time/utc-time.js';
import { describeCommand, type CommandAnswer } from '../domain/steering/commands.js';
import { decisionText, foundText } from '../rendering/step-notes.js';
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
  { path, blocked }: TargetProgress,
  { pause, abort }: RunProgress,
  workflowId: string,
  colors: Colors,
): Line[] {
  if (blocked === undefined) return [];
  if (abort !== undefined) return [wrapped(2, colors.warn(describeBlocked(blocked)))];
  if (pause !== undefined)
    return [
      wrapped(2, colors.warn(describeBlocked(blocked))),
      cutLine(2, colors.dim('resume the run first; then the step can be decided')),
    ];
  return [
    wrapped(2, colors.warn(describeBlocked(blocked))),
    command(2, howToDecide(workflowId, path)),
    cutLine(2, colors.dim('or skip-step, or mark-succeeded, in place of retry-step')),
  ];
}

/** Below a run, or a target, that waits for an approval, with the command to type. */
export function approvalLines({ approval }: Asking, workflowId: string, colors: Colors): Line[] {
  if (approval === undefined) return [];
  const { votes } = approval;
  const by =
    votes.length === 0 ? [] : [cutLine(2, colors.dim(`approved by ${votes.map(({ actor }) => actor).join(', ')}`))];
  return [
    wrapped(2, colors.warn(describeApproval(approval))),
    ...by,
    command(2, howToApprove(workflowId)),
    cutLine(2, colors.dim('or reject, in place of approve')),
  ];
}

type Asking = Pick<RunProgress, 'approval'>;

function howToApprove(workflowId: string): string {
  return `runbook approve ${shellWord(workflowId)} --reason '…'`;
}

function howToDecide(workflowId: string, path: string): string {
  return `runbook retry-step ${shellWord(workflowId)} ${shellWord(path)} --reason '…'`;
}

/** An approval that is asked for since the snapshot before, or that somebody has given meanwhile. */
export function approvalEvents(before: Asking | undefined, after: Asking, what: string, workflowId: string): string[] {
  const { approval } = after;
  if (approval === undefined) return [];
  const was = before?.approval;
  if (was?.askedAtMs === approval.askedAtMs && was.votes.length === approval.votes.length) return [];
  return [`${what}: ${describeApproval(approval)}; type: ${howToApprove(workflowId)} (or reject)`];
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
  { path, blocked }: TargetProgress,
  { workflowId, run }: RunSnapshot,
): string[] {
  const was = before?.targets.find((target) => target.path === path)?.blocked;
  if (blocked === undefined || (was?.why === blocked.why && was.step === blocked.step)) return [];
  if (run.abort !== undefined) return [`${path}: ${describeBlocked(blocked)}`];
  const then = run.pause === undefined ? `type: ${howToDecide(workflowId, path)}` : 'resume the run first';
  return [`${path}: ${describeBlocked(blocked)}; ${then}`];
}

/** The commands to a run, in its report. */
export function commandLines({ commands = [] }: RunReport, colors: Colors): string[] {
  return commands.map((command) => colors.dim(describeCommand(command)));
}

/** The decisions about a step, in the report. */
export function decisionLines({ decisions = [] }: StepReport, colors: Colors): string[] {
  return decisions.flatMap((decision) => {
    const found = foundText(decision);
    return [
      colors.warn(`      ${decisionText(decision)}`),
      ...(found === null ? [] : [colors.dim(`        ${found}`)]),
    ];
  });
}

/** A person decided that the step counts as skipped or succeeded. */
export function isDecided({ decisions = [] }: StepReport): boolean {
  const last = decisions.at(-1)?.command;
  return last === 'skipStep' || last === 'markSucceeded';
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
