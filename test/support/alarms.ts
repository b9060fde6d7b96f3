/** Alarms and rules for tests: what the gateway sends to the workflow of a rule, and how. */
import { createHash, randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, WorkflowIdConflictPolicy, type Client } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { GRPC, grpcCodeOf } from '../../src/temporal/calls.js';
import {
  ALARM_LOG_QUERY,
  ALARM_RULE_WORKFLOW,
  alarmRuleId,
  DECIDE_UPDATE,
  type Alarm,
  type AlarmDecision,
  type Brakes,
  type DecidedAlarm,
  type DecideRequest,
  type RuleAlarm,
} from '../../src/domain/alarms/alarm.js';
import type { AlarmRule } from '../../src/gateway/match-alarm.js';

export const OWNER = 'tests';

export const NO_BRAKES: Brakes = { debounceMs: 0, coolDownMs: 0, atMost: null, atOnce: null, onResolved: 'nothing' };

/** An alarm as the gateway reads it. */
export const alarmRead = (labels: Record<string, string>, change: Partial<Alarm> = {}): Alarm => ({
  sender: 'prod',
  name: 'Hangs',
  status: 'firing',
  episode: 'e',
  incident: 'i',
  atMs: 1_000,
  labels: { alertname: 'Hangs', ...labels },
  summary: 'it hangs',
  ...change,
});

/** A rule as the gateway reads it from an alarms file. */
export const ruleOfFile = (change: Partial<AlarmRule> = {}): AlarmRule => ({
  name: 'hung',
  when: { alertname: ['Hangs'] },
  runbook: 'restart',
  target: 'shop/${{ labels.component }}/${{ labels.instance }}',
  within: ['shop/*/*'],
  inputs: {},
  brakes: NO_BRAKES,
  ...change,
});

type AlarmParts = Partial<RuleAlarm> & { readonly rule?: string; readonly target?: string };

/** By default an alarm that began to fire just before it was read, on an instance named like its incident. */
export function anAlarm({ rule = 'rule', target, ...change }: AlarmParts = {}): RuleAlarm {
  const receivedAtMs = change.receivedAtMs ?? Date.now();
  const incident = change.incident ?? 'disk-1';
  const episode = change.episode ?? `${incident}-1`;
  return {
    sender: 'prod',
    name: 'InstanceHangs',
    status: 'firing',
    episode,
    episodeHash: createHash('sha256')
      .update(JSON.stringify([OWNER, rule, episode]))
      .digest('hex'),
    incident,
    atMs: receivedAtMs - 1,
    receivedAtMs,
    summary: 'it hangs',
    start: { runbook: 'restart', target: target ?? `shop/checkout/${incident}`, arguments: { targets: [] } },
    ...change,
  };
}

export interface RuleDesk {
  readonly rule: string;
  readonly workflowId: string;
  /**
   * Delivers alarms as a gateway does, from any client; resends those that the rule asks for again, and those that its
   * worker dropped unread.
   */
  decide(alarms: readonly RuleAlarm[], brakes?: Partial<Brakes>): Promise<AlarmDecision[]>;
  alarm(parts?: AlarmParts): RuleAlarm;
  log(): Promise<DecidedAlarm[]>;
}

export function aRule(client: Client, taskQueue: string, rule = `rule-${randomUUID().slice(0, 8)}`): RuleDesk {
  const workflowId = alarmRuleId(OWNER, rule);
  return {
    rule,
    workflowId,
    decide: (alarms, brakes = {}) =>
      decided(client, taskQueue, { rule, brakes: { ...NO_BRAKES, ...brakes }, alarms: [...alarms] }),
    // A target of its own: other runs on it would hold the rule back.
    alarm: (parts) => anAlarm({ rule, target: `shop/checkout/${parts?.incident ?? 'disk-1'}-of-${rule}`, ...parts }),
    log: () => client.workflow.getHandle(workflowId).query<DecidedAlarm[]>(ALARM_LOG_QUERY),
  };
}

/** Sends one update, which starts the workflow of the rule if there is none. */
export async function sendUpdate(
  client: Client,
  taskQueue: string,
  rule: string,
  request: unknown,
): Promise<AlarmDecision[]> {
  const startWorkflowOperation = new WithStartWorkflowOperation(ALARM_RULE_WORKFLOW, {
    workflowId: alarmRuleId(OWNER, rule),
    taskQueue,
    args: [{ owner: OWNER, rule }],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  });
  return client.workflow.executeUpdateWithStart<Workflow, AlarmDecision[], [unknown]>(DECIDE_UPDATE, {
    args: [request],
    updateId: randomUUID(),
    startWorkflowOperation,
  });
}

async function decided(client: Client, taskQueue: string, request: DecideRequest): Promise<AlarmDecision[]> {
  for (;;) {
    try {
      return await sendUpdate(client, taskQueue, request.rule, request);
    } catch (error) {
      if (!canBeSentAgain(error)) throw error;
    }
  }
}

/**
 * gRPC codes after which a gateway's sender repeats: a rule accepts ten updates at a time, and a busy server aborts some, with either of two codes.
 * Failed precondition: the workflow task that took the update was refused as a whole.
 */
const REPEATABLE_CODES: readonly unknown[] = [GRPC.busy, GRPC.aborted, GRPC.unavailable, GRPC.failedPrecondition];

function canBeSentAgain(error: unknown): boolean {
  if (REPEATABLE_CODES.includes(grpcCodeOf(error))) return true;
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return (
    typeof cause === 'object' &&
    cause !== null &&
    'type' in cause &&
    (cause.type === 'UnprocessedUpdate' ||
      (cause.type === 'CommandRejected' && 'nonRetryable' in cause && cause.nonRetryable !== true))
  );
}
