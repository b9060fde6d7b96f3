/** What follows from a person's decision about a blocked step: the step's report, the baseline of the next step, and what an undo needs. Pure. */
import type { Baseline, FirstReading } from '../contract.js';
import { failureRecord, type FailureRecord, type Sent } from '../failures.js';
import { isGateFailure } from '../gates/gates.js';
import type { OnceState } from '../once/state.js';
import { trailWithin } from '../once/trail.js';
import type { ActionStep, PlannedStep } from '../plan/plan.js';
import type { DoneStep } from '../report/compensation.js';
import type { CommandRecord, StepReport, StepResult } from '../report/report.js';
import type { StepOutcome } from '../report/step-outcome.js';
import { EARLIER_TRAIL_BYTES } from '../sizes.js';
import { describeObservation, type Observation } from '../target/target.js';
import type { TargetCommandName } from './command-names.js';
import { effectByNow, together, whyItStays } from './seen-effects.js';

/** A step that waits for a decision, with everything that happened to it so far. */
export interface BlockedStep {
  readonly step: ActionStep;
  /** How it ended last, with the report of all its decisions. */
  readonly outcome: StepOutcome & { readonly left: OnceState };
  /** What the newest decision may have sent, and from where. */
  readonly newest: { readonly sent: Sent; readonly before: Observation | null; readonly failedToConverge: boolean };
  /** What the decisions before the newest one are seen to have done, oldest first, for the undo. */
  readonly earlier: readonly DoneStep[];
  /** Why it is not clear what a decision did, while that is not clear. */
  readonly unclear?: FailureRecord;
  /** The workflow run that read the instance last. */
  readonly knownInRunId: string | undefined;
}

/** Does the target wait for a person after this step? @param operatorWaitMs how long it may wait; 0: it never does */
export function isBlocking(step: PlannedStep, outcome: StepOutcome, operatorWaitMs: number): BlockedStep | null {
  const { report, left } = outcome;
  if (operatorWaitMs <= 0 || step.kind !== 'action' || left === undefined) return null;
  // The run waits for a gate that has closed, and starts the target again.
  const isTooLate = report.sent === 'no' && isGateFailure(report.failure?.name);
  const isAsked = report.result === 'failed' && step.onFailure === 'pause' && !isTooLate;
  if (report.result !== 'indeterminate' && !isAsked) return null;
  return {
    step,
    outcome: { ...outcome, left },
    newest: newestOf(outcome),
    earlier: [],
    ...unclearBy(report),
    knownInRunId: outcome.baseline.readInRunId,
  };
}

function unclearBy({ result, failure }: StepReport): Pick<BlockedStep, 'unclear'> {
  return result === 'indeterminate' && failure !== undefined ? { unclear: failure } : {};
}

function newestOf({ report, done }: StepOutcome): BlockedStep['newest'] {
  return { sent: report.sent, before: report.before, failedToConverge: done?.failedToConverge ?? false };
}

/** What an undo needs to know of all decisions about the step, oldest first. */
export function doneOf({
  earlier,
  outcome: { done },
}: Pick<BlockedStep, 'earlier'> & { readonly outcome: Pick<StepOutcome, 'done'> }): readonly DoneStep[] {
  return done === null ? earlier : together(earlier, done);
}

/** A reading at rest, after everything of the earlier decisions would be visible. */
export interface ReadingAtRest {
  readonly observation: Observation;
  readonly readInRunId: FirstReading['readInRunId'];
}

/**
 * What the next decision starts from: the fresh reading, and every cloud job that was known or seen.
 *
 * If the workflow was reset since the reading before, the run from before the reset may have carried a decision out already. Then the baseline
 * stays as it was, and the run that made it decided: what shows since is adopted or makes the step unclear, and no restart is sent twice.
 */
export function baselineOfReading(
  { outcome, knownInRunId }: BlockedStep,
  { observation, readInRunId }: ReadingAtRest,
): Baseline {
  const { baseline, left } = outcome;
  const { lastJobId, knownCloudJobIds } = baseline;
  const seen = [...knownCloudJobIds, lastJobId, left.cloudJob?.id, left.seen?.lastJobId];
  if (readInRunId !== knownInRunId) {
    const newest = left.seen?.lastJobId ?? null;
    return {
      ...baseline,
      lastJobId: isKnown(baseline, newest) ? lastJobId : newest,
      knownCloudJobIds: ids(seen),
    };
  }
  const isStale = isKnown(baseline, observation.lastJobId) && observation.lastJobId !== lastJobId;
  return {
    ...baseline,
    observation,
    // A reading with an older cloud job than an earlier reading is stale.
    lastJobId: isStale ? lastJobId : observation.lastJobId,
    knownCloudJobIds: ids([...seen, observation.lastJobId]),
    readInRunId,
  };
}

function ids(known: readonly (string | null | undefined)[]): string[] {
  return [...new Set(known.filter((id): id is string => typeof id === 'string'))];
}

function isKnown({ lastJobId, knownCloudJobIds }: Baseline, cloudJobId: string | null): boolean {
  return cloudJobId === null || cloudJobId === lastJobId || knownCloudJobIds.includes(cloudJobId);
}

/** For people: `RUNNING 2/2, version 1.4.1; newest cloud job J7, as before`. */
export function describeFound({ outcome: { baseline } }: BlockedStep, observation: Observation): string {
  const { lastJobId } = observation;
  const whose = isKnown(baseline, lastJobId) ? 'as before' : 'not proved to be of this run, and may hide one that is';
  return `${describeObservation(observation)}; newest cloud job ${lastJobId ?? 'none'}, ${whose}`;
}

/** The decision as the report keeps it. */
export function recordOf(decision: CommandRecord, { outcome: { report } }: BlockedStep, found: string): CommandRecord {
  const { result, sent, cloudJobId, endedAtMs, failure } = report;
  return {
    ...decision,
    found,
    was: { result, sent, cloudJobId, endedAtMs, ...(failure === undefined ? {} : { failure }) },
  };
}

/** The record of a retry also keeps what the attempts before it decided: the step's own trail is that of the newest decision. */
export function recordOfRetry(decision: CommandRecord, blocked: BlockedStep, found: string): CommandRecord {
  const record = recordOf(decision, blocked, found);
  const trail = trailWithin(blocked.outcome.report.trail, EARLIER_TRAIL_BYTES);
  return record.was === undefined || trail.length === 0 ? record : { ...record, was: { ...record.was, trail } };
}

const DECIDED: Readonly<Record<Exclude<TargetCommandName, 'retryStep'>, StepResult>> = {
  skipStep: 'skipped',
  markSucceeded: 'succeeded',
};

/** The step once a person has decided that it counts as skipped or as succeeded. Nothing is sent. */
export function decidedStep(
  blocked: BlockedStep,
  command: Exclude<TargetCommandName, 'retryStep'>,
  reading: ReadingAtRest,
  decisions: readonly CommandRecord[],
): BlockedStep {
  const { outcome } = blocked;
  const { failure: _decided, ...report } = outcome.report;
  const { observation } = reading;
  return {
    ...blocked,
    knownInRunId: reading.readInRunId,
    earlier: effectsSoFar(blocked, observation, command === 'markSucceeded'),
    outcome: {
      ...outcome,
      done: null,
      report: {
        ...report,
        result: DECIDED[command],
        after: observation,
        endedAtMs: Math.max(report.endedAtMs, observation.observedAtMs),
        decisions,
      },
      baseline: baselineOfReading(blocked, reading),
    },
  };
}

/**
 * Does the retry leave the step as it was? It sent nothing, and was cancelled; or it failed while it is not clear what an earlier decision did,
 * which nothing has answered.
 */
export function leavesOpen({ outcome }: BlockedStep, { report }: StepOutcome): boolean {
  if (report.sent !== 'no') return false;
  return report.result === 'cancelled' || (report.result === 'failed' && outcome.report.result === 'indeterminate');
}

/**
 * The step after a retry: one step in the report, with everything that its decisions sent.
 *
 * @param isOpen `leavesOpen`; `false` for a failure in runs from before that was known
 */
export function retriedStep(
  blocked: BlockedStep,
  reading: ReadingAtRest,
  retry: StepOutcome & { readonly left: OnceState },
  decisions: readonly CommandRecord[],
  isOpen = leavesOpen(blocked, retry),
): BlockedStep {
  const { report: first } = blocked.outcome;
  const step = {
    ...blocked,
    knownInRunId: reading.readInRunId,
    earlier: effectsSoFar(blocked, reading.observation, false),
    newest: newestOf(retry),
  };
  const after = retry.report.after ?? reading.observation;
  const both = { after, attempts: first.attempts + retry.report.attempts, decisions };
  if (isOpen) return { ...step, outcome: stillOpen(blocked, retry, both) };
  const { unclear: _answered, ...answered } = step;
  return {
    ...answered,
    ...unclearBy(retry.report),
    outcome: {
      ...retry,
      report: {
        ...retry.report,
        ...both,
        sent: most(first.sent, retry.report.sent),
        cloudJobId: retry.report.cloudJobId ?? first.cloudJobId,
        startedAtMs: first.startedAtMs,
        before: first.before,
      },
    },
  };
}

/** The step ends as it had before the retry. What the retry's attempts decided, and what they read, is the newest. */
function stillOpen(
  { outcome: { report: first, left }, unclear }: BlockedStep,
  retry: StepOutcome & { readonly left: OnceState },
  both: Pick<StepReport, 'after' | 'attempts' | 'decisions'>,
): BlockedStep['outcome'] {
  const { endedAtMs, trail, failure } = retry.report;
  const isFailed = retry.report.result === 'failed' && failure !== undefined && unclear !== undefined;
  const message = `${unclear?.message}. The retry sent nothing: ${failure?.name}: ${failure?.message}`;
  return {
    ...retry,
    left: { ...left, seen: retry.left.seen ?? left.seen },
    report: {
      ...first,
      ...both,
      endedAtMs,
      trail,
      ...(isFailed ? { failure: failureRecord(unclear.name, message) } : {}),
    },
  };
}

/** No one decided, but a reset may have cut off a decision. @param cutOff what that one is settled to have done. What is known of those before stays known */
export function undecidedStep(blocked: BlockedStep, cutOff: StepOutcome): BlockedStep {
  const { outcome, earlier } = blocked;
  const { report } = outcome;
  const { sent, after, cloudJobId, result, failure } = cutOff.report;
  const verdict = result === 'indeterminate' ? { result, ...(failure === undefined ? {} : { failure }) } : {};
  return {
    ...blocked,
    earlier: outcome.done === null ? earlier : [...earlier, outcome.done],
    outcome: {
      ...outcome,
      done: cutOff.done,
      baseline: cutOff.baseline,
      report: {
        ...report,
        sent: most(report.sent, sent),
        after: after ?? report.after,
        cloudJobId: cloudJobId ?? report.cloudJobId,
        ...verdict,
      },
    },
  };
}

/**
 * What the earlier decisions are seen to have done by now. An effect under a cloud job that is not proved to be ours is not undone, unless a
 * person has decided that the step succeeded.
 */
function effectsSoFar(
  { step, outcome, newest, earlier }: BlockedStep,
  after: Observation,
  isOurs: boolean,
): readonly DoneStep[] {
  const { sent, before, failedToConverge } = newest;
  if (sent === 'no' || before === null) return effectByNow(earlier, outcome.report.cloudJobId, after, isOurs);
  const effect: DoneStep = { step, sent, before, after, failedToConverge };
  if (isOurs || isKnown(outcome.baseline, after.lastJobId)) return together(earlier, effect);
  return [...earlier, { ...effect, stays: whyItStays(after) }];
}

const SENT: readonly Sent[] = ['no', 'unknown', 'yes'];

function most(left: Sent, right: Sent): Sent {
  return SENT.indexOf(left) > SENT.indexOf(right) ? left : right;
}
