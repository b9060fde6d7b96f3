/**
 * The Nexus service by which workflows of other namespaces call runbooks. Workflow code may import this module: it loads
 * neither native code nor a Temporal client.
 */
import * as nexus from 'nexus-rpc';
import type { RunStatus } from '../client/run-status.js';
import type { StartArguments } from '../domain/contract.js';
import type { RunReport } from '../domain/report/report.js';

export { reportInFailure } from '../domain/report/find-report.js';
export type { RunStatus } from '../client/run-status.js';
export type { Outcome, RunReport } from '../domain/report/report.js';

/** The input of `startRun`: the start arguments of a run, its runbook and its key. */
export interface StartRunInput extends Omit<StartArguments, 'dryRun'> {
  readonly runbook: string;
  /**
   * The caller's idempotency key, used as the workflow id of the run: a key never starts a second run, even after the first
   * has ended. Default: one for each operation, which a repeated attempt of the operation keeps.
   */
  readonly key?: string;
}

/** The input of `runStatus`. */
export interface RunStatusInput {
  /** The key of the run, or its workflow id. */
  readonly key: string;
}

/** The operations, and what callers in other languages name them by. */
export const runbooksService = nexus.service('servicestage-runbooks', {
  /**
   * Starts a run, or attaches to the one with this key that the same input started. Completes with the report of a run that
   * succeeded, and fails with that of any other: `reportInFailure`. Cancelling the operation cancels the run.
   */
  startRun: nexus.operation<StartRunInput, RunReport>(),
  /** Answers at once what the run is, what it waits for, and its report if it has ended. */
  runStatus: nexus.operation<RunStatusInput, RunStatus>(),
});
