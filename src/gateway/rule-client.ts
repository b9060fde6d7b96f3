/** Calls to the workflows of rules: the gateway lets them decide, `runbook alarm log` reads what they decided. */
import {
  WithStartWorkflowOperation,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  ALARM_LOG_QUERY,
  ALARM_RULE_WORKFLOW,
  alarmRuleId,
  DECIDE_UPDATE,
  KNOWN_INCIDENTS_QUERY,
  MOST_ALARMS_AT_ONCE,
  type AlarmDecision,
  type AlarmLogLine,
  type AlarmRuleArguments,
  type DecideRequest,
  type RuleAlarm,
} from '../domain/alarms/alarm.js';
import { alarmRuleRequester } from '../domain/run/requester.js';
import {
  failedByServer,
  GRPC,
  grpcCodeOf,
  ranOutOfTime,
  reasonOf,
  toClientError,
  type Calls,
} from '../temporal/calls.js';
import { AccessDenied, ClientClosed, NoWorkerAnswers, RunNotFound, ServerUnreachable } from '../temporal/errors.js';
import { Undecided } from './rule-batcher.js';

/** One decision per alarm, in the same order; `null` for an `onlyIfKnown` alarm whose problem the rule does not know. */
type RuleDecisions = readonly (AlarmDecision | null)[];

/** How to reach the rules of one owner. */
export interface RuleClientOptions {
  readonly calls: Calls;
  readonly taskQueue: string;
  readonly owner: string;
  /** For one call. */
  readonly timeoutMs: number;
}

/** Lets a rule decide. */
export type DecideAlarms = (request: DecideRequest) => Promise<RuleDecisions>;

/**
 * A function that lets the workflow of a rule decide, and starts the workflow if needed. A decision is durable once it is returned.
 * @returns a function that throws `Undecided` if the alarms may be undecided; sending them again is harmless
 */
export function decideAlarmsWith(options: RuleClientOptions): DecideAlarms {
  return async (request) => {
    const { rule, alarms } = request;
    if (alarms.length === 0) return withRetries(rule, options, () => update(request, options));
    const relevant = await relevantAlarms(alarms, rule, options);
    const decisions = new Map<RuleAlarm, AlarmDecision | null>();
    for (let at = 0; at < relevant.length; at += MOST_ALARMS_AT_ONCE) {
      const part = relevant.slice(at, at + MOST_ALARMS_AT_ONCE);
      const answers = await withRetries(rule, options, () => update({ ...request, alarms: part }, options));
      if (answers.length !== part.length) throw new Undecided('the rule decided another number of alarms');
      for (const [index, alarm] of part.entries()) decisions.set(alarm, answers[index] ?? null);
    }
    return alarms.map((alarm) => decisions.get(alarm) ?? null);
  };
}

const LOG_TIMEOUT_MS = 10_000;

/**
 * What the rules decided, newest first, as their workflows remember it. A rule that never decided anything has no lines.
 * @throws NoWorkerAnswers, ServerUnreachable, AccessDenied
 */
export async function readAlarmLog(calls: Calls, owner: string, rules: readonly string[]): Promise<AlarmLogLine[]> {
  const logs = await Promise.all(rules.map((rule) => logOf(calls, alarmRuleId(owner, rule))));
  return logs.flat().sort((left, right) => right.decidedAtMs - left.decidedAtMs);
}

async function logOf(calls: Calls, workflowId: string): Promise<readonly AlarmLogLine[]> {
  try {
    return await calls.interruptible(LOG_TIMEOUT_MS, undefined, () =>
      calls.client.workflow.getHandle(workflowId).query<readonly AlarmLogLine[]>(ALARM_LOG_QUERY),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    // The server answers other calls at once, so this was the wait for a worker.
    if (ranOutOfTime(error)) throw new NoWorkerAnswers(workflowId, { cause: error });
    throw toClientError(error, workflowId);
  }
}

/** Without `onlyIfKnown` alarms whose problem the rule does not know: for those no workflow is started and nothing is logged. */
async function relevantAlarms(
  alarms: readonly RuleAlarm[],
  rule: string,
  options: RuleClientOptions,
): Promise<readonly RuleAlarm[]> {
  if (alarms.every(({ onlyIfKnown }) => onlyIfKnown !== true)) return alarms;
  const firing = alarms.filter(({ status }) => status === 'firing').map(({ incident }) => incident);
  const known = new Set([...firing, ...(await withRetries(rule, options, () => knownIncidents(rule, options)))]);
  return alarms.filter(({ onlyIfKnown, incident }) => onlyIfKnown !== true || known.has(incident));
}

async function knownIncidents(
  rule: string,
  { calls, owner, timeoutMs }: RuleClientOptions,
): Promise<readonly string[]> {
  const workflowId = alarmRuleId(owner, rule);
  try {
    return await calls.interruptible(timeoutMs, undefined, () =>
      calls.client.workflow.getHandle(workflowId).query<readonly string[]>(KNOWN_INCIDENTS_QUERY),
    );
  } catch (error) {
    // The workflow was never started, or ended long ago.
    if (toClientError(error, workflowId) instanceof RunNotFound) return [];
    throw error;
  }
}

function update(
  request: DecideRequest,
  { calls, taskQueue, owner, timeoutMs }: RuleClientOptions,
): Promise<RuleDecisions> {
  const argument: AlarmRuleArguments = { owner, rule: request.rule };
  const startWorkflowOperation = new WithStartWorkflowOperation(ALARM_RULE_WORKFLOW, {
    workflowId: alarmRuleId(owner, request.rule),
    taskQueue,
    args: [argument],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: alarmRuleRequester(`${owner}/${request.rule}`),
  });
  return calls.uninterruptible(timeoutMs, () =>
    calls.client.workflow.executeUpdateWithStart<() => Promise<void>, RuleDecisions, [DecideRequest]>(DECIDE_UPDATE, {
      args: [request],
      startWorkflowOperation,
    }),
  );
}

/** A rule rejects updates while it moves to a new execution. Chosen: together about a second. */
const ATTEMPTS = 5;
const BETWEEN_ATTEMPTS_MS = 200;

async function withRetries<Value>(
  rule: string,
  { calls, owner }: RuleClientOptions,
  call: () => Promise<Value>,
): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (attempt > 1) await calls.pause(BETWEEN_ATTEMPTS_MS, undefined);
      return await call();
    } catch (error) {
      const ours = toClientError(error, alarmRuleId(owner, rule));
      const isUnreachable = UNREACHABLE.some((kind) => ours instanceof kind);
      if (isUnreachable || isFinal(error) || attempt === ATTEMPTS)
        throw new Undecided(reasonOf(ours), { cause: error });
    }
  }
}

/** True if a retry would fail the same way: the rule or the server rejects the request itself. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof WorkflowUpdateFailedError)) return grpcCodeOf(error) === GRPC.invalidArgument;
  const { cause } = error;
  return cause instanceof ApplicationFailure && cause.nonRetryable === true && failedByServer(error) === null;
}

const UNREACHABLE = [ServerUnreachable, AccessDenied, ClientClosed];
