/** Renders reports as text. Pure. Operators read this at night: first the outcome, then the facts, then what to do. */
import { bodyShown, describeEvidence, type CheckEvidence } from '../domain/checks/check.js';
import { describeDuration } from '../domain/time/duration.js';
import { shortHash } from '../domain/plan/plan.js';
import { describeDifferences } from '../domain/report/compensation.js';
import type { RunReport, StepReport, TargetReport } from '../domain/report/report.js';
import { gateLines } from './render-gates.js';
import { usualWords } from './render-usual.js';
import { approvalReportLines, commandLines, decisionLines } from './render-steering.js';
import { describeObservation } from '../domain/target/target.js';
import {
  differencesOf,
  leftOutChecks,
  mark,
  meaningOf,
  notHeldWarning,
  period,
  stepTitle,
  trailLines,
} from '../rendering/meaning.js';
import { nextLines } from '../rendering/next-command.js';
import { undelivered } from '../rendering/notifications.js';
import { leftOutOf } from '../rendering/report-facts.js';
import { adoptionText, decisiveOf, readingsText } from '../rendering/step-notes.js';
import type { Colors } from './colors.js';
import { messageLines, printableFacts } from './terminal-text.js';

/** Renders the report of a run that has ended. */
export function renderReport(given: RunReport, colors: Colors): string {
  const report = printableFacts(given);
  const { outcome, runbook, workflowId, startedAtMs, endedAtMs, requestedBy, reason } = report;
  const lines = [
    `${colors.outcome(outcome)(outcome.toUpperCase())}  ${runbook}: ${meaningOf(report)}`,
    colors.dim(`run ${workflowId}, ${describeDuration(endedAtMs - startedAtMs)} (${period(startedAtMs, endedAtMs)})`),
  ];
  if (requestedBy !== null)
    lines.push(colors.dim(`requested by ${requestedBy}${reason === null ? '' : `: ${reason}`}`));
  if (report.resumes !== undefined) lines.push(colors.dim(`resumes run ${report.resumes.workflowId}`));
  if (report.withdrawnBy !== undefined) lines.push(colors.dim(`withdrawn by ${report.withdrawnBy}`));
  lines.push(...commandLines(report, colors));
  lines.push(...approvalReportLines(report.approval, colors));
  if (report.planHash !== null) lines.push(colors.dim(`plan ${shortHash(report.planHash)}`));
  const leftOut = leftOutOf(report);
  if (leftOut !== null) lines.push(colors.warn(`left out: ${leftOut}`));
  if (report.failure !== undefined) lines.push('', ...failureLines(report.failure, colors));
  if (report.gates !== undefined) lines.push('', ...gateLines(report.gates, colors));
  for (const target of report.targets) lines.push('', ...targetLines(target, colors));
  if (report.notStarted.length > 0) lines.push('', `Not started: ${report.notStarted.join(', ')}`);
  const missed = undelivered(report.notifications ?? []);
  if (missed.length > 0) lines.push('', ...missed.map(colors.warn));
  const next = nextLines(report);
  if (next.length > 0) lines.push('', ...next.map(colors.bold));
  return lines.join('\n');
}

function targetLines(target: TargetReport, colors: Colors): string[] {
  const { captured, lastSeen, steps, compensations, remaining, notReached, failure, outcome } = target;
  const lines = [`${colors.bold(target.path)}  ${colors.outcome(outcome)(outcome)}`];
  if (captured !== null) lines.push(colors.dim(`  before   ${describeObservation(captured)}`));
  for (const step of steps) lines.push(...stepLines(step, '', colors));
  for (const id of notReached) lines.push(colors.dim(`  ${mark('pending')} ${id}: not reached`));
  const leftOut = leftOutChecks(target);
  if (leftOut !== null) lines.push(colors.dim(`  checks left out: ${leftOut}`));
  for (const undo of compensations) lines.push(...stepLines(undo, 'undo: ', colors));
  if (lastSeen !== null) lines.push(`  now      ${describeObservation(lastSeen)}`);
  const notHeld = notHeldWarning(target);
  if (notHeld !== null) lines.push(colors.warn(`  not held  ${notHeld}`));
  const differences = differencesOf(target);
  if (differences.length > 0) lines.push(colors.warn(`  differs  ${describeDifferences(differences)}`));
  if (failure !== undefined) lines.push(...failureLines(failure, colors).map((line) => `  ${line}`));
  for (const { stepId, why, kind } of remaining)
    lines.push(colors.warn(`  remains  ${stepId}: ${kind === 'irreversible' ? 'irreversible, ' : ''}${why}`));
  return lines;
}

function stepLines(step: StepReport, prefix: string, colors: Colors): string[] {
  const { result, cloudJobId, after, failure, attempts, startedAtMs, endedAtMs, sent, evidence, check } = step;
  const job = cloudJobId === null ? '' : `, cloud job ${cloudJobId}`;
  const tookMs = endedAtMs - startedAtMs;
  const usual = step.usual === undefined ? '' : `, ${usualWords(step.usual, tookMs, colors)}`;
  const lines = [
    `  ${colors.result(result)(mark(result))} ${prefix}${stepTitle(step)}: ${result} in ${describeDuration(tookMs)}${usual} (${period(startedAtMs, endedAtMs)})${job}`,
  ];
  if (after !== null && result !== 'skipped') lines.push(colors.dim(`      ${readingsText(step)}`));
  lines.push(...decisionLines(step, colors));
  lines.push(...approvalReportLines(step.approval, colors).map((line) => `      ${line}`));
  if (result === 'skipped' && after !== null && decisiveOf(step) === null)
    lines.push(colors.dim(`      ${readingsText(step)}`));
  if (check !== undefined) lines.push(colors.dim(`      ${describeEvidence(check)}`), ...bodyLines(check, colors));
  if (sent === 'unknown') lines.push(colors.warn('      it is not known whether ServiceStage acted for this step'));
  if (evidence !== undefined) lines.push(colors.dim(`      ${adoptionText(evidence)}`));
  if (attempts > 1) lines.push(...trailLines(step).map((line) => colors.dim(`      ${line}`)));
  if (failure !== undefined) lines.push(...failureLines(failure, colors).map((line) => `      ${line}`));
  return lines;
}

function bodyLines(check: CheckEvidence, colors: Colors): string[] {
  const body = bodyShown(check);
  return body === null ? [] : [colors.dim(`      body: ${body}`)];
}

function failureLines({ name, message, advice }: NonNullable<StepReport['failure']>, colors: Colors): string[] {
  const [first = '', ...rest] = messageLines(message);
  return [colors.bad(`${name}: ${first}`), ...rest, `→ ${advice}`];
}
