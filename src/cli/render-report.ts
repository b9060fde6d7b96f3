/**
 * Renders reports and plans as text. Pure. Operators read this at night: first the outcome, then the facts, then
 * what to do.
 */
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
import type { ActionStep, ApprovalStep, Plan, PlannedStep } from '../domain/plan/plan.js';
import { ACTIONS } from '../domain/target/actions.js';
import type { Outcome, RunReport, StepReport, TargetReport } from '../domain/report/report.js';
import { gateLines, guardLines } from './render-gates.js';
import { describeApprovalRules } from '../domain/steering/approvals.js';
import { approvalReportLines, commandLines, decisionLines, isDecided } from './render-steering.js';
import { describeObservation } from '../domain/target/target.js';
import { describeTime } from '../domain/time/utc-time.js';
import type { Colors } from './colors.js';
import { messageLines, printableFacts } from './terminal-text.js';

/** Each outcome in one line. */
const MEANINGS: Readonly<Record<Outcome, string>> = {
  succeeded: 'everything was done and verified',
  compensated: 'a step failed, and the undos were done',
  failed: 'a step failed; see what remains',
  compensationFailed: 'a step failed, and so did an undo: check the instance',
  indeterminate: 'it is not known what happened: check the instance before anything else',
  cancelled: 'cancelled on request',
  refused: 'refused; nothing was changed',
  expired: 'the time to start ran out; targets that had not started were left alone',
};

/** Renders the report of a run that has ended. */
export function renderReport(given: RunReport, colors: Colors): string {
  const report = printableFacts(given);
  const { outcome, runbook, workflowId, startedAtMs, endedAtMs, requestedBy, reason } = report;
  const lines = [
    `${colors.outcome(outcome)(outcome.toUpperCase())}  ${runbook}: ${meaningOf(report)}`,
    colors.dim(`run ${workflowId}, ${describeDuration(endedAtMs - startedAtMs)} (${times(startedAtMs, endedAtMs)})`),
  ];
  if (requestedBy !== null)
    lines.push(colors.dim(`requested by ${requestedBy}${reason === null ? '' : `: ${reason}`}`));
  if (report.withdrawnBy !== undefined) lines.push(colors.dim(`withdrawn by ${report.withdrawnBy}`));
  lines.push(...commandLines(report, colors));
  lines.push(...approvalReportLines(report.approval, colors));
  if (report.failure !== undefined) lines.push('', ...failureLines(report.failure, colors));
  if (report.gates !== undefined) lines.push('', ...gateLines(report.gates, colors));
  for (const target of report.targets) lines.push('', ...targetLines(target, colors));
  if (report.notStarted.length > 0) lines.push('', `Not started: ${report.notStarted.join(', ')}`);
  return lines.join('\n');
}

/** "As before" is written only if the readings show it. */
function meaningOf(report: RunReport): string {
  const { outcome, targets } = report;
  if (outcome === 'failed') return meaningOfFailed(report);
  if (outcome !== 'compensated') return MEANINGS[outcome];
  const undone = targets.filter(({ compensations }) => compensations.length > 0);
  if (undone.some((target) => differencesOf(target).length > 0))
    return 'a step failed, and the declared undos did not restore the state: see what differs';
  const isSeen = undone.every(({ captured, lastSeen }) => captured !== null && lastSeen !== null);
  return isSeen ? 'a step failed, and its changes were undone' : MEANINGS[outcome];
}

/** Only a complete report can show that nothing remains; a shortened one claims nothing. */
function meaningOfFailed({ targets, cut }: RunReport): string {
  const isWhole = cut === undefined && targets.length > 0 && targets.every((target) => target.cut === undefined);
  if (!isWhole || targets.some(({ remaining }) => remaining.length > 0)) return MEANINGS.failed;
  const isOfStep = targets.some(({ steps }) => steps.some(({ result }) => result === 'failed'));
  const what = isOfStep ? 'a step failed' : 'it was not completed';
  const all = targets.flatMap(({ steps, compensations }) => [...steps, ...compensations]);
  if (all.every(({ sent }) => sent === 'no')) return `${what}; nothing was sent`;
  const stopped = targets.filter(({ outcome }) => outcome !== 'succeeded');
  return stopped.every(isAsBefore) ? `${what}; the state is as before` : `${what}; see the state now`;
}

function isAsBefore({ captured, lastSeen }: TargetReport): boolean {
  return captured !== null && lastSeen !== null && differencesBetween(captured, lastSeen).length === 0;
}

/** Differences between the state before the first step and the last state seen, if undos were sent. */
function differencesOf({ captured, lastSeen, compensations }: TargetReport): readonly Difference[] {
  if (captured === null || lastSeen === null || compensations.length === 0) return [];
  return differencesBetween(captured, lastSeen);
}

function targetLines(target: TargetReport, colors: Colors): string[] {
  const { captured, lastSeen, steps, compensations, remaining, notReached, failure, outcome } = target;
  const lines = [`${colors.bold(target.path)}  ${colors.outcome(outcome)(outcome)}`];
  if (captured !== null) lines.push(colors.dim(`  before   ${describeObservation(captured)}`));
  for (const step of steps) lines.push(...stepLines(step, '', colors));
  for (const id of notReached) lines.push(colors.dim(`  ${mark('pending')} ${id}: not reached`));
  for (const undo of compensations) lines.push(...stepLines(undo, 'undo: ', colors));
  if (lastSeen !== null) lines.push(`  now      ${describeObservation(lastSeen)}`);
  const differences = differencesOf(target);
  if (differences.length > 0) lines.push(colors.warn(`  differs  ${describeDifferences(differences)}`));
  if (failure !== undefined) lines.push(...failureLines(failure, colors).map((line) => `  ${line}`));
  for (const { stepId, why, kind } of remaining)
    lines.push(colors.warn(`  remains  ${stepId}: ${kind === 'irreversible' ? 'irreversible, ' : ''}${why}`));
  return lines;
}

function stepLines(step: StepReport, prefix: string, colors: Colors): string[] {
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
    `  ${colors.result(result)(mark(result))} ${prefix}${title}: ${result} in ${describeDuration(endedAtMs - startedAtMs)} (${times(startedAtMs, endedAtMs)})${job}`,
  ];
  if (after !== null && before !== null && result !== 'skipped')
    lines.push(colors.dim(`      ${describeObservation(before)} → ${describeObservation(after)}`));
  lines.push(...decisionLines(step, colors));
  lines.push(...approvalReportLines(step.approval, colors).map((line) => `      ${line}`));
  if (result === 'skipped' && after !== null && !isDecided(step))
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

/** Times are in UTC, so that they can be compared with the console and with logs. */
function times(fromMs: number, toMs: number): string {
  return `${describeTime(fromMs)} to ${describeTime(toMs)}`;
}

function trailLine({ attempt, atMs, decision, note, count, lastAtMs = atMs }: TrailEntry): string {
  const often = count === undefined ? '' : ` ×${count}, last ${describeTime(lastAtMs)}`;
  return `attempt ${attempt}, ${describeTime(atMs)}: ${decision}${often}${note === undefined ? '' : ` (${note})`}`;
}

function failureLines({ name, message, advice }: NonNullable<StepReport['failure']>, colors: Colors): string[] {
  const [first = '', ...rest] = messageLines(message);
  return [colors.bad(`${name}: ${first}`), ...rest, `→ ${advice}`];
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

/** The symbol of a step's state; `·` for an unknown one. */
export function mark(state: string): string {
  return MARKS[state] ?? '·';
}

/** Renders what a run would do, as `runbook plan` shows it. */
export function renderPlan(plan: Plan, colors: Colors): string {
  const { runbook, title, hash, targets, deadlineMs, onCancel, inputs, guards, approval, approvalIssuer } =
    printableFacts(plan);
  const lines = [`${colors.bold(runbook)}: ${title}`];
  const given = Object.entries(inputs).map(([name, value]) => `${name}=${String(value)}`);
  if (given.length > 0) lines.push(`inputs ${given.join(', ')}`);
  if (approval !== undefined) lines.push(`needs ${describeApprovalRules(approval)}, before anything is done`);
  if (approvalIssuer !== undefined) lines.push(`approvals must be signed by ${approvalIssuer}`);
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
    colors.dim(`on cancel: ${onCancel} · deadline of the run: ${describeDuration(deadlineMs)} · plan ${hash}`),
    'Nothing was changed.',
  );
  return lines.join('\n');
}

/** Used if a step has no expectation. */
const NOT_KNOWN: ExpectedStep = { course: 'unknown', undo: { kind: 'asDeclared' } };

function plannedLine(step: PlannedStep, index: number, expected: ExpectedStep, colors: Colors): string {
  if (step.kind === 'wait') return `  ${index + 1}. wait ${describeDuration(step.durationMs)}`;
  if (step.kind === 'approval') return approvalWords(step, index, colors);
  const note = step.note === undefined ? '' : `  (${step.note})`;
  const head = `  ${index + 1}. ${describeAction(step.action)}${note}`;
  if (expected.course === 'skipped') return `${head}\n     ${colors.dim('already done, will be skipped')}`;
  const times = colors.dim(
    `at most ${describeDuration(step.deadlineMs)}, verified for ${describeDuration(step.verify.stableMs)}; if it fails: ${step.onFailure}`,
  );
  return `${head}\n     ${undoWords(step, index, expected.undo, colors)}\n     ${times}`;
}

function approvalWords(step: ApprovalStep, index: number, colors: Colors): string {
  const { title, onFailure } = step;
  const rules = colors.dim(`${describeApprovalRules(step)}; if it is rejected or expires: ${onFailure}`);
  return `  ${index + 1}. approval: ${title}\n     ${rules}`;
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
