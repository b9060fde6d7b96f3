/** What a workflow of the model waits for, and the answers: the steps of a generator, so that a reset can replay it from its history. */
import type { ApprovalFacts, ApprovalOrder, ApprovalProof, FirstReading } from '../../src/domain/contract.js';
import type { FailureName } from '../../src/domain/failures.js';
import type { Closing } from '../../src/domain/gates/gates.js';
import type { OnceRules } from '../../src/domain/once/events.js';
import type { Approval } from '../../src/domain/steering/approvals.js';
import type { CheckEnd } from '../../src/domain/report/step-outcome.js';
import type { Limits } from '../../src/domain/once/limits.js';
import type { Ending, OnceState } from '../../src/domain/once/state.js';
import type { TargetCommandName } from '../../src/domain/steering/command-names.js';
import type { PlannedCheck, PlannedRun } from './scenario.js';
import type { ActivityEnd } from './server.js';

/** What the workflow waits for. `isCancellable`: a cancel of the run reaches it. */
export type Ask =
  | { readonly kind: 'observe'; readonly isCancellable: boolean }
  /** The current run, as the history keeps it. */
  | { readonly kind: 'run'; readonly isCancellable: false }
  /** Until an operator decides about a blocked step, or no one does in time. */
  | { readonly kind: 'operator'; readonly step: string; readonly isCancellable: true }
  /** Until the run is not paused: before each step. */
  | { readonly kind: 'edge'; readonly isCancellable: true }
  /** Until an order is there that is about this approval, or its time is over. */
  | {
      readonly kind: 'approval';
      readonly step: string;
      readonly approval: Approval;
      /** When the step began to ask. */
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly isCancellable: true;
    }
  /** Until the token of an order was verified. */
  | { readonly kind: 'proof'; readonly order: ApprovalOrder; readonly isCancellable: true }
  | {
      readonly kind: 'check';
      readonly step: string;
      readonly check: PlannedCheck;
      readonly deadlineAtMs: number;
      readonly isCancellable: true;
    }
  | { readonly kind: 'sleep'; readonly untilMs: number; readonly isCancellable: boolean }
  | {
      readonly kind: 'activity';
      readonly stepId: string;
      readonly goal: 'act' | { readonly left: OnceState; readonly prior: Ending | null };
      readonly rules: OnceRules;
      readonly decidedInRunId: string;
      readonly scheduleToCloseMs: number;
      readonly isCancellable: boolean;
    };

/** What the workflow continues with. */
export type Answer =
  | { readonly kind: 'observed'; readonly reading: FirstReading }
  | { readonly kind: 'unreadable'; readonly failure: FailureName }
  | { readonly kind: 'cancelled' | 'slept' }
  | { readonly kind: 'run'; readonly runId: string }
  /** `null`: no one decided in time. */
  | { readonly kind: 'decided'; readonly command: TargetCommandName | null }
  | { readonly kind: 'ordered'; readonly order: ApprovalOrder }
  | { readonly kind: 'proved'; readonly proof: ApprovalProof }
  | { readonly kind: 'checked'; readonly end: Pick<CheckEnd, 'kind' | 'failure'>; readonly requests: number }
  | { readonly kind: 'ended'; readonly end: ActivityEnd };

/** A part of a workflow that returns a value. */
export type Flow<Value> = Generator<Ask, Value, Answer>;

/** What a workflow can know of its environment without waiting. */
export interface Context {
  readonly runId: string;
  readonly originalRunId: string;
  /** Workflow time: the time of the newest result. */
  nowMs: number;
  cancelled: boolean;
}

/** The arguments that the run passes to the workflow of one target. */
export interface RunArguments {
  readonly plan: PlannedRun;
  readonly limits: Limits;
  readonly usualDurationMs: number;
  readonly deadlineAtMs: number;
  readonly closing: Closing | null;
  /** Judges approvals. */
  readonly facts: ApprovalFacts;
  /** Inherited from the previous holder of the lease. */
  readonly clearAtMs: number;
}
