/** What an operator commanded, and what they can command now: lines of the live view, of events in a pipe, and of reports. Pure. */
import type { RunSnapshot } from '../client/report-snapshot.js';
import { describeApproval, describeApprovalReport } from '../domain/steering/approvals.js';
import { describeBlocked, describePause } from '../domain/report/progress-markdown.js';
import type { ApprovalReport, RunProgress, RunReport, StepReport, TargetProgress } from '../domain/report/report.js';
import { describeTime } from '../domain/time/utc-time.js';
import { describeCommand } from '../domain/steering/describe-command.js';
import { decisionText, foundText } from '../rendering/step-notes.js';
import type { Colors } from './colors.js';

/** Below the head of a run that is pausing or paused, with the command that ends it. */
export function pauseLines({ pause }: RunProgress, workflowId: string, colors: Colors): string[] {
  if (pause === undefined) return [];
  return [
    colors.warn(`${describePause(pause)} (${describeTime(pause.sinceMs)})`),
    `type: runbook resume ${workflowId} --reason '…'`,
  ];
}

/** Below a blocked target, with the commands that decide about it. */
export function blockedLines({ path, blocked }: TargetProgress, workflowId: string, colors: Colors): string[] {
  if (blocked === undefined) return [];
  return [
    colors.warn(`  ${describeBlocked(blocked)}`),
    `  type: runbook retry-step ${workflowId} ${path} --reason '…' (or skip-step, mark-succeeded)`,
  ];
}

/** Below a run, or a target, that waits for an approval, with the command to type. */
export function approvalLines({ approval }: Asking, workflowId: string, colors: Colors): string[] {
  if (approval === undefined) return [];
  const { votes } = approval;
  const by = votes.length === 0 ? [] : [colors.dim(`  approved by ${votes.map(({ actor }) => actor).join(', ')}`)];
  return [colors.warn(`  ${describeApproval(approval)}`), ...by, `  type: ${howToApprove(workflowId)}`];
}

type Asking = Pick<RunProgress, 'approval'>;

function howToApprove(workflowId: string): string {
  return `runbook approve ${workflowId} --reason '…' (or reject)`;
}

/** An approval that is asked for since the snapshot before, or that somebody has given meanwhile. */
export function approvalEvents(before: Asking | undefined, after: Asking, what: string, workflowId: string): string[] {
  const { approval } = after;
  if (approval === undefined) return [];
  const was = before?.approval;
  if (was?.askedAtMs === approval.askedAtMs && was.votes.length === approval.votes.length) return [];
  return [`${what}: ${describeApproval(approval)}; type: ${howToApprove(workflowId)}`];
}

/** How an approval ended, in the report. Who decided is among the commands to the run. */
export function approvalReportLines(approval: ApprovalReport | undefined, colors: Colors): string[] {
  return approval === undefined ? [] : [colors.dim(describeApprovalReport(approval))];
}

/** A pause that began, took effect or ended between two snapshots. */
export function pauseEvents(before: RunProgress | undefined, { runbook, pause }: RunProgress): string[] {
  if (before?.pause?.state === pause?.state) return [];
  return [`${runbook}: ${pause === undefined ? 'resumed' : describePause(pause)}`];
}

/** A target that became blocked between two snapshots, or for another reason. */
export function blockedEvents(
  before: RunSnapshot | null,
  { path, blocked }: TargetProgress,
  workflowId: string,
): string[] {
  const was = before?.targets.find((target) => target.path === path)?.blocked;
  if (blocked === undefined || (was?.why === blocked.why && was.step === blocked.step)) return [];
  return [`${path}: ${describeBlocked(blocked)}; type: runbook retry-step ${workflowId} ${path} --reason '…'`];
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
