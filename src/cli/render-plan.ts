/** Renders plans as text. Pure. */
import { describeCheck, describeWanted } from '../domain/checks/check.js';
import { describeNeeded } from '../domain/gates/gates.js';
import {
  expectedCourse,
  type ExpectedStep,
  type ExpectedUndo,
  type ExpectedUndos,
} from '../domain/plan/expected-course.js';
import {
  requiredState,
  shortHash,
  type ActionStep,
  type ApprovalStep,
  type CheckStep,
  type Plan,
  type PlannedStep,
  type TargetPlan,
} from '../domain/plan/plan.js';
import { misfitOf } from '../domain/plan/plan-usual.js';
import { describeApprovalRules } from '../domain/steering/approvals.js';
import { describeUsualRun, describeUsualStep } from '../domain/plan/usual-words.js';
import { describeDifferences, type Difference } from '../domain/report/compensation.js';
import { ACTIONS, describeAction } from '../domain/target/actions.js';
import { describeObservation } from '../domain/target/target.js';
import { describeDuration } from '../domain/time/duration.js';
import { plannedNotifications } from '../rendering/notifications.js';
import type { Colors } from './colors.js';
import { guardLines } from './render-gates.js';
import { doneLines, resumesLines } from './render-resumed.js';
import { printableFacts } from './terminal-text.js';

/** Renders what a run would do, as `runbook plan` shows it. */
export function renderPlan(plan: Plan, colors: Colors): string {
  const printable = printableFacts(plan);
  const { runbook, title, hash, targets, deadlineMs, onCancel, inputs, guards, notify = [] } = printable;
  const { approval, approvalIssuer, emergency } = printable;
  const lines = [`${colors.bold(runbook)}: ${title}`];
  const given = Object.entries(inputs).map(([name, value]) => `${name}=${value === '' ? '(empty)' : String(value)}`);
  if (given.length > 0) lines.push(`inputs ${given.join(', ')}`);
  if (emergency === true)
    lines.push(colors.bad('EMERGENCY: waits for no window, freeze or approval, and begins all its targets at once'));
  if (approval !== undefined) lines.push(`needs ${describeApprovalRules(approval)}, before anything is done`);
  if (approvalIssuer === undefined && asksForRole(printable))
    lines.push(colors.warn('roles of approvers are not checked, because the worker has no RUNBOOK_APPROVERS'));
  if (approvalIssuer !== undefined) lines.push(`approvals must be signed by ${approvalIssuer}`);
  if (printable.resumes !== undefined) lines.push(...resumesLines(printable.resumes, colors));
  if (guards !== undefined) lines.push(...guardLines(guards, colors), ...misfitLines(printable, colors));
  for (const target of targets) lines.push('', ...targetLines(target, colors));
  const ofRun = describeUsualRun(targets, emergency === true);
  lines.push(
    '',
    ...(ofRun === null ? [] : [`the whole run: ${ofRun}`]),
    ...plannedNotifications(notify).map((line, index) => (notify[index]?.unknown === true ? colors.warn(line) : line)),
    colors.dim(
      `on cancel: ${onCancel} · deadline of the run: ${describeDuration(deadlineMs)} · plan ${approval === undefined ? shortHash(hash) : hash}`,
    ),
    'Nothing was changed.',
  );
  return lines.join('\n');
}

/** One target: its state, what is done already, each step with its undo, and the undos of the whole target. */
function targetLines({ target, seen, steps, leftOut = [], usual = [], resumed }: TargetPlan, colors: Colors): string[] {
  const lines = [`${colors.bold(target.path)}  ${describeObservation(seen)}`];
  if (resumed !== undefined) lines.push(...doneLines(resumed, colors));
  if (steps.length === 0) lines.push('  only observes; changes nothing');
  const { steps: course, undos } = expectedCourse(seen, steps);
  if (course.some((expected) => expected.course === 'unknown'))
    lines.push(
      colors.warn(
        '  a cloud job is in flight: the run waits for its end and then skips the steps that are already done',
      ),
    );
  for (const [index, step] of steps.entries()) {
    const expected = course[index] ?? NOT_KNOWN;
    lines.push(...plannedLines(step, index, expected, colors));
    const known = usual.find(({ stepId }) => stepId === step.id);
    if (known !== undefined && expected.course !== 'skipped') lines.push(`     ${describeUsualStep(known)}`);
  }
  for (const id of leftOut) lines.push(colors.dim(`  check ${id} is left out: no URL was given for it`));
  if (undos !== null) lines.push(`  ${undosLine(undos, colors)}`);
  return lines;
}

function asksForRole({ approval, targets }: Plan): boolean {
  const steps = targets.flatMap((target) => target.steps).filter((step) => step.kind === 'approval');
  return [approval, ...steps].some((rules) => rules !== undefined && rules.roles.length > 0);
}

/** Used if a step has no expectation. */
const NOT_KNOWN: ExpectedStep = { course: 'unknown', undo: { kind: 'asDeclared' } };

function plannedLines(step: PlannedStep, index: number, expected: ExpectedStep, colors: Colors): string[] {
  if (step.kind === 'wait') return [`  ${index + 1}. wait ${describeDuration(step.durationMs)}`];
  if (step.kind === 'check') return plannedCheckLines(step, index, colors);
  if (step.kind === 'approval') return approvalLines(step, index, colors);
  const note = step.note === undefined ? '' : `  (${step.note})`;
  const head = `  ${index + 1}. ${describeAction(step.action)}${note}`;
  if (expected.course === 'skipped') return [head, `     ${colors.dim('already done, will be skipped')}`];
  const { stableMs } = requiredState(step);
  const holds = stableMs === 0 ? '' : `, holds ${describeDuration(stableMs)}`;
  const times = colors.dim(`at most ${describeDuration(step.deadlineMs)}${holds}; if it fails: ${step.onFailure}`);
  return [head, `     ${undoWords(step, index, expected.undo, colors)}`, `     ${times}`];
}

function plannedCheckLines({ check, before, onFailure }: CheckStep, index: number, colors: Colors): string[] {
  const then = before ? 'nothing is touched' : onFailure;
  const times = `within ${describeDuration(check.withinMs)}, holds ${describeDuration(check.stableMs)}; if it fails: ${then}`;
  return [
    `  ${index + 1}. check ${describeCheck(check)}${before ? '  (before anything is sent)' : ''}`,
    `     wants ${describeWanted(check)}`,
    `     ${colors.dim(times)}`,
  ];
}

function approvalLines(step: ApprovalStep, index: number, colors: Colors): string[] {
  const rules = `${describeApprovalRules(step)}; if it is rejected or expires: ${step.onFailure}`;
  return [`  ${index + 1}. approval: ${step.title}`, `     ${colors.dim(rules)}`];
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

/** `undone by start while step 2 is not done; after that nothing is undone: the two undos would cancel out` */
function leftOutWords({ action, by, from, why }: Extract<ExpectedUndo, { kind: 'leftOut' }>, index: number): string {
  const undo = describeAction(action);
  const because =
    why === 'older'
      ? `the undo of step ${by + 1} restores what was before both`
      : `it and the undo of step ${by + 1} would cancel out`;
  return from === index
    ? `its undo ${undo} is not sent: ${because}`
    : `undone by ${undo} while step ${from + 1} is not done; after that its undo is not sent: ${because}`;
}

/** The undos that the run would send for a target, combined. */
function undosLine({ failing, undos, differs }: ExpectedUndos, colors: Colors): string {
  const sent = undos.length === 0 ? 'no undo is sent' : `undo by ${undos.map(describeAction).join(', then ')}`;
  return withDifferences(`if step ${failing + 1} fails and has changed nothing: ${sent}`, differs, 'the run', colors);
}

/** Whether there is time for the steps before the end of the window, if not for all targets. */
function misfitLines(plan: Plan, colors: Colors): string[] {
  const misfit = misfitOf(plan);
  if (misfit === null) return [];
  const { target, before, needed, leftMs, because } = misfit;
  const left = `${describeDuration(Math.max(0, leftMs))} of the window ${before === 0 ? 'are left' : `are left after the ${before} before it`}`;
  const may = `its steps may take ${describeDuration(needed.ms)} (too few cloud jobs were seen to be sure)`;
  const what =
    because === 'known'
      ? `does not fit into the window: ${describeNeeded(needed)}, and ${left}`
      : `may not fit into the window: ${may}, and ${left}`;
  const isBegun = because === 'declared' || plan.guards?.window?.fit === false;
  return [colors.warn(`${target.target.path} ${what}; it is ${isBegun ? 'begun all the same' : 'not begun'}`)];
}
