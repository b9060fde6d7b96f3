/** What a run shows while it is under way, and the report it ends with. */
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { TARGET_SEARCH_ATTRIBUTE } from '../domain/contract.js';
import type { FailureRecord } from '../domain/failures.js';
import { describeWaiting, type WaitingForGate } from '../domain/gates/gates.js';
import { listedTargets } from '../domain/run/listed-targets.js';
import { markdownCell, markdownText } from '../domain/text/markdown.js';
import type { Plan, TargetPlan } from '../domain/plan/plan.js';
import {
  worstOutcome,
  type GateReport,
  type Outcome,
  type RunProgress,
  type RunReport,
  type TargetInRun,
  type TargetReport,
} from '../domain/report/report.js';
import { DETAILS_BYTES } from '../domain/sizes.js';
import { leaseId } from '../domain/target/target.js';
import { linesThatFit } from '../domain/text/text.js';

const targetKey = defineSearchAttributeKey(TARGET_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD_LIST);

/** Why a run ended before its targets did: it could not be planned, or a gate stayed closed. */
export interface EndedEarly {
  readonly outcome: Extract<Outcome, 'refused' | 'expired'>;
  readonly failure: FailureRecord;
}

export class RunState {
  #progress: RunProgress;
  readonly #startedAtMs = workflowInfo().startTime.getTime();
  #targetsBegun = 0;
  #withdrawAskedBy: string | null = null;
  #withdrawnBy: string | null = null;

  constructor() {
    const { workflowType } = workflowInfo();
    this.#progress = {
      runbook: workflowType,
      phase: 'planning',
      planHash: null,
      startedAtMs: this.#startedAtMs,
      targets: [],
      outcome: null,
    };
  }

  get progress(): RunProgress {
    return this.#progress;
  }

  begin(plan: Plan): void {
    const targets = plan.targets.map(({ target }): TargetInRun => ({
      path: target.path,
      leaseId: leaseId(target),
      childRunId: null,
      outcome: null,
    }));
    this.#progress = { ...this.#progress, phase: 'running', planHash: plan.hash, targets };
    upsertSearchAttributes([{ key: targetKey, value: listedTargets(targets.map(({ path }) => path)) }]);
    this.#show();
  }

  /** From here on nothing is withdrawn: what has begun is finished. */
  beginTarget(): void {
    this.#targetsBegun++;
  }

  /** Its gate closed before anything was sent: it is begun anew, or not at all. @returns whether a withdrawal that came too late is in time now */
  leaveTarget(targetPlan: TargetPlan): boolean {
    this.#targetsBegun--;
    this.update(targetPlan, { childRunId: null });
    return this.#withdrawAskedBy !== null && this.withdraw(this.#withdrawAskedBy);
  }

  /** @returns whether it is in time */
  withdraw(by: string): boolean {
    this.#withdrawAskedBy = by.slice(0, 200);
    if (this.#targetsBegun > 0) return false;
    this.#withdrawnBy = this.#withdrawAskedBy;
    return true;
  }

  update({ target }: TargetPlan, change: Partial<TargetInRun>): void {
    const targets = this.#progress.targets.map((entry) =>
      entry.path === target.path ? { ...entry, ...change } : entry,
    );
    this.#progress = { ...this.#progress, targets };
    this.#show();
  }

  /** `null`: it goes on. */
  waitFor(waiting: WaitingForGate | null): void {
    const { waiting: _before, ...progress } = this.#progress;
    this.#progress = waiting === null ? { ...progress, phase: 'running' } : { ...progress, phase: 'waiting', waiting };
    this.#show();
  }

  #show(): void {
    const { waiting } = this.#progress;
    const rows = this.#progress.targets.map(
      ({ path, outcome, childRunId }) =>
        `| ${markdownCell(path)} | ${outcome ?? (childRunId === null ? 'waiting' : 'running')} |`,
    );
    const gate = waiting === undefined ? [] : [`**Waiting**: ${markdownText(describeWaiting(waiting))}`, ''];
    setCurrentDetails(linesThatFit([...gate, '| target | state |', '| --- | --- |', ...rows], DETAILS_BYTES));
  }

  report(
    plan: Plan | null,
    targets: readonly TargetReport[],
    early: EndedEarly | undefined,
    cancelRequested: boolean,
    gates: readonly GateReport[] = [],
  ): RunReport {
    const { workflowId, runId, workflowType } = workflowInfo();
    const outcome = runOutcome(targets, early, cancelRequested);
    const failure = early?.failure;
    const withdrawnBy = this.#withdrawnBy;
    const { waiting: _over, ...progress } = this.#progress;
    this.#progress = { ...progress, phase: 'finished', outcome };
    const begun = new Set(targets.map(({ path }) => path));
    return {
      reportVersion: 1,
      runbook: workflowType,
      workflowId,
      runId,
      outcome,
      summary: `${summaryOf(workflowType, outcome, targets, failure)}${withdrawnBy === null ? '' : `, withdrawn by ${withdrawnBy} before it began`}`,
      planHash: plan?.hash ?? null,
      requestedBy: plan?.requestedBy ?? null,
      reason: plan?.reason ?? null,
      startedAtMs: this.#startedAtMs,
      endedAtMs: Date.now(),
      targets,
      notStarted: plan?.targets.map(({ target }) => target.path).filter((path) => !begun.has(path)) ?? [],
      ...(gates.length === 0 ? {} : { gates }),
      ...(withdrawnBy === null ? {} : { withdrawnBy }),
      ...(failure === undefined ? {} : { failure }),
    };
  }
}

function runOutcome(
  targets: readonly TargetReport[],
  early: EndedEarly | undefined,
  cancelRequested: boolean,
): Outcome {
  const outcomes = targets.map(({ outcome }) => outcome);
  if (cancelRequested) outcomes.push('cancelled');
  else if (early !== undefined) outcomes.push(early.outcome);
  return worstOutcome(outcomes);
}

function summaryOf(
  runbook: string,
  outcome: Outcome,
  targets: readonly TargetReport[],
  failure: FailureRecord | undefined,
): string {
  const told = targets.find((target) => target.outcome === outcome);
  const because =
    failure ??
    told?.failure ??
    [...(told?.steps ?? []), ...(told?.compensations ?? [])].findLast((step) => step.failure !== undefined)?.failure;
  const where = told === undefined ? '' : ` on ${told.path}`;
  return `${runbook}${where}: ${outcome}${because === undefined ? '' : ` (${because.name}: ${because.message})`}`;
}
