/**
 * Computes the largest sizes that a plan's run can reach, and compares them with Temporal's limits while planning,
 * so that a run that could not be stored is refused before it changes anything. Pure.
 */
import type { Action } from '../target/actions.js';
import { leastReportBytes, LONGEST, withShortSteps } from '../report/cut-report.js';
import { FAILURES, longestAdvice, type FailureName, type FailureRecord, type Problem } from '../failures.js';
import { CHECK_AGAIN_MS, MOST_FREEZES } from '../gates/gates.js';
import { jsonBytes } from '../text/json-bytes.js';
import { EVIDENCE_BYTES } from '../checks/check.js';
import { listedTargets } from '../run/listed-targets.js';
import { lateStepEvents, messageEvents, messagesBytes } from './notification-sizes.js';
import type { ActionStep, ApprovalRules, Plan, PlannedStep, TargetPlan } from './plan.js';
import type { ApprovalReport, ApprovalVote, RunReport, StepReport, TargetReport } from '../report/report.js';
import type { StepProgress } from '../report/progress.js';
import {
  HISTORY_BYTES,
  HISTORY_EVENTS,
  LONGEST_FREEZE_NAME_BYTES,
  LONGEST_SHOWN,
  MEMO_REPORT_BYTES,
  OBSERVATION_BYTES,
  PAYLOAD_BYTES,
  RESULT_REPORT_BYTES,
  SEARCH_ATTRIBUTE_BYTES,
  targetReportBytes,
  TRAIL_BYTES,
} from '../sizes.js';
import { LONGEST_ARGUMENT, MOST_RUN_COMMANDS, MOST_TARGET_COMMANDS } from '../steering/commands.js';
import { targetReport } from '../report/target-report.js';
import { leaseId, type Observation } from '../target/target.js';

/** One size of a run at its largest: bytes as JSON, or events. */
export interface PlannedSize {
  readonly what: string;
  readonly size: number;
  readonly atMost: number;
  readonly unit: 'bytes' | 'events';
}

/** Every size that a plan determines and Temporal limits. */
export function plannedSizes(plan: Plan): PlannedSize[] {
  const bytes = (what: string, size: number, atMost: number): PlannedSize => ({ what, size, atMost, unit: 'bytes' });
  const events = (what: string, size: number): PlannedSize => ({ what, size, atMost: HISTORY_EVENTS, unit: 'events' });
  const { targets } = plan;
  const largest = (of: (target: TargetPlan) => number) => Math.max(0, ...targets.map(of));
  const reportBytes = targetReportBytes(targets.length);
  return [
    bytes('the plan', jsonBytes(plan), PAYLOAD_BYTES),
    bytes('the list of targets in the search attribute', searchAttributeBytes(plan), SEARCH_ATTRIBUTE_BYTES),
    bytes("the arguments of a target's workflow", largest(targetArgumentsBytes), PAYLOAD_BYTES),
    bytes("a target's report in short form", largest(shortReportBytes), reportBytes),
    bytes('what a target shows of its progress', largest(progressBytes), PAYLOAD_BYTES),
    bytes('the list of targets in the report', shortestReportBytes(plan), MEMO_REPORT_BYTES),
    bytes(
      "the history of a target's workflow",
      largest((target) => targetHistoryBytes(target, plan)),
      HISTORY_BYTES,
    ),
    events(
      "the history of a target's workflow",
      largest((target) => targetHistoryEvents(target, plan)),
    ),
    bytes('the history of the run', runHistoryBytes(plan, reportBytes), HISTORY_BYTES),
    events('the history of the run', runHistoryEvents(plan)),
  ];
}

/** The sizes that exceed a limit, with figures. */
export function sizeProblems(plan: Plan): Problem[] {
  return plannedSizes(plan)
    .filter(({ size, atMost }) => size > atMost)
    .map(({ what, size, atMost, unit }) => ({
      code: 'too-large',
      place: 'the run as a whole',
      found: `${what} could reach ${figure(size)} ${unit}, and Temporal can store only ${figure(atMost)}`,
      remedy: `Start several runs with fewer targets (here ${plan.targets.length}), or give the runbook fewer steps, shorter inputs or a shorter wait`,
    }));
}

/** `1,234,567` */
function figure(value: number): string {
  return String(Math.ceil(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

function searchAttributeBytes({ targets }: Plan): number {
  return jsonBytes(listedTargets(targets.map(({ target }) => target.path)));
}

/** Beside the target's plan: names, limits, times, why a gate closes. */
const ARGUMENTS_BYTES = 3_000;

function targetArgumentsBytes(target: TargetPlan): number {
  return jsonBytes(target) + ARGUMENTS_BYTES;
}

/** Assumes that every step and every undo failed, and that every effect remains. */
function shortReportBytes(targetPlan: TargetPlan): number {
  return jsonBytes(withShortSteps(worstReport(targetPlan)));
}

/** The run's longest report if no target has room for its steps. */
function shortestReportBytes(plan: Plan): number {
  const report: RunReport = {
    reportVersion: 1,
    runbook: plan.runbook,
    workflowId: filler(LONGEST.id),
    runId: UUID,
    outcome: 'compensationFailed',
    summary: filler(LONGEST.sentence),
    planHash: filler(64),
    requestedBy: plan.requestedBy,
    reason: plan.reason,
    startedAtMs: TIME_MS,
    endedAtMs: TIME_MS,
    targets: plan.targets.map((target) => worstReport({ ...target, steps: [] })),
    notStarted: [],
    ...(plan.approval === undefined ? {} : { approval: worstApproval(plan.approval) }),
    ...(plan.resumes === undefined ? {} : { resumes: { workflowId: plan.resumes.workflowId, runId: UUID } }),
    failure: worstFailure(LONGEST.sentence),
  };
  return leastReportBytes(report);
}

function progressBytes({ target, steps }: TargetPlan): number {
  const shown = steps.map(({ id }): StepProgress => ({
    id,
    title: filler(LONGEST_SHOWN.title),
    state: 'indeterminate',
    startedAtMs: TIME_MS,
    endedAtMs: TIME_MS,
    cloudJobId: filler(LONGEST.id),
    seen: filler(LONGEST_SHOWN.seen),
    failure: filler(LONGEST_SHOWN.failure),
    usual: { p50Ms: TIME_MS, p90Ms: TIME_MS, jobs: 1_000_000 },
  }));
  return jsonBytes(target) + 2 * jsonBytes(shown);
}

/** Temporal's own part of an event: who, when, which build. Measured: 100 to 300. */
const EVENT_BYTES = 300;
/** Messages, evidence, and what settling found. */
const MESSAGES_BYTES = 4_000;

/** The id of a cloud job in a list; 36 bytes are usual. */
const CLOUD_JOB_BYTES = 70;

/** Assumes that each step is sent and settled, and so is its undo. */
function targetHistoryBytes({ target, steps, usual = [] }: TargetPlan, plan: Plan): number {
  // Every step carries the ids of those before it: on average half of all steps and undos.
  const knownCloudJobs = CLOUD_JOB_BYTES * (steps.length + 1);
  const decisionBytes = (step: ActionStep): number => {
    const request = jsonBytes(target) + jsonBytes(step) + knownCloudJobs + OBSERVATION_BYTES + ARGUMENTS_BYTES;
    const performed = request + OBSERVATION_BYTES + TRAIL_BYTES + MESSAGES_BYTES;
    const settled = request + 2 * OBSERVATION_BYTES + MESSAGES_BYTES;
    return performed + settled;
  };
  const perStep = steps.map((step) => {
    if (step.kind === 'action') return 2 * decisionBytes(step);
    return step.kind === 'check' ? 2 * jsonBytes(step) + EVIDENCE_BYTES + MESSAGES_BYTES : jsonBytes(step);
  });
  // Each command may lead to one more reading and one more decision about the longest step.
  const longest = Math.max(0, ...steps.map((step) => (step.kind === 'action' ? decisionBytes(step) : 0)));
  const commands = mostDecisions(plan) * (longest + COMMAND_BYTES);
  const own = targetArgumentsBytes({ target, seen: NOTHING_SEEN, steps, usual }) + OBSERVATION_BYTES;
  const orders = asksForApproval(plan) ? MOST_RUN_COMMANDS * SIGNED_BYTES : 0;
  return (
    sum(perStep) +
    own +
    commands +
    orders +
    EVENT_BYTES * targetHistoryEvents({ target, seen: NOTHING_SEEN, steps }, plan)
  );
}

/** An activity has 3 events, and the workflow task that receives its result 3 more. */
function targetHistoryEvents({ steps }: TargetPlan, plan: Plan): number {
  const decisions = mostDecisions(plan) * EVENTS_OF_DECISION;
  return 60 + steps.length * 4 * 6 + decisions + MOST_RUN_COMMANDS * EVENTS_OF_ORDER + lateStepEvents(plan, steps);
}

/** A command as the history has it: the Update with its answer. */
const COMMAND_BYTES = 12_000;
/** A signed decision: the token is in the Update, in what is verified, and in what the target receives. */
const SIGNED_BYTES = 3 * LONGEST_ARGUMENT.token;
/** The Update, a reading, two activities, and what the run receives: 8 workflow tasks. */
const EVENTS_OF_DECISION = 40;
/** The run's order to pause or to continue, and the answer to it. */
const EVENTS_OF_ORDER = 8;
/** The Update, the order to the target, its answer, and the search attribute. */
const EVENTS_OF_COMMAND = 16;

/** A target that waits for no one accepts no command. */
function mostDecisions({ operatorWaitMs = 0 }: Plan): number {
  return operatorWaitMs === 0 ? 0 : MOST_TARGET_COMMANDS;
}

function asksForApproval({ approval, targets }: Plan): boolean {
  return approval !== undefined || targets.some(({ steps }) => steps.some(({ kind }) => kind === 'approval'));
}

function runHistoryBytes(plan: Plan, reportBytes: number): number {
  const { targets } = plan;
  const gateChecks = mostGateChecks(plan) * (gateCheckBytes(plan) + 6 * EVENT_BYTES);
  const children = sum(targets.map(targetArgumentsBytes)) + targets.length * (reportBytes + 24 * EVENT_BYTES);
  // Start arguments are part of the plan; the report is in the memo and in the result.
  const signed = asksForApproval(plan) ? SIGNED_BYTES : 0;
  const commands = MOST_RUN_COMMANDS * (COMMAND_BYTES + signed + EVENTS_OF_COMMAND * EVENT_BYTES);
  const reports = MEMO_REPORT_BYTES + 2 * RESULT_REPORT_BYTES;
  return (
    2 * jsonBytes(plan) +
    children +
    gateChecks +
    commands +
    messagesBytes(plan) +
    EVENT_BYTES * messageEvents(plan) +
    reports
  );
}

function runHistoryEvents(plan: Plan): number {
  // Each target may report each of its decisions: that it is blocked, and that it continues.
  const reported = plan.targets.length * mostDecisions(plan) * 2 * 4;
  const commands = MOST_RUN_COMMANDS * EVENTS_OF_COMMAND;
  return 60 + plan.targets.length * 24 + mostGateChecks(plan) * 6 + commands + reported + messageEvents(plan);
}

/** Gates are checked before each target, after each wait, and once more if a gate closed before anything was sent. */
function mostGateChecks({ guards, targets }: Plan): number {
  if (guards === undefined) return 0;
  return 2 * targets.length + 2 * Math.ceil((guards.waitAtMostMs ?? 0) / CHECK_AGAIN_MS);
}

/** The calendars' answer in the marker of a check. */
function gateCheckBytes({ guards }: Plan): number {
  const names = guards?.freeze ?? [];
  if (names.length === 0) return 0;
  const longest = Math.max(...names.map(jsonBytes));
  return MOST_FREEZES * (longest + LONGEST_FREEZE_NAME_BYTES + 100) + 3 * LONGEST.path;
}

const NOTHING_SEEN: Observation = {
  observedAtMs: 0,
  status: '',
  version: null,
  replicaCount: null,
  availableReplicaCount: null,
  hosts: null,
  lastJobId: null,
  lastJobStatus: null,
  failDetail: null,
};
const TIME_MS = 4_102_444_800_000;
const UUID = '00000000-0000-4000-8000-000000000000';

function filler(length: number): string {
  return 'x'.repeat(length);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function worstReport({ target, steps }: TargetPlan): TargetReport {
  const { path, instanceId } = target;
  const actions = steps.filter((step): step is ActionStep => step.kind === 'action');
  const seen = { ...NOTHING_SEEN, status: filler(LONGEST.id), failDetail: filler(LONGEST.text), hosts: HOSTS };
  const required = { path, instanceId, leaseId: leaseId(target), outcome: 'compensationFailed' } as const;
  return targetReport(required, {
    childRunId: UUID,
    steps: steps.map(worstStep),
    compensations: actions.map((step) => ({ ...worstStep(step), id: `undo-${step.id}`, action: worstUndo(step) })),
    remaining: actions.map(({ id, action }) => ({
      stepId: id,
      action,
      why: filler(LONGEST.why - 2),
      kind: 'irreversible',
    })),
    lastSeen: {
      ...seen,
      version: filler(LONGEST.id),
      lastJobId: filler(LONGEST.id),
      lastJobStatus: filler(LONGEST.id),
    },
  });
}

function worstStep(step: PlannedStep): StepReport {
  return {
    id: step.id,
    action: step.kind === 'action' ? step.action : null,
    result: 'indeterminate',
    sent: 'unknown',
    cloudJobId: filler(LONGEST.id - 2),
    cloudJobTook: { runningAtMs: TIME_MS, endedByMs: TIME_MS },
    notHeld: true,
    usual: { p50Ms: TIME_MS, p90Ms: TIME_MS, jobs: 1_000_000 },
    startedAtMs: TIME_MS,
    endedAtMs: TIME_MS,
    before: null,
    after: null,
    attempts: 1_000_000,
    trail: [],
    ...(step.kind === 'approval' ? { approval: worstApproval(step) } : {}),
    failure: worstFailure(LONGEST.why - 2),
  };
}

/** The longest report of an approval: as many people as one can need, and one who rejects. */
function worstApproval({ need, roles, notRequester }: ApprovalRules): ApprovalReport {
  const vote: ApprovalVote = {
    command: 'approve',
    actor: filler(LONGEST_ARGUMENT.actor),
    reason: filler(LONGEST.why),
    atMs: TIME_MS,
    roles,
    signedBy: filler(LONGEST_ARGUMENT.actor),
  };
  const votes = Array.from({ length: need + 1 }, () => vote);
  return { result: 'cancelled', need, roles, notRequester, askedAtMs: TIME_MS, endedAtMs: TIME_MS, votes };
}

/** As many as a short form keeps, and one for the rest. */
const HOSTS = Array.from({ length: 21 }, () => filler(LONGEST.id - 2));

function worstUndo({ action, compensation }: ActionStep): Action {
  if (compensation.kind === 'action') return compensation.action;
  return action.action === 'scale' ? { action: 'scale', replica: 1_000_000, hosts: HOSTS } : { action: 'start' };
}

/** The failure with the longest name and advice. */
function worstFailure(messageBytes: number): FailureRecord {
  const names = Object.keys(FAILURES) as FailureName[];
  const name = names.reduce((longest, each) => (each.length > longest.length ? each : longest));
  return { name, message: filler(messageBytes), advice: longestAdvice() };
}
