/** The lines of a report about a step besides result, times, readings and failure: who decided about it, and why a cloud job counts as ours. Pure. */
import type { AdoptionEvidence } from '../domain/once/state.js';
import type { CommandRecord, StepReport } from '../domain/report/report.js';
import { describeApprovalReport } from '../domain/steering/approvals.js';
import { describeCommand } from '../domain/steering/commands.js';
import { describeObservation } from '../domain/target/target.js';
import { describeTime } from '../domain/time/utc-time.js';

/** One line each; none for most steps. */
export function stepNotes({ approval, decisions = [], evidence }: StepReport): string[] {
  return [
    ...(approval === undefined ? [] : [describeApprovalReport(approval)]),
    ...decisions.flatMap((decision) => {
      const found = foundText(decision);
      return [decisionText(decision), ...(found === null ? [] : [found])];
    }),
    ...(evidence === undefined ? [] : [adoptionText(evidence)]),
  ];
}

/** Who decided what about a blocked step, and how the step had ended before. */
export function decisionText(decision: CommandRecord): string {
  const { was } = decision;
  if (was === undefined) return describeCommand(decision);
  const why = was.failure === undefined ? '' : ` with ${was.failure.name}: ${was.failure.message}`;
  const isNamed = was.cloudJobId === null || why.includes(was.cloudJobId);
  const job = isNamed ? '' : `, cloud job ${was.cloudJobId}`;
  return `${describeCommand(decision)}; it had ended ${was.result}${why}${job}`;
}

/** What was read before the decision was carried out; `null` if nothing was. */
export function foundText({ found }: CommandRecord): string | null {
  return found === undefined ? null : `found: ${found}`;
}

/** Why a cloud job that was found by reading counts as ours. */
export function adoptionText({ firstTaskAtMs, createdByUs }: AdoptionEvidence): string {
  const user = createdByUs ? 'requested by our own user' : 'its user is not known';
  return `adopted: its first task started at ${describeTime(firstTaskAtMs)}, ${user}`;
}

/** The readings before and after a step; one where nothing was sent. Empty without readings. */
export function readingsText({ before, after, result }: StepReport): string {
  if (after === null) return '';
  if (result === 'skipped') return `already done: ${describeObservation(after)}`;
  return before === null
    ? describeObservation(after)
    : `${describeObservation(before)} → ${describeObservation(after)}`;
}
