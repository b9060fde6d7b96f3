/** Asks the workflow of a rule to decide, and starts it where it is not there yet and has to be. What is answered is durable. */
import { WithStartWorkflowOperation, WorkflowIdConflictPolicy, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { AccessDenied, ClientClosed, RunNotFound, ServerUnreachable } from '../temporal/errors.js';
import { GRPC, grpcCodeOf, toClientError, reasonOf, type Calls } from '../temporal/calls.js';
import {
  ALARM_RULE_WORKFLOW,
  alarmRuleId,
  DECIDE_UPDATE,
  KNOWN_INCIDENTS_QUERY,
  MOST_ALARMS_AT_ONCE,
  type AlarmDecision,
  type AlarmRuleArguments,
  type DecideRequest,
  type RuleAlarm,
} from '../domain/alarms/alarm.js';
import { Undecided, type RuleDecisions } from './rule-queue.js';

export interface DecideOptions {
  readonly calls: Calls;
  readonly taskQueue: string;
  readonly owner: string;
  /** Of one update. */
  readonly timeoutMs: number;
}

export type DecideAlarms = (request: DecideRequest) => Promise<RuleDecisions>;

/** @returns a function that throws Undecided where it may have been decided or not: asking again with the same alarms is harmless */
export function decideAlarmsWith(options: DecideOptions): DecideAlarms {
  return async (request) => {
    const { rule, alarms } = request;
    if (alarms.length === 0) return untilTaken(rule, options, () => update(request, options));
    const concerned = await concernedOf(alarms, rule, options);
    const decisions = new Map<RuleAlarm, AlarmDecision | null>();
    for (let at = 0; at < concerned.length; at += MOST_ALARMS_AT_ONCE) {
      const some = concerned.slice(at, at + MOST_ALARMS_AT_ONCE);
      const answers = await untilTaken(rule, options, () => update({ ...request, alarms: some }, options));
      if (answers.length !== some.length) throw new Undecided('the rule decided another number of alarms');
      for (const [index, alarm] of some.entries()) decisions.set(alarm, answers[index] ?? null);
    }
    return alarms.map((alarm) => decisions.get(alarm) ?? null);
  };
}

/** Without those that count only if they are known, and are not: for them no rule is started, and none writes anything down. */
async function concernedOf(
  alarms: readonly RuleAlarm[],
  rule: string,
  options: DecideOptions,
): Promise<readonly RuleAlarm[]> {
  if (alarms.every(({ onlyIfKnown }) => onlyIfKnown !== true)) return alarms;
  const firing = alarms.filter(({ status }) => status === 'firing').map(({ incident }) => incident);
  const known = new Set([...firing, ...(await untilTaken(rule, options, () => knownIncidents(rule, options)))]);
  return alarms.filter(({ onlyIfKnown, incident }) => onlyIfKnown !== true || known.has(incident));
}

async function knownIncidents(rule: string, { calls, owner, timeoutMs }: DecideOptions): Promise<readonly string[]> {
  const workflowId = alarmRuleId(owner, rule);
  try {
    return await calls.interruptible(timeoutMs, undefined, () =>
      calls.client.workflow.getHandle(workflowId).query<readonly string[]>(KNOWN_INCIDENTS_QUERY),
    );
  } catch (error) {
    // It has never been started, or has been ended long ago.
    if (toClientError(error, workflowId) instanceof RunNotFound) return [];
    throw error;
  }
}

function update(request: DecideRequest, { calls, taskQueue, owner, timeoutMs }: DecideOptions): Promise<RuleDecisions> {
  const argument: AlarmRuleArguments = { owner, rule: request.rule };
  const startWorkflowOperation = new WithStartWorkflowOperation(ALARM_RULE_WORKFLOW, {
    workflowId: alarmRuleId(owner, request.rule),
    taskQueue,
    args: [argument],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: `alarm rule ${owner}/${request.rule}`,
  });
  return calls.uninterruptible(timeoutMs, () =>
    calls.client.workflow.executeUpdateWithStart<() => Promise<void>, RuleDecisions, [DecideRequest]>(DECIDE_UPDATE, {
      args: [request],
      startWorkflowOperation,
    }),
  );
}

async function untilTaken<Value>(
  rule: string,
  { calls, owner }: DecideOptions,
  call: () => Promise<Value>,
): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (attempt > 1) await calls.pause(BETWEEN_ATTEMPTS_MS, undefined);
      return await call();
    } catch (error) {
      const told = toClientError(error, alarmRuleId(owner, rule));
      const isAway = AWAY.some((kind) => told instanceof kind);
      if (isAway || isFinal(error) || attempt === ATTEMPTS) throw new Undecided(reasonOf(told), { cause: error });
    }
  }
}

/** It would come out the same again: the rule, or the server, says that the request is none. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof WorkflowUpdateFailedError)) return grpcCodeOf(error) === GRPC.invalidArgument;
  const { cause } = error;
  return cause instanceof ApplicationFailure && cause.nonRetryable === true && !SERVERS_OWN.includes(cause.type ?? '');
}

/** The server's own words for a rule that was terminated while it decided, and for an update that its worker dropped unread (seen with many at once, SDK 1.24). */
const SERVERS_OWN: readonly string[] = ['AcceptedUpdateCompletedWorkflow', 'UnprocessedUpdate'];

const AWAY = [ServerUnreachable, AccessDenied, ClientClosed];

/** A rule that goes on in a new execution turns updates away until it has. Chosen: together about a second. */
const ATTEMPTS = 5;
const BETWEEN_ATTEMPTS_MS = 200;
