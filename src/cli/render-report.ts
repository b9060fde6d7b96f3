/** Renders reports as text. Pure. Operators read this at night: first the outcome, then the facts, then what to do. */
import { describeAction } from '../domain/target/actions.js';
import type { TrailEntry } from '../domain/once/trail.js';
import { describeDuration } from '../domain/time/duration.js';
import { describeDifferences, differencesBetween, type Difference } from '../domain/report/compensation.js';
import { isLate } from '../domain/plan/usual.js';
import { describeBriefly } from '../domain/plan/usual-words.js';
import type { Outcome, RunReport, StepReport, TargetReport, UsualOfStep } from '../domain/report/report.js';
import { gateLines } from './render-gates.js';
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
  const title = step.action === null ? step.id : describeAction(step.action);
  const job = cloudJobId === null ? '' : `, cloud job ${cloudJobId}`;
  const tookMs = endedAtMs - startedAtMs;
  const usual = step.usual === undefined ? '' : `, ${usualWords(step.usual, tookMs, colors)}`;
  const lines = [
    `  ${colors.result(result)(mark(result))} ${prefix}${title}: ${result} in ${describeDuration(tookMs)}${usual} (${times(startedAtMs, endedAtMs)})${job}`,
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

/** `usually 12s`, or `usually 12s: unusually late`. @param elapsedMs how long the step took, or has taken so far */
export function usualWords(usual: UsualOfStep, elapsedMs: number, colors: Colors): string {
  const words = describeBriefly(usual);
  return isLate(usual, elapsedMs) ? colors.warn(`${words}: unusually late`) : words;
}
