/** The steps of one target, one after another, until all have ended or one of them ends the target. */
import { CancellationScope, patched } from '@temporalio/workflow';
import type { Baseline, TargetRunArguments } from '../domain/contract.js';
import type { Ending } from '../domain/once/state.js';
import type { ApprovalStep, PlannedStep } from '../domain/plan/plan.js';
import type { DoneStep } from '../domain/report/compensation.js';
import type { StepReport } from '../domain/report/report.js';
import type { StepOutcome } from '../domain/report/step-outcome.js';
import { afterStep, heldBackBy, type StepsResult } from '../domain/report/steps-result.js';
import { endedApproval, endedStep } from '../domain/run/observed.js';
import { doneOf, isBlocking } from '../domain/steering/decisions.js';
import { isDecidedBeforeReset, wasDecidedBeforeReset } from './after-reset.js';
import { resolve } from './blocked-step.js';
import { watchForLate } from './late-step.js';
import { observer } from './observer.js';
import { performStep, settleAfterReset } from './perform-step.js';
import type { TargetApprovals } from './target-approval.js';
import type { TargetProgressView } from './target-progress.js';
import type { TargetSteering } from './target-steering.js';

/** What the target shows people, and what they decide about it. */
export interface People {
  readonly progress: TargetProgressView;
  readonly steering: TargetSteering;
  readonly approvals: TargetApprovals;
}

/** How a step ended, and what an undo needs to know of it. */
interface StepEnd {
  readonly outcome: StepOutcome;
  readonly done: readonly DoneStep[];
}

/** @param captured what the first step starts from */
export function executeSteps(request: TargetRunArguments, captured: Baseline, people: People): Promise<StepsResult> {
  return new StepsOfTarget(request, captured, people).execute();
}

class StepsOfTarget {
  readonly #scope = CancellationScope.current();
  readonly #steps: StepReport[] = [];
  readonly #done: DoneStep[] = [];
  #baseline: Baseline;
  #undoAsked = false;
  /** After a reset, a failed check or a missing approval holds back what is new, but what the run before may have sent is settled. */
  #heldBack: Ending | null = null;
  /** Epoch milliseconds, from the history. */
  #nowMs: number;

  constructor(
    private readonly request: TargetRunArguments,
    captured: Baseline,
    private readonly people: People,
  ) {
    this.#baseline = captured;
    this.#nowMs = captured.observation.observedAtMs;
  }

  async execute(): Promise<StepsResult> {
    for (const step of this.request.targetPlan.steps) {
      const edgeMs = Math.max(this.#nowMs, this.#steps.at(-1)?.endedAtMs ?? this.#nowMs);
      this.#nowMs = await this.people.steering.atEdge(edgeMs);
      const end = await this.#carryOut(step);
      const next = end === null ? 'stop' : this.#record(step, end);
      if (next === 'nextStep') continue;
      if (!(await this.#isPassed(step))) break;
      if (end !== null) this.#heldBack ??= heldBackBy(step, end.outcome.report);
    }
    return { steps: this.#steps, done: this.#done, baseline: this.#baseline, undoAsked: this.#undoAsked };
  }

  /** @returns `null` if the step is not begun, and no run before a reset has begun it */
  #carryOut(step: PlannedStep): Promise<StepEnd | null> {
    if (this.#scope.consideredCancelled) return this.#settle(step);
    if (this.#heldBack !== null) return this.#settle(step, this.#heldBack);
    this.people.progress.stepBegins(step.id);
    return step.kind === 'approval' ? this.#awaitApproval(step) : this.#perform(step);
  }

  /** A step that is no longer begun. @param ending how it then counts */
  async #settle(step: PlannedStep, ending?: Ending): Promise<StepEnd | null> {
    const outcome = await settleAfterReset(step, this.#baseline, this.request, ending);
    return outcome === null ? null : endOf(outcome);
  }

  async #awaitApproval(step: ApprovalStep): Promise<StepEnd> {
    const { approvals, steering } = this.people;
    const outcome = await approvals.untilApproved(step, this.#baseline, this.#nowMs);
    // What a rejection undoes is sent once the run is not paused. Runs from before this patch undo it during the pause.
    if (outcome.report.result === 'failed' && steering.isPaused && patched('undo-after-the-pause'))
      this.#nowMs = await steering.atEdge(outcome.report.endedAtMs);
    return endOf(outcome);
  }

  async #perform(step: Exclude<PlannedStep, ApprovalStep>): Promise<StepEnd> {
    const { request } = this;
    const { steering, progress } = this.people;
    const closing = this.#hasSent() ? undefined : request.closing;
    const times = { nowMs: this.#nowMs, closing };
    const hasEnded = watchForLate(step, request, steering);
    const outcome = await performStep(step, this.#baseline, withHeldTime(request, steering), times);
    hasEnded();
    const isCancelled = this.#scope.consideredCancelled;
    const blocked = isCancelled ? null : isBlocking(step, outcome, request.operatorWaitMs ?? 0);
    if (blocked === null) return endOf(outcome);
    const resolved = await resolve(blocked, { request, steering, progress, closing });
    return { outcome: resolved.outcome, done: doneOf(resolved) };
  }

  /** @returns what comes next, by the step itself */
  #record(step: PlannedStep, { outcome, done }: StepEnd): ReturnType<typeof afterStep> {
    const { report, baseline } = outcome;
    this.#baseline = baseline;
    this.#steps.push(report);
    this.#done.push(...done);
    this.people.progress.stepEnds(report);
    observer.stepEnded(endedStep(step, report));
    if (report.approval !== undefined) observer.approvalEnded(endedApproval(report.approval));
    const next = afterStep(step, report);
    if (next === 'undo' && this.#heldBack === null) this.#undoAsked = true;
    return next;
  }

  /** The run before a reset may have been past this wait, check or approval, in a step that is not clear yet. */
  async #isPassed({ kind }: PlannedStep): Promise<boolean> {
    return kind !== 'action' && (await wasDecidedBeforeReset(this.#baseline));
  }

  /** An action may have been sent on the target, so its gate no longer counts. What was sent before a reset is in no step of this run. */
  #hasSent(): boolean {
    if (this.#baseline.readAfterReset === true || isDecidedBeforeReset(this.#baseline)) return true;
    return this.#steps.some(({ sent }) => sent !== 'no');
  }
}

function endOf(outcome: StepOutcome): StepEnd {
  return { outcome, done: outcome.done === null ? [] : [outcome.done] };
}

/** Time for which the target waited for people counts against no deadline. */
function withHeldTime(request: TargetRunArguments, { heldMs }: TargetSteering): TargetRunArguments {
  return heldMs === 0 ? request : { ...request, deadlineAtMs: request.deadlineAtMs + heldMs };
}
