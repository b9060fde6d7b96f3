/**
 * Renders reports and plans as text. Pure. Operators read this at night: first the outcome, then the facts, then
 * what to do.
 */
import { describeAction } from '../domain/target/actions.js';
import { describeDuration } from '../domain/time/duration.js';
import { describeDifferences, type Difference } from '../domain/report/compensation.js';
import {
  expectedCourse,
  type ExpectedStep,
  type ExpectedUndo,
  type ExpectedUndos,
} from '../domain/plan/expected-course.js';
import { requiredState, type ActionStep, type Plan, type PlannedStep } from '../domain/plan/plan.js';
import { ACTIONS } from '../domain/target/actions.js';
import type { RunReport, StepReport, TargetReport } from '../domain/report/report.js';
import { gateLines, guardLines } from './render-gates.js';
import { describeObservation } from '../domain/target/target.js';
import { describeTime } from '../domain/time/utc-time.js';
import { differencesOf, mark, meaningOf, period, stepTitle, trailLine } from '../rendering/meaning.js';
import { nextLines } from '../rendering/next-command.js';
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
  if (report.withdrawnBy !== undefined) lines.push(colors.dim(`withdrawn by ${report.withdrawnBy}`));
  if (report.failure !== undefined) lines.push('', ...failureLines(report.failure, colors));
  if (report.gates !== undefined) lines.push('', ...gateLines(report.gates, colors));
  for (const target of report.targets) lines.push('', ...targetLines(target, colors));
  if (report.notStarted.length > 0) lines.push('', `Not started: ${report.notStarted.join(', ')}`);
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
  for (const undo of compensations) lines.push(...stepLines(undo, 'undo: ', colors));
  if (lastSeen !== null) lines.push(`  now      ${describeObservation(lastSeen)}`);
  const last = [...steps, ...compensations].findLast(({ action }) => action !== null);
  if (last?.notHeld === true)
    lines.push(colors.warn('  not held  the state was reached, and no step waited to see it hold'));
  const differences = differencesOf(target);
  if (differences.length > 0) lines.push(colors.warn(`  differs  ${describeDifferences(differences)}`));
  if (failure !== undefined) lines.push(...failureLines(failure, colors).map((line) => `  ${line}`));
  for (const { stepId, why, kind } of remaining)
    lines.push(colors.warn(`  remains  ${stepId}: ${kind === 'irreversible' ? 'irreversible, ' : ''}${why}`));
  return lines;
}

function stepLines(step: StepReport, prefix: string, colors: Colors): string[] {
  const { result, cloudJobId, before, after, failure, attempts, trail, startedAtMs, endedAtMs, sent, evidence } = step;
  const job = cloudJobId === null ? '' : `, cloud job ${cloudJobId}`;
  const lines = [
    `  ${colors.result(result)(mark(result))} ${prefix}${stepTitle(step)}: ${result} in ${describeDuration(endedAtMs - startedAtMs)} (${period(startedAtMs, endedAtMs)})${job}`,
  ];
  if (after !== null && before !== null && result !== 'skipped')
    lines.push(colors.dim(`      ${describeObservation(before)} → ${describeObservation(after)}`));
  if (result === 'skipped' && after !== null)
    lines.push(colors.dim(`      already done: ${describeObservation(after)}`));
  if (sent === 'unknown') lines.push(colors.warn('      it is not known whether ServiceStage acted for this step'));
  if (evidence !== undefined)
    lines.push(
      colors.dim(
        `      adopted: its first task started at ${describeTime(evidence.firstTaskAtMs)}, ${evidence.createdByUs ? 'requested by our own user' : 'its user is not known'}`,
      ),
    );
  if (attempts > 1) lines.push(...trail.map((entry) => colors.dim(`      ${trailLine(entry)}`)));
  if (failure !== undefined) lines.push(...failureLines(failure, colors).map((line) => `      ${line}`));
  return lines;
}

function failureLines({ name, message, advice }: NonNullable<StepReport['failure']>, colors: Colors): string[] {
  const [first = '', ...rest] = messageLines(message);
  return [colors.bad(`${name}: ${first}`), ...rest, `→ ${advice}`];
}

/** Renders what a run would do, as `runbook plan` shows it. */
export function renderPlan(plan: Plan, colors: Colors): string {
  const { runbook, title, hash, targets, deadlineMs, onCancel, inputs, guards } = printableFacts(plan);
  const lines = [`${colors.bold(runbook)}: ${title}`];
  const given = Object.entries(inputs).map(([name, value]) => `${name}=${String(value)}`);
  if (given.length > 0) lines.push(`inputs ${given.join(', ')}`);
  if (guards !== undefined) lines.push(...guardLines(guards, colors));
  for (const { target, seen, steps } of targets) {
    lines.push('', `${colors.bold(target.path)}  ${describeObservation(seen)}`);
    if (steps.length === 0) lines.push('  only observes; changes nothing');
    const { steps: course, undos } = expectedCourse(seen, steps);
    if (course.some((expected) => expected.course === 'unknown'))
      lines.push(
        colors.warn(
          '  a cloud job is in flight: the run waits for its end and then skips the steps that are already done',
        ),
      );
    lines.push(...steps.map((step, index) => plannedLine(step, index, course[index] ?? NOT_KNOWN, colors)));
    if (undos !== null) lines.push(`  ${undosLine(undos, colors)}`);
  }
  lines.push(
    '',
    colors.dim(
      `on cancel: ${onCancel} · deadline of the run: ${describeDuration(deadlineMs)} · plan ${hash.slice(0, 16)}`,
    ),
    'Nothing was changed.',
  );
  return lines.join('\n');
}

/** Used if a step has no expectation. */
const NOT_KNOWN: ExpectedStep = { course: 'unknown', undo: { kind: 'asDeclared' } };

function plannedLine(step: PlannedStep, index: number, expected: ExpectedStep, colors: Colors): string {
  if (step.kind === 'wait') return `  ${index + 1}. wait ${describeDuration(step.durationMs)}`;
  const note = step.note === undefined ? '' : `  (${step.note})`;
  const head = `  ${index + 1}. ${describeAction(step.action)}${note}`;
  if (expected.course === 'skipped') return `${head}\n     ${colors.dim('already done, will be skipped')}`;
  const { stableMs } = requiredState(step);
  const holds = stableMs === 0 ? '' : `, holds ${describeDuration(stableMs)}`;
  const times = colors.dim(`at most ${describeDuration(step.deadlineMs)}${holds}; if it fails: ${step.onFailure}`);
  return `${head}\n     ${undoWords(step, index, expected.undo, colors)}\n     ${times}`;
}

function undoWords(
  { action, compensation }: ActionStep,
  index: number,
  expected: ExpectedUndo,
  colors: Colors,
): string {
  if (compensation.kind === 'irreversible') return colors.warn(`cannot be undone: ${compensation.reason}`);
  if (compensation.kind === 'none') return `is not undone: ${compensation.reason}`;
  if (expected.kind === 'nothing') return 'nothing to undo: the state that its undo restores does not hold before it';
  if (expected.kind === 'leftOut') return leftOutWords(expected, index);
  if (expected.kind === 'action')
    return withDifferences(`undone by ${describeAction(expected.action)}`, expected.differs, 'the step', colors);
  if (compensation.kind === 'action') return `undone by ${describeAction(compensation.action)}`;
  const { reversal, inverses } = ACTIONS[action.action];
  return reversal === 'self'
    ? 'ends in the state it started from, nothing to undo'
    : `undone by ${inverses.join(' or ')}, from the state seen before`;
}

function withDifferences(
  words: string,
  differs: readonly Difference[],
  since: 'the step' | 'the run',
  colors: Colors,
): string {
  if (differs.length === 0) return words;
  return colors.warn(`${words}, which leads to another state than before ${since}: ${describeDifferences(differs)}`);
}

/** `undone by start until step 2 is done, then left out: it and the undo of step 2 cancel out` */
function leftOutWords({ action, by, from, why }: Extract<ExpectedUndo, { kind: 'leftOut' }>, index: number): string {
  const because =
    why === 'cancels'
      ? `it and the undo of step ${by + 1} cancel out`
      : `the undo of step ${by + 1} restores what was before both`;
  const undo = describeAction(action);
  return from === index
    ? `its undo ${undo} is left out: ${because}`
    : `undone by ${undo} until step ${from + 1} is done, then left out: ${because}`;
}

/** The undos that the run would send for a target, combined. */
function undosLine({ failing, undos, differs }: ExpectedUndos, colors: Colors): string {
  const sent = undos.length === 0 ? 'no undo is sent' : `undo by ${undos.map(describeAction).join(', then ')}`;
  return withDifferences(`if step ${failing + 1} fails and has changed nothing: ${sent}`, differs, 'the run', colors);
}
