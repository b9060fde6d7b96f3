/**
 * The outcome table (protocol, section 8) implemented a second time: which outcomes a report may have. Shares no code with
 * `domain/report/outcome.ts`.
 */
import type { Outcome, StepReport, TargetReport } from '../../src/domain/report/report.js';

/** Failures by which a first check, or ServiceStage itself, refuses before anything is done. */
const REFUSALS = [
  'TargetBusy',
  'TargetChanged',
  'TargetNotFound',
  'NotAllowed',
  'InvalidStep',
  'ApprovalRejected',
  'ApprovalExpired',
];

/** Usually one. Two if the table leaves it open: effects that cancelled each other out without an undo may count as reversed. */
export function allowedOutcomes(report: TargetReport, cancelRequested: boolean): readonly Outcome[] {
  const { steps, compensations, remaining, failure } = report;
  const acts = [...steps, ...compensations];
  if (acts.some(({ result }) => result === 'indeterminate')) return ['indeterminate'];
  if (compensations.some(({ result }) => result !== 'succeeded' && result !== 'skipped')) return ['compensationFailed'];
  if (cancelRequested) return ['cancelled'];
  const firstFailed = steps.find(({ result }) => result === 'failed');
  if (firstFailed === undefined && failure === undefined) return ['succeeded'];
  const nothingSent = acts.every(({ sent }) => sent === 'no');
  if (nothingSent) return [wasRefused(steps, firstFailed) ? 'refused' : 'failed'];
  if (remaining.length > 0) return ['failed'];
  return compensations.length > 0 ? ['compensated'] : ['failed', 'compensated'];
}

function wasRefused(steps: readonly StepReport[], firstFailed: StepReport | undefined): boolean {
  const name = firstFailed?.failure?.name ?? '';
  // A check refuses only before the first action; after one it judges what that did.
  const isFirstCheck = name === 'CheckFailed' && steps.every(({ action }) => action === null);
  return steps.length === 0 || isFirstCheck || REFUSALS.includes(name);
}

/** Worst first. */
const SEVERITY: readonly Outcome[] = [
  'indeterminate',
  'compensationFailed',
  'cancelled',
  'failed',
  'compensated',
  'refused',
];

/** The outcome of a whole run is the worst of its targets; at least cancelled if that was requested, refused if nothing was begun. */
export function runOutcomeOf(targets: readonly TargetReport[], refused: boolean, cancelRequested: boolean): Outcome {
  const all = targets.map(({ outcome }) => outcome);
  if (cancelRequested) all.push('cancelled');
  else if (refused) all.push('refused');
  return SEVERITY.find((outcome) => all.includes(outcome)) ?? 'succeeded';
}
