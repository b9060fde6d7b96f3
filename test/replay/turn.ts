/** One turn of a run: how to cause it, and what the turns share. */
import type { Client } from '@temporalio/client';
import type { ActivityDependencies } from '../../src/activities/dependencies.js';
import { PROGRESS_QUERY } from '../../src/domain/contract.js';
import { leaseId } from '../../src/domain/target/target.js';
import type { Outcome } from '../../src/domain/report/report.js';
import type { RunProgress, TargetProgress } from '../../src/domain/report/progress.js';
import type { CommandName } from '../../src/domain/steering/command-names.js';
import type { CommandAnswer, CommandArguments } from '../../src/domain/steering/commands.js';
import { until } from '../support/until.js';
import type { Stack } from '../support/stack.js';

/** The stack and client on which a turn is played. */
export interface Stage {
  readonly client: Client;
  readonly stack: Stack;
  readonly cancel: (workflowId: string) => Promise<void>;
  readonly terminate: (workflowId: string) => Promise<void>;
  /** Ends the worker in mid-run, with all that it had cached, and starts another. */
  readonly replaceWorker: () => Promise<void>;
}

export interface Turn {
  readonly runbook: string;
  /** Part of the file's name. */
  readonly name: string;
  /** `null` for what has no report: a run that ends with its plan, and the workflow of a rule. */
  readonly outcome: Outcome | null;
  /** What the worker of this turn has, besides what all have. */
  readonly dependencies?: () => Promise<Partial<ActivityDependencies>>;
  /** Plays it to its end. @returns the workflow id */
  readonly play: (stage: Stage) => Promise<string>;
}

/** The instance that a turn plays on. */
export type Instance = Awaited<ReturnType<Stack['newInstance']>>;

/** A run on one new instance, from its start to its report. */
export function alone(
  runbook: string,
  parts: {
    readonly arm?: (stage: Stage, instance: Instance) => Promise<unknown>;
    readonly meanwhile?: (stage: Stage, instance: Instance, workflowId: string) => Promise<unknown>;
    readonly more?: object | (() => object);
  } = {},
): Turn['play'] {
  return async (stage) => {
    const { stack } = stage;
    const instance = await stack.newInstance();
    await parts.arm?.(stage, instance);
    const more = typeof parts.more === 'function' ? (parts.more as () => object)() : parts.more;
    const workflowId = await stack.start(runbook, { targets: [instance.path], requestedBy: 'recorder', ...more });
    await parts.meanwhile?.(stage, instance, workflowId);
    await stack.report(workflowId);
    await stack.control.clearFaults();
    return workflowId;
  };
}

export const actions = ({ stack }: Stage, { instanceId }: Instance, count: number) =>
  until(async () => (await stack.accepted(instanceId)).length >= count);
export const restartFails = ({ stack }: Stage, { instanceId }: Instance) =>
  stack.control.outcome({ instanceId, action: 'restart', executionStatus: 'FAILED', durationMs: 300 });
export const lease = ({ stack }: Stage, { instanceId }: Instance) =>
  leaseId({ projectId: stack.simulator.projectId, instanceId });

export const isWaiting = async ({ client }: Stage, workflowId: string) =>
  until(
    async () => (await client.workflow.getHandle(workflowId).query<RunProgress>(PROGRESS_QUERY)).phase === 'waiting',
  );
export const order = (stage: Stage, workflowId: string, command: CommandName, more: object = {}) =>
  stage.client.workflow.getHandle(workflowId).executeUpdate<CommandAnswer, [CommandArguments]>(command, {
    args: [{ actor: 'recorder', reason: 'a turn', ...more }],
  });
export const isBlocked = async (stage: Stage, instance: Instance) => {
  const handle = stage.client.workflow.getHandle(lease(stage, instance));
  await until(async () => {
    const progress = await handle.query<TargetProgress>(PROGRESS_QUERY).catch(() => null);
    return progress?.blocked !== undefined;
  });
};
export const isPaused = async ({ client }: Stage, workflowId: string) =>
  until(
    async () =>
      (await client.workflow.getHandle(workflowId).query<RunProgress>(PROGRESS_QUERY)).pause?.state === 'paused',
  );
