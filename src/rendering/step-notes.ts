/** The lines of a report about a step besides result, times, readings and failure: who decided about it, and why a cloud job counts as ours. Pure. */
import type { Sent } from '../domain/failures.js';
import type { AdoptionEvidence } from '../domain/once/state.js';
import type { Decision, TrailEntry } from '../domain/once/trail.js';
import type { CommandRecord, StepReport } from '../domain/report/report.js';
import { describeApprovalReport } from '../domain/steering/approvals.js';
import { describeCommand } from '../domain/steering/commands.js';
import { ruleOf } from '../domain/target/actions.js';
import { describeObservation } from '../domain/target/target.js';
import { describeTime } from '../domain/time/utc-time.js';

/** One line each; none for most steps. */
export function stepNotes(step: StepReport): string[] {
  const { approval, decisions = [], evidence } = step;
  const twice = twiceWarning(step);
  return [
    ...(approval === undefined ? [] : [describeApprovalReport(approval)]),
    ...decisions.flatMap((decision) => {
      const found = foundText(decision);
      return [decisionText(decision), ...(found === null ? [] : [found])];
    }),
    ...(twice === null ? [] : [twice]),
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
  const end = `${was.result} at ${describeTime(was.endedAtMs)} (${SENT_BEFORE[was.sent]})`;
  return `${describeCommand(decision)}; it had ended ${end}${why}${job}`;
}

const SENT_BEFORE: Readonly<Record<Sent, string>> = {
  yes: 'it had been sent',
  no: 'nothing had been sent',
  unknown: 'not known whether ServiceStage had acted',
};

/** Decisions of attempts about a send. The newest one shows whether something may have been sent. */
const ABOUT_A_SEND: readonly Decision[] = ['sent', 'accepted', 'unanswered', 'notSent', 'refused'];
const MAY_HAVE_SENT: readonly Decision[] = ['sent', 'accepted', 'unanswered'];

/** A warning if a retry sent an action whose earlier send was not answered, and which acts each time it is sent; else `null`. */
export function twiceWarning(step: StepReport): string | null {
  const { action, decisions = [] } = step;
  if (action === null || ruleOf(action).kind !== 'edge') return null;
  const retry = decisions.findIndex(({ command, was }) => command === 'retryStep' && was?.sent === 'unknown');
  if (retry === -1) return null;
  const isSentBefore = decisions
    .slice(retry + 1)
    .some(({ was }) => was?.sent === 'yes' || mayHaveSent(was?.trail ?? []));
  const isSentAgain = isSentBefore || isSentByNewest(step);
  return isSentAgain ? 'may have been carried out twice: the first send was not answered' : null;
}

/** A shortened report has no trail. */
function isSentByNewest({ trail, sent, evidence }: StepReport): boolean {
  return trail.length === 0 ? sent === 'yes' && evidence === undefined : mayHaveSent(trail);
}

function mayHaveSent(trail: readonly TrailEntry[]): boolean {
  const last = trail.findLast(({ decision }) => ABOUT_A_SEND.includes(decision));
  return MAY_HAVE_SENT.some((each) => each === last?.decision);
}

/** A person decided that the step counts as skipped or succeeded, and nothing verified it: that decision, or `null`. */
export function decisiveOf({ decisions = [] }: Pick<StepReport, 'decisions'>): CommandRecord | null {
  const last = decisions.at(-1);
  return last?.command === 'skipStep' || last?.command === 'markSucceeded' ? last : null;
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
