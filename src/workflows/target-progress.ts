/** What `targetRun` shows while it is under way: the progress query and the current details in the Temporal UI. */
import { setCurrentDetails } from '@temporalio/workflow';
import { describeCheck } from '../domain/checks/check.js';
import { describeAction, type Action } from '../domain/target/actions.js';
import { shortened } from '../domain/text/json-bytes.js';
import type { PlannedStep, TargetPlan } from '../domain/plan/plan.js';
import { usualOfStep } from '../domain/plan/usual.js';
import { targetProgressMarkdown } from '../domain/report/progress-markdown.js';
import type { StepReport } from '../domain/report/report.js';
import type { ApprovalProgress, BlockedProgress, StepProgress, TargetProgress } from '../domain/report/progress.js';
import { LONGEST_SHOWN } from '../domain/sizes.js';
import { describeObservation, type Observation } from '../domain/target/target.js';

type Phase = TargetProgress['phase'];

/** Shows each change at once; decides nothing. */
export class TargetProgressView {
  #progress: TargetProgress;

  constructor(readonly targetPlan: TargetPlan) {
    this.#progress = {
      path: targetPlan.target.path,
      phase: 'observing',
      seen: null,
      steps: targetPlan.steps.map((step) => this.#pending(step)),
      compensations: [],
      outcome: null,
    };
    this.#change({});
  }

  /** The answer to the progress query. */
  get current(): TargetProgress {
    return this.#progress;
  }

  enter(phase: Phase): void {
    this.#change({ phase });
  }

  saw(observation: Observation): void {
    this.#change({ seen: shownObservation(observation) });
  }

  stepBegins(id: string): void {
    const steps = this.#progress.steps.map((step) =>
      step.id === id ? { ...step, ...BEGUN, startedAtMs: Date.now() } : step,
    );
    this.#change({ phase: 'running', steps });
  }

  stepEnds(report: StepReport): void {
    this.#change({ steps: this.#progress.steps.map((step) => (step.id === report.id ? ended(step, report) : step)) });
    if (report.after !== null) this.saw(report.after);
  }

  undoBegins(id: string, action: Action): void {
    const title = shortened(`undo: ${describeAction(action)}`, LONGEST_SHOWN.title);
    const undo = { ...this.#progressOf({ id, action }, title, 'running'), startedAtMs: Date.now() };
    this.#change({ phase: 'compensating', compensations: [...this.#progress.compensations, undo] });
  }

  undoEnds(report: StepReport): void {
    this.#change({
      compensations: this.#progress.compensations.map((undo) => (undo.id === report.id ? ended(undo, report) : undo)),
    });
    if (report.after !== null) this.saw(report.after);
  }

  /** `null`: it no longer waits for a person. */
  blocked(blocked: BlockedProgress | null): void {
    const { blocked: _over, ...progress } = this.#progress;
    this.#progress = progress;
    this.#change(blocked === null ? {} : { blocked });
  }

  /** `null`: no step of it waits for an approval. */
  asks(approval: ApprovalProgress | null): void {
    const { approval: _over, ...progress } = this.#progress;
    this.#progress = progress;
    this.#change(approval === null ? {} : { approval });
  }

  paused(isPaused: boolean): void {
    if (isPaused === (this.#progress.paused === true)) return;
    const { paused: _over, ...progress } = this.#progress;
    this.#progress = progress;
    this.#change(isPaused ? { paused: true } : {});
  }

  finished(outcome: TargetProgress['outcome']): void {
    this.#change({ phase: 'finished', outcome });
  }

  #pending(step: PlannedStep): StepProgress {
    const action = step.kind === 'action' ? step.action : null;
    return this.#progressOf({ id: step.id, action }, titleOf(step), 'pending');
  }

  #progressOf(
    step: { readonly id: string; readonly action: Action | null },
    title: string,
    state: StepProgress['state'],
  ): StepProgress {
    const usual = usualOfStep(this.targetPlan, step);
    const shown = { id: step.id, title, state, startedAtMs: null, endedAtMs: null, cloudJobId: null, seen: null };
    return { ...shown, failure: null, ...(usual === undefined ? {} : { usual }) };
  }

  #change(change: Partial<TargetProgress>): void {
    this.#progress = { ...this.#progress, ...change };
    setCurrentDetails(targetProgressMarkdown(this.#progress));
  }
}

/** A step that is carried out once more shows nothing of its first end. */
const BEGUN = { state: 'running', endedAtMs: null, cloudJobId: null, failure: null } as const;

function titleOf(step: PlannedStep): string {
  return shortened(describeStep(step), LONGEST_SHOWN.title);
}

function describeStep(step: PlannedStep): string {
  switch (step.kind) {
    case 'wait':
      return `wait ${step.durationMs / 1000}s`;
    case 'check':
      return `check: ${describeCheck(step.check)}`;
    case 'approval':
      return `approval: ${step.title}`;
    case 'action':
      return describeAction(step.action);
  }
}

function shownObservation(observation: Observation): string {
  return shortened(describeObservation(observation), LONGEST_SHOWN.seen);
}

function ended(
  step: StepProgress,
  { result, startedAtMs, endedAtMs, cloudJobId, after, failure }: StepReport,
): StepProgress {
  const seen = after === null ? null : shownObservation(after);
  return {
    ...step,
    state: result,
    startedAtMs,
    endedAtMs,
    cloudJobId,
    seen,
    failure: failure === undefined ? null : shortened(`${failure.name}: ${failure.message}`, LONGEST_SHOWN.failure),
  };
}
