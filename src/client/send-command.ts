/** Sends a command of an operator to a run or to one of its targets, and waits until a worker has answered. */
import { createHash, randomUUID } from 'node:crypto';
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { SHORT_HASH_LENGTH } from '../domain/plan/plan.js';
import type { TargetInRun } from '../domain/report/progress.js';
import { isOpen } from '../domain/run/workflow-status.js';
import type {
  ApprovalCommandName,
  CommandName,
  RunCommandName,
  TargetCommandName,
} from '../domain/steering/command-names.js';
import type { CommandAnswer, CommandArguments } from '../domain/steering/commands.js';
import { CommandRejected, NoWorkerAnswers, RunEnded, ServerUnreachable } from '../temporal/errors.js';
import { failedByServer, GRPC, grpcCodeOf, ranOutOfTime, toClientError, type Calls } from '../temporal/calls.js';
import { takeSnapshot } from './watch-run.js';

/** The content of a command to a run. */
export interface CommandRequest extends Pick<CommandArguments, 'actor' | 'reason' | 'key'> {
  /** One execution of the workflow id. Default: the newest. */
  readonly runId?: string | undefined;
  /** How long to wait for a worker, or for Temporal, to answer, milliseconds. Default 60,000. */
  readonly patienceMs?: number | undefined;
}

/** The content of a command to a target. */
export interface TargetCommandRequest extends CommandRequest {
  /** `application/component/instance`. Default: the target that is blocked. */
  readonly target?: string | undefined;
  /** Id of the step that is meant. Default: the one that is blocked. */
  readonly step?: string | undefined;
}

/** A decision about an approval. */
export interface ApprovalRequest extends CommandRequest {
  /** `Plan.hash` of the plan that the person has seen, or its first 16 characters. Default: the hash of the run's plan, as its progress has it. */
  readonly planHash?: string | undefined;
  /** `application/component/instance` of the target that asks. Default: whatever waits. */
  readonly target?: string | undefined;
  /** Id of the step that asks. Default: whatever waits. */
  readonly step?: string | undefined;
  /** A JSON Web Token that proves who decides. It stays in the history of the run. */
  readonly token?: string | undefined;
}

/** A command, and through whom to send it. */
export interface CommandCall {
  readonly calls: Calls;
  readonly callTimeoutMs: number;
  readonly workflowId: string;
}

/** Characters of a whole hash. */
const HASH_LENGTH = 64;

const PATIENCE_MS = 60_000;
const PAUSE_MS = 500;

/** @throws CommandRejected, RunEnded, RunNotFound, NoWorkerAnswers, ServerUnreachable, AccessDenied */
export async function commandRun(
  call: CommandCall,
  command: RunCommandName,
  request: CommandRequest,
): Promise<CommandAnswer> {
  return send(call, { workflowId: call.workflowId, runId: request.runId }, command, request, {});
}

/** Finds the workflow of the target by the progress of the run. @throws as `commandRun`, and RunPaused, NotARun */
export async function commandTarget(
  call: CommandCall,
  command: TargetCommandName,
  request: TargetCommandRequest,
): Promise<CommandAnswer> {
  const { path, leaseId, childRunId } = await findTarget(call, request);
  const { step } = request;
  const more = { target: path, ...(step === undefined ? {} : { step }) };
  return send(call, { workflowId: leaseId, runId: childRunId ?? undefined }, command, request, more);
}

/** Sends the decision to the run, also where one of its targets asks. @throws as `commandRun`, and RunPaused, NotARun */
export async function decideApproval(
  call: CommandCall,
  command: ApprovalCommandName,
  request: ApprovalRequest,
): Promise<CommandAnswer> {
  const { runId, step, target, token } = request;
  const planHash = await boundHash(call, request);
  return send(call, { workflowId: call.workflowId, runId }, command, request, {
    planHash,
    ...(step === undefined ? {} : { step }),
    ...(target === undefined ? {} : { target }),
    ...(token === undefined ? {} : { token }),
  });
}

/** Plans and messages show the first characters of the hash: they stand for the hash of the run's plan if it begins with them. */
async function boundHash(call: CommandCall, request: ApprovalRequest): Promise<string> {
  const { planHash: given } = request;
  if (given !== undefined && (given.length < SHORT_HASH_LENGTH || given.length >= HASH_LENGTH)) return given;
  const hash = await planHashOf(call, request);
  return given === undefined || hash.startsWith(given) ? hash : given;
}

async function planHashOf(call: CommandCall, request: ApprovalRequest): Promise<string> {
  const { workflowId } = call;
  const { run } = await whileAway(request, () => takeSnapshot({ ...call, runId: request.runId, signal: undefined }));
  if (run.phase === 'finished') throw new RunEnded(workflowId);
  if (run.planHash === null) throw new CommandRejected(workflowId, `${workflowId} has no plan yet`);
  return run.planHash;
}

async function findTarget(call: CommandCall, request: TargetCommandRequest): Promise<TargetInRun> {
  const { workflowId } = call;
  const { target, runId } = request;
  const { run } = await whileAway(request, () => takeSnapshot({ ...call, runId, signal: undefined }));
  if (run.phase === 'finished') throw new RunEnded(workflowId);
  const blocked = run.targets.filter((each) => each.blocked !== undefined);
  const [found, other] = target === undefined ? blocked : run.targets.filter(({ path }) => path === target);
  if (found !== undefined && other === undefined && found.childRunId !== null) return found;
  const paths = (among: readonly TargetInRun[]) => among.map(({ path }) => path).join(', ');
  if (target === undefined)
    throw new CommandRejected(
      workflowId,
      blocked.length === 0
        ? `No target of ${workflowId} is blocked. See what it does: runbook watch ${workflowId}`
        : `Name one of the blocked targets: ${paths(blocked)}`,
    );
  throw new CommandRejected(
    workflowId,
    found === undefined
      ? `${workflowId} has no target ${target}, only ${paths(run.targets)}`
      : `${target} has not begun`,
  );
}

/** Sends the command as an Update, and again under the same id while no worker answers. */
async function send(
  { calls, callTimeoutMs, workflowId }: CommandCall,
  execution: { readonly workflowId: string; readonly runId: string | undefined },
  command: CommandName,
  request: CommandRequest,
  more: Omit<CommandArguments, 'actor' | 'reason' | 'key'>,
): Promise<CommandAnswer> {
  const { actor, reason, key } = request;
  const given: CommandArguments = { actor, reason, ...(key === undefined ? {} : { key }), ...more };
  const updateId = key === undefined ? randomUUID() : updateIdOf(command, given);
  const handle = calls.client.workflow.getHandle(execution.workflowId, execution.runId);
  const isEnded = async () => {
    const { status } = await calls.interruptible(callTimeoutMs, undefined, () => handle.describe());
    return !isOpen(status.name);
  };
  return whileAway(request, async () => {
    try {
      return await calls.uninterruptible(callTimeoutMs, () =>
        handle.executeUpdate<CommandAnswer, [CommandArguments]>(command, { args: [given], updateId }),
      );
    } catch (error) {
      const byServer = failedByServer(error);
      if (byServer === 'ended') throw new RunEnded(workflowId, { cause: error });
      if (error instanceof WorkflowUpdateFailedError && byServer === null)
        throw new CommandRejected(workflowId, error.cause?.message ?? error.message, { cause: error });
      // Failed precondition: the workflow task that would have closed the run met a new event. The server accepted neither the task nor this command.
      const isTurnedAway = grpcCodeOf(error) === GRPC.failedPrecondition;
      const isUnread = isTurnedAway || byServer === 'unread';
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || ranOutOfTime(error) || isUnread)
        throw new NoWorkerAnswers(workflowId, { cause: error });
      if (error instanceof WorkflowNotFoundError && (await isEnded().catch(() => false)))
        throw new RunEnded(workflowId, { cause: error });
      throw toClientError(error, workflowId);
    }
  });
}

/**
 * The server itself answers a repeat of the whole command. A key that comes with anything else has to reach the workflow, which refuses a key that
 * was used for another command.
 */
function updateIdOf(command: CommandName, given: CommandArguments): string {
  return createHash('sha256')
    .update(JSON.stringify([command, given]))
    .digest('hex');
}

/** Repeats a call until it is answered, or until `patienceMs` have passed. */
async function whileAway<Value>(
  { patienceMs = PATIENCE_MS }: CommandRequest,
  call: () => Promise<Value>,
): Promise<Value> {
  const giveUpAtMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const isUnanswered = error instanceof NoWorkerAnswers || error instanceof ServerUnreachable;
      if (!isUnanswered || performance.now() >= giveUpAtMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
