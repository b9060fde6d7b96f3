/** A report and a plan as text. Pure; what an operator reads at three in the morning: the outcome first, then what was seen, then what to do. */
import { describeAction } from '../domain/target/actions.js';
import type { TrailEntry } from '../domain/once/trail.js';
import { describeDuration } from '../domain/time/duration.js';
import { describeDifferences, differencesBetween, type Difference } from '../domain/report/compensation.js';
import {
  expectedCourse,
  type ExpectedStep,
  type ExpectedUndo,
  type ExpectedUndos,
} from '../domain/plan/expected-course.js';
import type { ActionStep, Plan, PlannedStep } from '../domain/plan/plan.js';
import { ACTIONS } from '../domain/target/actions.js';
import type { Outcome, RunReport, StepReport, TargetReport } from '../domain/report/report.js';
import { gateLines, guardLines } from './render-gates.js';
import { describeObservation } from '../domain/target/target.js';
import { describeTime } from '../domain/time/utc-time.js';
import type { Paint } from './paint.js';
import { messageLines, printableFacts } from './terminal-text.js';

/** What each outcome means for whoever reads it. */
const MEANINGS: Readonly<Record<Outcome, string>> = {
  succeeded: 'everything was done and seen',
  compensated: 'a step failed, and the undos were done',
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
    `${paint.outcome(outcome)(outcome.toUpperCase())}  ${runbook}: ${meaningOf(report)}`,
    paint.dim(`run ${workflowId}, ${describeDuration(endedAtMs - startedAtMs)} (${times(startedAtMs, endedAtMs)})`),
  ];
  if (requestedBy !== null) lines.push(paint.dim(`requested by ${requestedBy}${reason === null ? '' : `: ${reason}`}`));
  if (report.withdrawnBy !== undefined) lines.push(paint.dim(`withdrawn by ${report.withdrawnBy}`));
  if (report.failure !== undefined) lines.push('', ...failureLines(report.failure, paint));
  if (report.gates !== undefined) lines.push('', ...gateLines(report.gates, paint));
  for (const target of report.targets) lines.push('', ...targetLines(target, paint));
  if (report.notStarted.length > 0) lines.push('', `Not started: ${report.notStarted.join(', ')}`);
  return lines.join('\n');
}

/** That all is as before is said only where it was seen. */
function meaningOf(report: RunReport): string {
  const { outcome, targets } = report;
  if (outcome === 'failed') return meaningOfFailed(report);
  if (outcome !== 'compensated') return MEANINGS[outcome];
  const undone = targets.filter(({ compensations }) => compensations.length > 0);
  if (undone.some((target) => differencesOf(target).length > 0))
    return 'a step failed, and the declared undos were done, which did not lead back: see what differs from before';
  const isSeen = undone.every(({ captured, lastSeen }) => captured !== null && lastSeen !== null);
  return isSeen ? 'a step failed, and what had changed was taken back' : MEANINGS[outcome];
}

/** Only a report that is whole shows that nothing remains; what it does not show is not claimed. */
function meaningOfFailed({ targets, cut }: RunReport): string {
  const isWhole = cut === undefined && targets.length > 0 && targets.every((target) => target.cut === undefined);
  if (!isWhole || targets.some(({ remaining }) => remaining.length > 0)) return MEANINGS.failed;
  const isOfStep = targets.some(({ steps }) => steps.some(({ result }) => result === 'failed'));
  const what = isOfStep ? 'a step failed' : 'it was not carried out to its end';
  const all = targets.flatMap(({ steps, compensations }) => [...steps, ...compensations]);
  if (all.every(({ sent }) => sent === 'no')) return `${what}; nothing was sent`;
  const stopped = targets.filter(({ outcome }) => outcome !== 'succeeded');
  return stopped.every(isAsBefore) ? `${what}; the state is as before it` : `${what}; see the state now`;
}

function isAsBefore({ captured, lastSeen }: TargetReport): boolean {
  return captured !== null && lastSeen !== null && differencesBetween(captured, lastSeen).length === 0;
}

/** Between the state before the first step and the last one, once undos were sent. */
function differencesOf({ captured, lastSeen, compensations }: TargetReport): readonly Difference[] {
  if (captured === null || lastSeen === null || compensations.length === 0) return [];
  return differencesBetween(captured, lastSeen);
}

function targetLines(target: TargetReport, paint: Paint): string[] {
  const { captured, lastSeen, steps, compensations, remaining, notReached, failure, outcome } = target;
  const lines = [`${paint.bold(target.path)}  ${paint.outcome(outcome)(outcome)}`];
  if (captured !== null) lines.push(paint.dim(`  before   ${describeObservation(captured)}`));
  for (const step of steps) lines.push(...stepLines(step, '', paint));
  for (const id of notReached) lines.push(paint.dim(`  ${mark('pending')} ${id}: not reached`));
  for (const undo of compensations) lines.push(...stepLines(undo, 'undo: ', paint));
  if (lastSeen !== null) lines.push(`  now      ${describeObservation(lastSeen)}`);
  const differences = differencesOf(target);
  if (differences.length > 0) lines.push(paint.warn(`  differs  ${describeDifferences(differences)}`));
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
    `  ${paint.result(result)(mark(result))} ${prefix}${title}: ${result} in ${describeDuration(endedAtMs - startedAtMs)} (${times(startedAtMs, endedAtMs)})${job}`,
  ];
  if (after !== null && before !== null && result !== 'skipped')
    lines.push(paint.dim(`      ${describeObservation(before)} → ${describeObservation(after)}`));
  if (result === 'skipped' && after !== null) lines.push(paint.dim(`      already so: ${describeObservation(after)}`));
  if (sent === 'unknown') lines.push(paint.warn('      whether ServiceStage acted for this step is not known'));
  if (evidence !== undefined)
    lines.push(
      paint.dim(
        `      adopted: its first task is of ${describeTime(evidence.firstTaskAtMs)}, ${evidence.createdByUs ? 'asked for by our own user' : 'its user is not known'}`,
      ),
    );
  if (attempts > 1) lines.push(...trail.map((entry) => paint.dim(`      ${trailLine(entry)}`)));
  if (failure !== undefined) lines.push(...failureLines(failure, paint).map((line) => `      ${line}`));
  return lines;
}

/** In UTC, as everywhere: who compares it with the console or a log needs no zone of this computer. */
function times(fromMs: number, toMs: number): string {
  return `${describeTime(fromMs)} to ${describeTime(toMs)}`;
}

function trailLine({ attempt, atMs, decision, note, count, lastAtMs = atMs }: TrailEntry): string {
  const often = count === undefined ? '' : ` ×${count}, last ${describeTime(lastAtMs)}`;
  return `attempt ${attempt}, ${describeTime(atMs)}: ${decision}${often}${note === undefined ? '' : ` (${note})`}`;
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
    const { steps: course, undos } = expectedCourse(seen, steps);
    if (course.some((expected) => expected.course === 'unknown'))
      lines.push(
        paint.warn('  a cloud job is in flight: the run waits for its end, and then sees which steps are done already'),
      );
    lines.push(...steps.map((step, index) => plannedLine(step, index, course[index] ?? NOT_KNOWN, paint)));
    if (undos !== null) lines.push(`  ${undosLine(undos, paint)}`);
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

/** Of a step without an expectation. */
const NOT_KNOWN: ExpectedStep = { course: 'unknown', undo: { kind: 'asDeclared' } };

function plannedLine(step: PlannedStep, index: number, expected: ExpectedStep, paint: Paint): string {
  if (step.kind === 'wait') return `  ${index + 1}. wait ${describeDuration(step.durationMs)}`;
  const note = step.note === undefined ? '' : `  (${step.note})`;
  const head = `  ${index + 1}. ${describeAction(step.action)}${note}`;
  if (expected.course === 'skipped') return `${head}\n     ${paint.dim('already so, will be skipped')}`;
  const times = paint.dim(
    `at most ${describeDuration(step.deadlineMs)}, then held ${describeDuration(step.verify.stableMs)}; if it fails: ${step.onFailure}`,
  );
  return `${head}\n     ${undoWords(step, index, expected.undo, paint)}\n     ${times}`;
}

function undoWords({ action, compensation }: ActionStep, index: number, expected: ExpectedUndo, paint: Paint): string {
  if (compensation.kind === 'irreversible') return paint.warn(`cannot be undone: ${compensation.reason}`);
  if (compensation.kind === 'none') return `is not undone: ${compensation.reason}`;
  if (expected.kind === 'nothing') return 'nothing to undo: what its undo restores is not so before it';
  if (expected.kind === 'leftOut') return leftOutWords(expected, index);
  if (expected.kind === 'action')
    return withDifferences(`undone by ${describeAction(expected.action)}`, expected.differs, 'the step', paint);
  if (compensation.kind === 'action') return `undone by ${describeAction(compensation.action)}`;
  const { reversal, inverses } = ACTIONS[action.action];
  return reversal === 'self'
    ? 'ends as it began, nothing to undo'
    : `undone by ${inverses.join(' or ')}, from the state seen before`;
}

function withDifferences(
  words: string,
  differs: readonly Difference[],
  since: 'the step' | 'the run',
  paint: Paint,
): string {
  if (differs.length === 0) return words;
  return paint.warn(`${words}, which leads to another state than before ${since}: ${describeDifferences(differs)}`);
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

/** The undos of a target as the run would send them, folded. */
function undosLine({ failing, undos, differs }: ExpectedUndos, paint: Paint): string {
  const sent = undos.length === 0 ? 'no undo is sent' : `undo by ${undos.map(describeAction).join(', then ')}`;
  return withDifferences(`if step ${failing + 1} fails and has changed nothing: ${sent}`, differs, 'the run', paint);
}
