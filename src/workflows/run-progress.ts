/** What a run shows while it is under way: the progress query and the current details in the Temporal UI. */
import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { WaitingForGate } from '../domain/gates/gates.js';
import type { Plan, TargetPlan } from '../domain/plan/plan.js';
import { usualOfRun } from '../domain/plan/usual.js';
import { runProgressMarkdown } from '../domain/report/progress-markdown.js';
import type { Outcome } from '../domain/report/report.js';
import type {
  AbortProgress,
  ApprovalProgress,
  BlockedProgress,
  PauseProgress,
  RunProgress,
  TargetInRun,
} from '../domain/report/progress.js';
import { leaseId } from '../domain/target/target.js';

/** Shows each change at once; decides nothing. */
export class RunProgressView {
  #progress: RunProgress;

  constructor() {
    const { workflowType, startTime } = workflowInfo();
    this.#progress = {
      runbook: workflowType,
      phase: 'planning',
      planHash: null,
      startedAtMs: startTime.getTime(),
      targets: [],
      outcome: null,
    };
  }

  /** The answer to the progress query. */
  get current(): RunProgress {
    return this.#progress;
  }

  /** The plan was accepted. */
  planned(plan: Plan): void {
    const targets = plan.targets.map(({ target }): TargetInRun => ({
      path: target.path,
      leaseId: leaseId(target),
      childRunId: null,
      outcome: null,
    }));
    const usual = usualOfRun(plan.targets, plan.emergency === true);
    const { requestedBy, reason, resumes } = plan;
    this.#change({
      phase: 'running',
      planHash: plan.hash,
      targets,
      ...(requestedBy === null ? {} : { requestedBy }),
      ...(reason === null ? {} : { reason }),
      ...(resumes === undefined ? {} : { resumes: resumes.workflowId }),
      ...(usual === null ? {} : { usual }),
    });
  }

  /** `null`: it no longer waits. */
  waitsFor(waiting: WaitingForGate | null): void {
    if (waiting === null) this.#change({ phase: 'running' });
    else this.#change({ phase: 'waiting', waiting });
  }

  updateTarget({ target }: TargetPlan, change: Partial<TargetInRun>): void {
    this.#change({ targets: this.#targetsWith(target.path, (entry) => ({ ...entry, ...change })) });
  }

  /** `null`: it is neither pausing nor paused. */
  paused(pause: PauseProgress | null): void {
    if (pause === null && this.#progress.pause === undefined) return;
    const { pause: _over, ...progress } = this.#progress;
    this.#progress = progress;
    this.#change({ ...this.#waiting(), ...(pause === null ? {} : { pause }) });
  }

  aborted(abort: AbortProgress): void {
    const { pause: _over, ...progress } = this.#progress;
    this.#progress = progress;
    this.#change({ ...this.#waiting(), abort });
  }

  /** `null`: the run no longer waits for its approval. */
  approval(approval: ApprovalProgress | null): void {
    const { approval: _over, ...progress } = this.#progress;
    this.#progress = progress;
    this.#change(approval === null ? { phase: 'running' } : { phase: 'waiting', approval });
  }

  /** `null`: no step of the target waits for an approval. */
  targetAsks(path: string, approval: ApprovalProgress | null): void {
    const targets = this.#targetsWith(path, ({ approval: _over, ...target }) =>
      approval === null ? target : { ...target, approval },
    );
    this.#change({ ...this.#waiting(), targets });
  }

  /** `null`: the target does not wait for a person. */
  targetBlocked(path: string, blocked: BlockedProgress | null): void {
    const targets = this.#targetsWith(path, ({ blocked: _over, ...target }) =>
      blocked === null ? target : { ...target, blocked },
    );
    this.#change({ ...this.#waiting(), targets });
  }

  #targetsWith(path: string, change: (target: TargetInRun) => TargetInRun): readonly TargetInRun[] {
    return this.#progress.targets.map((target) => (target.path === path ? change(target) : target));
  }

  #waiting(): Pick<RunProgress, 'waiting'> {
    const { waiting } = this.#progress;
    return waiting === undefined ? {} : { waiting };
  }

  finished(outcome: Outcome): void {
    this.#change({ phase: 'finished', outcome });
  }

  /** Whatever changes, a wait for the gate is over, unless the change is a new one. */
  #change(change: Partial<RunProgress>): void {
    const { waiting: _over, ...progress } = this.#progress;
    this.#progress = { ...progress, ...change };
    setCurrentDetails(runProgressMarkdown(this.#progress));
  }
}
