/** The operations of the Nexus service, as a worker hosts them. */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { startWorkflow, WorkflowRunOperationHandler, type WorkflowHandle } from '@temporalio/nexus';
import {
  HandlerStartOperationResult,
  OperationError,
  serviceHandler,
  type OperationHandler,
  type ServiceHandler,
} from 'nexus-rpc';
import { readStatus } from '../client/run-status.js';
import { requireSameRun, startOptionsOf, type SameRunCall } from '../client/start-run.js';
import type { RunReport } from '../domain/report/report.js';
import { Calls } from '../temporal/calls.js';
import { readRunStatus, readStartRun } from './read-input.js';
import { refusalOf } from './refusals.js';
import { runbooksService, type StartRunInput } from './service.js';

/** What the operations need. */
export interface NexusParts {
  readonly client: Client;
  /** The task queue of the runs. */
  readonly taskQueue: string;
}

/** A server gives up an attempt after 10 s (`nexusoperations.request.timeout`, server 1.29), and the longest one makes three calls. */
const CALL_TIMEOUT_MS = 2_500;

/** The handlers of `runbooksService`, for `nexusServices` of a worker. */
export function runbooksHandler({
  client,
  taskQueue,
}: NexusParts): ServiceHandler<(typeof runbooksService)['operations']> {
  const making = { calls: new Calls(client), callTimeoutMs: CALL_TIMEOUT_MS, taskQueue };
  return serviceHandler(runbooksService, {
    startRun: startRunHandler(making),
    runStatus: (_context, input) => refusing(() => readStatus({ ...making, workflowId: readRunStatus(input) })),
  });
}

type Making = Pick<SameRunCall, 'calls' | 'callTimeoutMs' | 'taskQueue'>;

function startRunHandler(making: Making): OperationHandler<StartRunInput, RunReport> {
  const first = new WorkflowRunOperationHandler<SameRunCall, RunReport>((context, call) =>
    started(startWorkflow(context, call.runbook, startOptionsOf(call))),
  );
  // The run reports its end to this operation as well.
  const attached = new WorkflowRunOperationHandler<SameRunCall, RunReport>((context, call) => {
    const workflowIdConflictPolicy = WorkflowIdConflictPolicy.USE_EXISTING;
    return started(startWorkflow(context, call.runbook, { ...startOptionsOf(call), workflowIdConflictPolicy }));
  });
  return {
    start: (context, input) =>
      refusing(async () => {
        const call = { ...making, ...readStartRun(input, context.requestId) };
        const begun = await unlessStarted(() => first.start(context, call));
        if (begun !== null) return begun;
        const runId = await requireSameRun(call);
        return (await unlessStarted(() => attached.start(context, call))) ?? (await ended(call, runId));
      }),
    cancel: async (context, token) => {
      try {
        await first.cancel(context, token);
      } catch (error) {
        // The run has ended, so there is nothing to cancel.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}

/** A run returns its report: an operation never starts a dry run, which would return a plan. */
function started(handle: Promise<WorkflowHandle<unknown>>): Promise<WorkflowHandle<RunReport>> {
  return handle as Promise<WorkflowHandle<RunReport>>;
}

/** @returns `null` if a run of this id exists that cannot be attached to. @throws what `start` throws */
async function unlessStarted<Value>(start: () => Promise<Value>): Promise<Value | null> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw error;
  }
}

/** The operation ends at once as the run did, with the same report. @throws OperationError */
async function ended(call: SameRunCall, runId: string): Promise<HandlerStartOperationResult<RunReport>> {
  const { calls, callTimeoutMs, workflowId } = call;
  const handle = calls.client.workflow.getHandle(workflowId, runId);
  try {
    const report: unknown = await calls.interruptible(callTimeoutMs, undefined, () => handle.result());
    return HandlerStartOperationResult.sync(report as RunReport);
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const cause = error.cause ?? error;
    throw new OperationError(cause instanceof CancelledFailure ? 'canceled' : 'failed', cause.message, { cause });
  }
}

/** @throws what a caller can act on */
async function refusing<Value>(act: () => Promise<Value>): Promise<Value> {
  try {
    return await act();
  } catch (error) {
    throw refusalOf(error);
  }
}
