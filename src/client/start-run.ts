/**
 * Starts a run at most once per id, even if the answer is lost: the id is the workflow id, and Temporal starts one
 * workflow for it.
 */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type WorkflowExecutionDescription,
  type WorkflowOptions,
} from '@temporalio/client';
import { REQUESTER_MEMO, type StartArguments } from '../domain/contract.js';
import { clippedSummary } from '../domain/text/json-bytes.js';
import { RunAlreadyStarted, RunIdTaken, ServerUnreachable } from '../temporal/errors.js';
import { decodeFirst } from '../temporal/payloads.js';
import { differencesBetween, inputOfRun } from './same-request.js';
import { toClientError, reasonOf, type Calls } from '../temporal/calls.js';

/** A run, and whether this call started it. */
export interface StartedRun {
  readonly workflowId: string;
  readonly runId: string;
  /** `attached`: a run of this id existed already, in progress or ended. */
  readonly started: 'started' | 'attached';
}

/** One start, with all that it needs. */
export interface StartCall {
  readonly calls: Calls;
  readonly taskQueue: string;
  readonly callTimeoutMs: number;
  readonly runbook: string;
  readonly workflowId: string;
  readonly startArguments: StartArguments;
  readonly onExisting: 'attach' | 'fail';
}

/**
 * Starts a run, or attaches to the one with this id.
 * @throws RunIdTaken, RunAlreadyStarted, ServerUnreachable, AccessDenied
 */
export async function startRun(call: StartCall): Promise<StartedRun> {
  const { calls, callTimeoutMs, runbook, workflowId, onExisting } = call;
  try {
    const handle = await calls.uninterruptible(callTimeoutMs, () =>
      calls.client.workflow.start(runbook, startOptionsOf(call)),
    );
    return { workflowId, runId: handle.firstExecutionRunId, started: 'started' };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError))
      throw unanswered(toClientError(error, workflowId), workflowId);
    if (onExisting === 'fail') throw await alreadyStarted(call);
    return { workflowId, runId: await requireSameRun(call), started: 'attached' };
  }
}

/** How client and Nexus operations start a run: an id never starts a second run, even after the first has ended. */
export function startOptionsOf(
  call: Pick<StartCall, 'runbook' | 'workflowId' | 'taskQueue' | 'startArguments'>,
): WorkflowOptions & { args: [StartArguments] } {
  const { runbook, workflowId, taskQueue, startArguments } = call;
  const { requestedBy, targets } = startArguments;
  return {
    workflowId,
    taskQueue,
    args: [startArguments],
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
    ...(requestedBy === undefined ? {} : { memo: { [REQUESTER_MEMO]: requestedBy } }),
    staticSummary: clippedSummary(`${runbook} on ${targets.join(', ')}`),
  };
}

/** A start without an answer may have succeeded. Another call with the same id finds that run. */
function unanswered(error: unknown, workflowId: string): unknown {
  if (!(error instanceof ServerUnreachable)) return error;
  const remedy = `the run ${workflowId} may have been started; start it again with this id to find out`;
  return new ServerUnreachable(`${error.message}; ${remedy}`, { cause: error.cause, workflowId });
}

/** What a call needs to compare a run with its request. */
export type SameRunCall = Omit<StartCall, 'onExisting'>;

/**
 * Requires that the run of this id was started by the same request, on the same task queue: another one serves another
 * project, where the same names are other instances.
 * @returns the run id of its newest execution
 * @throws RunIdTaken, RunNotFound, ServerUnreachable, AccessDenied
 */
export async function requireSameRun(call: SameRunCall): Promise<string> {
  const { runbook, workflowId } = call;
  try {
    const { type, runId, taskQueue } = await describe(call);
    if (taskQueue !== call.taskQueue) throw taken(call, runId, ['taskQueue'], 'a workflow on another task queue');
    if (type !== runbook) throw taken(call, runId, ['runbook'], `a run of "${type}", not of "${runbook}"`);
    const differences = await differencesFrom(call, runId);
    if (differences.length > 0) throw taken(call, runId, differences, `a run with other ${differences.join(', ')}`);
    return runId;
  } catch (error) {
    throw toClientError(error, workflowId);
  }
}

/** The error of a start that must not attach. */
async function alreadyStarted(call: StartCall): Promise<unknown> {
  const { workflowId } = call;
  try {
    return new RunAlreadyStarted(workflowId, (await describe(call)).runId);
  } catch (error) {
    return toClientError(error, workflowId);
  }
}

function describe({ calls, callTimeoutMs, workflowId }: SameRunCall): Promise<WorkflowExecutionDescription> {
  return calls.interruptible(callTimeoutMs, undefined, () => calls.client.workflow.getHandle(workflowId).describe());
}

async function differencesFrom(call: SameRunCall, runId: string): Promise<readonly string[]> {
  const { calls, callTimeoutMs, workflowId, startArguments } = call;
  const payloads = await calls.interruptible(callTimeoutMs, undefined, () =>
    inputOfRun(calls.client, workflowId, runId),
  );
  let given: unknown;
  try {
    given = await decodeFirst(calls.client, payloads);
  } catch (error) {
    const found = `a run whose start arguments this client's data converter cannot read (${reasonOf(error)})`;
    throw taken(call, runId, [], found);
  }
  return differencesBetween(given, startArguments);
}

function taken({ workflowId }: SameRunCall, runId: string, differences: readonly string[], found: string): RunIdTaken {
  const orTheSame = differences.includes('taskQueue') ? '' : ', or send the same request';
  const what = `The id ${workflowId} belongs to ${found}; nothing was started`;
  return new RunIdTaken(workflowId, runId, differences, `${what}. Choose another id${orTheSame}`);
}
