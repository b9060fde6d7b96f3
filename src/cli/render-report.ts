/** A report and a plan as text. Pure; what an operator reads at three in the morning: the outcome first, then what was seen, then what to do. */
import { describeAction } from '../domain/actions.js';
import type { TrailEntry } from '../domain/contract.js';
import { describeDuration } from '../domain/duration.js';
import type { ActionStep, Plan, PlannedCompensation, PlannedStep } from '../domain/plan.js';
import { ACTIONS } from '../domain/actions.js';
import type { Outcome, RunReport, StepReport, TargetReport } from '../domain/report.js';
import { gateLines, guardLines } from './render-gates.js';
import { describeObservation } from '../domain/target.js';
import type { Paint } from './paint.js';
import { messageLines, printableFacts } from './terminal-text.js';

/** What each outcome means for whoever reads it. */
const MEANINGS: Readonly<Record<Outcome, string>> = {
  succeeded: 'everything was done and seen',
  compensated: 'a step failed, and what had changed was taken back',
  failed: 'a step failed; see what remains',
  compensationFailed: 'a step failed and taking back failed too: look at the instance',
  indeterminate: 'it cannot be known what happened: look at the instance before anything else',
  cancelled: 'cancelled on request',
  refused: 'refused; nothing was touched',
  expired: 'the time to begin ran out; what had not begun was left alone',
};

export function renderReport(given: RunReport, paint: Paint): string {
  const report = printableFacts(given);
  const { outcome, runbook, workflowId, startedAtMs, endedAtMs, requestedBy, reason } = report;
  const lines = [
    `${paint.outcome(outcome)(outcome.toUpperCase())}  ${runbook}: ${MEANINGS[outcome]}`,
    paint.dim(
      `run ${workflowId}, ${describeDuration(endedAtMs - startedAtMs)}, ended ${new Date(endedAtMs).toISOString()}`,
    ),
  ];
  if (requestedBy !== null) lines.push(paint.dim(`requested by ${requestedBy}${reason === null ? '' : `: ${reason}`}`));
  if (report.withdrawnBy !== undefined) lines.push(paint.dim(`withdrawn by ${report.withdrawnBy}`));
  if (report.failure !== undefined) lines.push('', ...failureLines(report.failure, paint));
  if (report.gates !== undefined) lines.push('', ...gateLines(report.gates, paint));
  for (const target of report.targets) lines.push('', ...targetLines(target, paint));
  if (report.notStarted.length > 0) lines.push('', `Not started: ${report.notStarted.join(', ')}`);
  return lines.join('\n');
}

function targetLines(target: TargetReport, paint: Paint): string[] {
  const { captured, lastSeen, steps, compensations, remaining, notReached, failure, outcome } = target;
  const lines = [`${paint.bold(target.path)}  ${paint.outcome(outcome)(outcome)}`];
  if (captured !== null) lines.push(paint.dim(`  before   ${describeObservation(captured)}`));
  for (const step of steps) lines.push(...stepLines(step, '', paint));
  for (const id of notReached) lines.push(paint.dim(`  ${mark('pending')} ${id}: not reached`));
  for (const undo of compensations) lines.push(...stepLines(undo, 'undo: ', paint));
  if (lastSeen !== null) lines.push(`  now      ${describeObservation(lastSeen)}`);
  if (failure !== undefined) lines.push(...failureLines(failure, paint).map((line) => `  ${line}`));
  for (const { stepId, why, kind } of remaining)
    lines.push(paint.warn(`  remains  ${stepId}: ${kind === 'irreversible' ? 'irreversible, ' : ''}${why}`));
  return lines;
}

function stepLines(step: StepReport, prefix: string, paint: Paint): string[] {
  const {
    result,
    action,
    id,
    cloudJobId,
    before,
    after,
    failure,
    attempts,
    trail,
    startedAtMs,
    endedAtMs,
    sent,
    evidence,
  } = step;
  const title = action === null ? id : describeAction(action);
  const job = cloudJobId === null ? '' : `, cloud job ${cloudJobId}`;
  const lines = [
    `  ${paint.result(result)(mark(result))} ${prefix}${title}: ${result} in ${describeDuration(endedAtMs - startedAtMs)}${job}`,
  ];
  if (after !== null && before !== null && result !== 'skipped')
    lines.push(paint.dim(`      ${describeObservation(before)} → ${describeObservation(after)}`));
  if (result === 'skipped' && after !== null) lines.push(paint.dim(`      already so: ${describeObservation(after)}`));
  if (sent === 'unknown') lines.push(paint.warn('      whether ServiceStage acted for this step is not known'));
  if (evidence !== undefined)
    lines.push(
      paint.dim(
        `      adopted: its first task is of ${new Date(evidence.firstTaskAtMs).toISOString()}, ${evidence.createdByUs ? 'asked for by our own user' : 'its user is not known'}`,
      ),
    );
  if (attempts > 1) lines.push(...trail.map((entry) => paint.dim(`      ${trailLine(entry)}`)));
  if (failure !== undefined) lines.push(...failureLines(failure, paint).map((line) => `      ${line}`));
  return lines;
}

function trailLine({ attempt, atMs, decision, note }: TrailEntry): string {
  return `attempt ${attempt}, ${new Date(atMs).toISOString().slice(11, 19)}: ${decision}${note === undefined ? '' : ` (${note})`}`;
}

function failureLines({ name, message, advice }: NonNullable<StepReport['failure']>, paint: Paint): string[] {
  const [first = '', ...rest] = messageLines(message);
  return [paint.bad(`${name}: ${first}`), ...rest, `→ ${advice}`];
}

const MARKS: Readonly<Record<string, string>> = {
  succeeded: '✓',
  skipped: '–',
  failed: '✗',
  indeterminate: '?',
  cancelled: '■',
  running: '●',
  pending: '○',
};

export function mark(state: string): string {
  return MARKS[state] ?? '·';
}

export function renderPlan(plan: Plan, paint: Paint): string {
  const { runbook, title, hash, targets, deadlineMs, onCancel, inputs, guards } = printableFacts(plan);
  const lines = [`${paint.bold(runbook)}: ${title}`];
  const given = Object.entries(inputs).map(([name, value]) => `${name}=${String(value)}`);
  if (given.length > 0) lines.push(`inputs ${given.join(', ')}`);
  if (guards !== undefined) lines.push(...guardLines(guards, paint));
  for (const { target, seen, steps } of targets) {
    lines.push('', `${paint.bold(target.path)}  ${describeObservation(seen)}`);
    if (steps.length === 0) lines.push('  only looks; changes nothing');
    lines.push(...steps.map((step, index) => plannedLine(step, index, paint)));
  }
  lines.push(
    '',
    paint.dim(
      `on cancel: ${onCancel} · deadline of the run: ${describeDuration(deadlineMs)} · plan ${hash.slice(0, 16)}`,
    ),
    'Nothing was touched.',
  );
  return lines.join('\n');
}

function plannedLine(step: PlannedStep, index: number, paint: Paint): string {
  if (step.kind === 'wait') return `  ${index + 1}. wait ${describeDuration(step.durationMs)}`;
  const note = step.note === undefined ? '' : `  (${step.note})`;
  const times = paint.dim(
    `at most ${describeDuration(step.deadlineMs)}, then held ${describeDuration(step.verify.stableMs)}; if it fails: ${step.onFailure}`,
  );
  return `  ${index + 1}. ${describeAction(step.action)}${note}\n     ${undoWords(step, step.compensation, paint)}\n     ${times}`;
}

function undoWords({ action }: ActionStep, compensation: PlannedCompensation, paint: Paint): string {
  if (compensation.kind === 'irreversible') return paint.warn(`cannot be undone: ${compensation.reason}`);
  if (compensation.kind === 'none') return `is not undone: ${compensation.reason}`;
  if (compensation.kind === 'action') return `undone by ${describeAction(compensation.action)}`;
  const { reversal, inverses } = ACTIONS[action.action];
  return reversal === 'self'
    ? 'ends as it began, nothing to undo'
    : `undone by ${inverses.join(' or ')}, from the state seen before`;
}
