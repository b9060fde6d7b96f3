/** The largest histories that a plan's run and its targets can have: bytes as JSON, and events. Pure. */
import { EVIDENCE_BYTES } from '../checks/check.js';
import { CHECK_AGAIN_MS, MOST_FREEZES } from '../gates/gates.js';
import { LONGEST } from '../report/cut-report.js';
import {
  LONGEST_FREEZE_NAME_BYTES,
  MEMO_REPORT_BYTES,
  OBSERVATION_BYTES,
  RESULT_REPORT_BYTES,
  TRAIL_BYTES,
} from '../sizes.js';
import { LONGEST_ARGUMENT, MOST_RUN_COMMANDS, MOST_TARGET_COMMANDS, mostRunCommands } from '../steering/commands.js';
import { jsonBytes } from '../text/json-bytes.js';
import { lateStepEvents, messageEvents, messagesBytes } from './notification-sizes.js';
import { targetsAtOnce, type ActionStep, type Plan, type TargetPlan } from './plan.js';
import { NOTHING_SEEN } from './worst-report.js';

/** Added to the target's plan for names, limits, times, and why a gate closes. */
const ARGUMENTS_BYTES = 3_000;

/** The arguments of a target's workflow, in bytes. */
export function targetArgumentsBytes(target: TargetPlan): number {
  return jsonBytes(target) + ARGUMENTS_BYTES;
}

/** Temporal's own part of an event: who, when, which build. Measured: 100 to 300. */
const EVENT_BYTES = 300;
/** Messages, evidence, and what settling found. */
const MESSAGES_BYTES = 4_000;

/** The id of a cloud job in a list; 36 bytes are usual. */
const CLOUD_JOB_BYTES = 70;

/** Assumes that each step is sent and settled, and so is its undo. */
export function targetHistoryBytes({ target, steps, usual = [] }: TargetPlan, plan: Plan): number {
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
  return sum(perStep) + own + commands + orders + EVENT_BYTES * targetHistoryEvents({ steps }, plan);
}

/** An activity has 3 events, and the workflow task that receives its result 3 more. */
export function targetHistoryEvents({ steps }: Pick<TargetPlan, 'steps'>, plan: Plan): number {
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

function mostCommands(plan: Plan): number {
  return mostRunCommands(targetsAtOnce(plan));
}

/** Every target that is under way receives the order, and answers. */
function eventsOfCommand(plan: Plan): number {
  return EVENTS_OF_COMMAND + (targetsAtOnce(plan) - 1) * EVENTS_OF_ORDER;
}

/** A target that waits for no one accepts no command. */
function mostDecisions({ operatorWaitMs = 0 }: Plan): number {
  return operatorWaitMs === 0 ? 0 : MOST_TARGET_COMMANDS;
}

function asksForApproval({ approval, targets }: Plan): boolean {
  return approval !== undefined || targets.some(({ steps }) => steps.some(({ kind }) => kind === 'approval'));
}

/** The history of the run. @param reportBytes of one target, in the result of its workflow */
export function runHistoryBytes(plan: Plan, reportBytes: number): number {
  const { targets } = plan;
  const gateChecks = mostGateChecks(plan) * (gateCheckBytes(plan) + 6 * EVENT_BYTES);
  const children = sum(targets.map(targetArgumentsBytes)) + targets.length * (reportBytes + 24 * EVENT_BYTES);
  // Start arguments are part of the plan; the report is in the memo and in the result.
  const signed = asksForApproval(plan) ? SIGNED_BYTES : 0;
  const commands = mostCommands(plan) * (COMMAND_BYTES + signed + eventsOfCommand(plan) * EVENT_BYTES);
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

/** The events in the history of the run. */
export function runHistoryEvents(plan: Plan): number {
  // Each target may report each of its decisions: that it is blocked, and that it continues.
  const reported = plan.targets.length * mostDecisions(plan) * 2 * 4;
  const commands = mostCommands(plan) * eventsOfCommand(plan);
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
