/** A step that waits for a person: waits, reads before each decision, and carries the decision out. */
import { CancellationScope, patched } from '@temporalio/workflow';
import type { TargetRunArguments } from '../domain/contract.js';
import type { Closing } from '../domain/gates/gates.js';
import { LONGEST_SHOWN } from '../domain/sizes.js';
import type { CommandRecord } from '../domain/report/report.js';
import type { StepOutcome } from '../domain/report/step-outcome.js';
import type { TargetCommandName } from '../domain/steering/command-names.js';
import {
  baselineOfReading,
  decidedStep,
  describeFound,
  isBlocking,
  leavesOpen,
  recordOf,
  recordOfRetry,
  retriedStep,
  undecidedStep,
  type BlockedStep,
  type ReadingAtRest,
} from '../domain/steering/decisions.js';
import { shortened } from '../domain/text/json-bytes.js';
import { performActionStep, settleAfterReset } from './perform-step.js';
import { readAgain } from './read-again.js';
import type { TargetProgressView } from './target-progress.js';
import type { TargetSteering } from './target-steering.js';

/** What the decision about a blocked step needs. */
export interface Blockade {
  readonly request: TargetRunArguments;
  readonly steering: TargetSteering;
  readonly progress: TargetProgressView;
  /** When the target's gate closes; absent once an action may have been sent on it. */
  readonly closing: Closing | undefined;
}

/** @returns the step once it no longer waits: a person has decided, no one has in time, or the run was cancelled */
export async function resolve(first: BlockedStep, blockade: Blockade): Promise<BlockedStep> {
  const { steering, request, progress } = blockade;
  const waitMs = request.operatorWaitMs ?? 0;
  const decisions: CommandRecord[] = [];
  let blocked = first;
  let nowMs = first.outcome.report.endedAtMs;
  let untilMs = nowMs + waitMs;
  let note = '';
  for (;;) {
    const { step } = blocked;
    progress.stepEnds(blocked.outcome.report);
    const why = shortened(`${note}${whyOf(blocked)}`, LONGEST_SHOWN.failure);
    const answer = await steering.decision(
      { step: step.id, why, untilMs, result: blocked.outcome.report.result },
      nowMs,
    );
    const { decision } = answer;
    if (decision === null || CancellationScope.current().consideredCancelled)
      return withoutDecision(blocked, request, decisions, decision);
    progress.stepBegins(step.id);
    const again = await readAgain(blocked, request);
    if (again.kind !== 'read') {
      const found = again.kind === 'cancelled' ? 'not read: the run was cancelled' : `not read: ${again.why}`;
      decisions.push(recordOf(decision, blocked, found));
      blocked = {
        ...blocked,
        outcome: { ...blocked.outcome, report: { ...blocked.outcome.report, decisions: [...decisions] } },
      };
      steering.decided();
      if (again.kind === 'cancelled') return withoutDecision(blocked, request, decisions, null);
      nowMs = Math.max(answer.nowMs, Date.now());
      untilMs = answer.untilMs;
      note = `${decision.command} of ${decision.actor} was not carried out, because the instance could not be read: ${again.why}. `;
      continue;
    }
    const { reading } = again;
    steering.held(reading.observation.observedAtMs - answer.nowMs);
    const command = decision.command as TargetCommandName;
    const record = command === 'retryStep' ? recordOfRetry : recordOf;
    decisions.push(record(decision, blocked, describeFound(blocked, reading.observation)));
    blocked =
      command === 'retryStep'
        ? await retry(blocked, reading, decisions, blockade)
        : decidedStep(blocked, command, reading, [...decisions]);
    steering.decided();
    if (command !== 'retryStep' || isBlocking(step, blocked.outcome, waitMs) === null) return blocked;
    if (CancellationScope.current().consideredCancelled) return blocked;
    nowMs = blocked.outcome.report.endedAtMs;
    untilMs = nowMs + waitMs;
    note = '';
  }
}

/** A new decision, with a baseline of its own. */
async function retry(
  blocked: BlockedStep,
  reading: ReadingAtRest,
  decisions: readonly CommandRecord[],
  { request, steering, closing }: Blockade,
): Promise<BlockedStep> {
  const { step, outcome } = blocked;
  const nowMs = reading.observation.observedAtMs;
  const deadlineAtMs = Math.min(Math.max(nowMs, Date.now()) + step.deadlineMs, request.deadlineAtMs + steering.heldMs);
  const baseline = baselineOfReading(blocked, reading);
  const times = { nowMs, deadlineAtMs, closing: outcome.report.sent === 'no' ? closing : undefined };
  const { left, ...retried } = await performActionStep(step, baseline, request, times);
  if (left === undefined) throw new TypeError('A step with an action leaves a state');
  const retry = { ...retried, left };
  return retriedStep(blocked, reading, retry, [...decisions], isStillOpen(blocked, retry));
}

/** Runs from before ended as failed where a retry failed before it sent anything. */
function isStillOpen(blocked: BlockedStep, retry: StepOutcome): boolean {
  if (!leavesOpen(blocked, retry)) return false;
  return retry.report.result !== 'failed' || patched('failed-retry-leaves-open');
}

/**
 * No one decided, so the step stays as it ended. After a reset the execution before it may have carried a decision out; what that did is
 * settled first.
 */
async function withoutDecision(
  blocked: BlockedStep,
  request: TargetRunArguments,
  decisions: readonly CommandRecord[],
  ignored: CommandRecord | null,
): Promise<BlockedStep> {
  const { step, outcome } = blocked;
  const all =
    ignored === null ? decisions : [...decisions, recordOf(ignored, blocked, 'not read: the run was cancelled')];
  const report = all.length === 0 ? outcome.report : { ...outcome.report, decisions: all };
  const unclear = report.result === 'indeterminate' ? null : await settleAfterReset(step, outcome.baseline, request);
  const undecided = { ...blocked, outcome: { ...outcome, report } };
  return unclear === null || unclear.report.sent === 'no' ? undecided : undecidedStep(undecided, unclear);
}

function whyOf({ outcome: { report } }: BlockedStep): string {
  const { failure, result } = report;
  return failure === undefined ? `the step ended ${result}` : `${failure.name}: ${failure.message}`;
}
