/** Asks the workflow of a rule to decide, and starts it where it is not there yet. What is answered is durable. */
import { WithStartWorkflowOperation, WorkflowIdConflictPolicy, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { AccessDenied, ClientClosed, ServerUnreachable } from '../client/errors.js';
import { grpcCodeOf, named, reasonOf, type Calls } from '../client/temporal-calls.js';
import {
  ALARM_RULE_WORKFLOW,
  alarmRuleId,
  DECIDE_UPDATE,
  type AlarmDecision,
  type AlarmRuleArguments,
  type DecideRequest,
} from '../domain/alarm.js';
import { Undecided } from './rule-queue.js';

export interface DecideOptions {
  readonly calls: Calls;
  readonly taskQueue: string;
  readonly owner: string;
  /** Of one update. */
  readonly timeoutMs: number;
}

export type DecideAlarms = (request: DecideRequest) => Promise<readonly AlarmDecision[]>;

/** @returns a function that throws Undecided where it may have been decided or not: asking again with the same alarms is harmless */
export function decideAlarmsWith({ calls, taskQueue, owner, timeoutMs }: DecideOptions): DecideAlarms {
  const decide = async (request: DecideRequest): Promise<readonly AlarmDecision[]> => {
    const argument: AlarmRuleArguments = { owner, rule: request.rule };
    const startWorkflowOperation = new WithStartWorkflowOperation(ALARM_RULE_WORKFLOW, {
      workflowId: alarmRuleId(owner, request.rule),
      taskQueue,
      args: [argument],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      staticSummary: `alarm rule ${owner}/${request.rule}`,
    });
    return calls.toTheEnd(timeoutMs, () =>
      calls.client.workflow.executeUpdateWithStart<() => Promise<void>, readonly AlarmDecision[], [DecideRequest]>(
        DECIDE_UPDATE,
        { args: [request], startWorkflowOperation },
      ),
    );
  };
  return async (request) => {
    const workflowId = alarmRuleId(owner, request.rule);
    for (let attempt = 1; ; attempt++) {
      try {
        if (attempt > 1) await calls.pause(BETWEEN_ATTEMPTS_MS, undefined);
        return await decide(request);
      } catch (error) {
        const told = named(error, workflowId);
        const isAway = AWAY.some((kind) => told instanceof kind);
        if (isAway || isFinal(error) || attempt === ATTEMPTS) throw new Undecided(reasonOf(told), { cause: error });
      }
    }
  };
}

/** It would come out the same again: the rule, or the server, says that the request is none. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof WorkflowUpdateFailedError)) return grpcCodeOf(error) === GRPC_INVALID_ARGUMENT;
  const { cause } = error;
  return cause instanceof ApplicationFailure && cause.nonRetryable === true && cause.type !== ENDED_MEANWHILE;
}

/** https://grpc.io/docs/guides/status-codes/ */
const GRPC_INVALID_ARGUMENT = 3;
/** The server's own word for a rule that was terminated while it decided: the next one decides. */
const ENDED_MEANWHILE = 'AcceptedUpdateCompletedWorkflow';

const AWAY = [ServerUnreachable, AccessDenied, ClientClosed];

/** A rule that goes on in a new execution turns updates away until it has. Chosen: together about a second. */
const ATTEMPTS = 5;
const BETWEEN_ATTEMPTS_MS = 200;
