/**
 * Cuts reports to the sizes that Temporal stores. Details are left out in three stages: trails, then readings, then the steps themselves. The
 * outcomes, and where the whole report is, always stay. Sizes are bytes of JSON.
 */
import type { Action } from '../target/actions.js';
import type { FailureRecord } from '../failures.js';
import { jsonBytes, shortened } from '../text/json-bytes.js';
import type { Observation } from '../target/target.js';
import type {
  ApprovalReport,
  CommandRecord,
  DecidedUpon,
  RemainingEffect,
  ReportCut,
  RunReport,
  StepReport,
  TargetReport,
} from './report.js';
import { targetReport } from './target-report.js';

/** The longest texts of the short forms, in bytes of JSON. An id of ServiceStage has 36 characters; the others are chosen. */
export const LONGEST = { id: 100, path: 1_500, why: 300, text: 1_500, sentence: 1_000, reason: 4_000, refusal: 20_000 };
const LAST_TRAIL_ENTRIES = 5;
const LAST_DECISIONS = 5;
const MOST_HOSTS = 20;

/** The report of a target's own workflow: whole, or the longest of its shorter forms that has at most `maxBytes`. */
export function boundedTargetReport(report: TargetReport, maxBytes: number): TargetReport {
  if (jsonBytes(report) <= maxBytes) return report;
  const short = [withShortTrails(report), withShortSteps(report)].find((form) => jsonBytes(form) <= maxBytes);
  return short ?? withoutSteps(report);
}

/**
 * The report of a run: whole where it has at most `maxBytes`. Otherwise each target keeps its outcome and where its own report is, and as many
 * targets as fit keep their steps in short form. The last target comes first, because it is the one that did not succeed.
 */
export function storedReport(report: RunReport, maxBytes: number): RunReport {
  if (!isLonger(report, maxBytes)) return report;
  const frame = frameOf(report);
  const room = maxBytes - jsonBytes({ ...frame, gates: [], commands: [], ...placeFor(report) });
  const bare = report.targets.map(withoutSteps);
  const named = lastThatFit([...bare, ...report.notStarted], room);
  const targets = bare.slice(Math.max(0, bare.length + report.notStarted.length - named.length));
  const notStarted = report.notStarted.slice(Math.max(0, report.notStarted.length - named.length));
  const gates = lastThatFit(report.gates ?? [], room - bytesOf([...targets, ...notStarted]));
  const whole = report.targets.slice(report.targets.length - targets.length);
  const commands = lastThatFit(report.commands ?? [], room - bytesOf([...targets, ...notStarted, ...gates]));
  const notifications = lastThatFit(
    report.notifications ?? [],
    room - bytesOf([...targets, ...notStarted, ...gates, ...commands]),
  );
  const lists = [...targets, ...notStarted, ...gates, ...commands, ...notifications];
  const detailed = withDetails(targets, whole, room - bytesOf(lists));
  const fewerNotifications = (report.notifications?.length ?? 0) - notifications.length;
  const fewer = (report.commands?.length ?? 0) - commands.length;
  const cut: ReportCut = {
    targets: detailed.filter((target, index) => target !== whole[index]).length,
    gates: (report.gates?.length ?? 0) - gates.length,
    ...(fewer === 0 ? {} : { commands: fewer }),
    ...(fewerNotifications === 0 ? {} : { notifications: fewerNotifications }),
    dropped: bare.length + report.notStarted.length - named.length,
  };
  return {
    ...frame,
    targets: detailed,
    notStarted,
    ...(gates.length === 0 ? {} : { gates }),
    ...(commands.length === 0 ? {} : { commands }),
    ...(notifications.length === 0 ? {} : { notifications }),
    cut,
  };
}

/** Adds up the targets first, which is usually enough to know: a report can have 24 MB, and this is asked twice at the end of a run. */
function isLonger(report: RunReport, maxBytes: number): boolean {
  let bytes = 0;
  return report.targets.some((target) => (bytes += jsonBytes(target)) > maxBytes) || jsonBytes(report) > maxBytes;
}

/** The bytes of the shortest form that still names every target. With less room, some targets are dropped. */
export function leastReportBytes(report: RunReport): number {
  const { notStarted } = report;
  return jsonBytes({
    ...frameOf(report),
    targets: report.targets.map(withoutSteps),
    notStarted,
    gates: [],
    commands: [],
    notifications: [],
    cut: MOST_CUT,
  });
}

/** A report without notifications needs no place for them. */
function placeFor({ notifications }: RunReport): Pick<RunReport, 'notifications' | 'cut'> {
  if (notifications !== undefined) return { notifications: [], cut: MOST_CUT };
  const { notifications: _none, ...cut } = MOST_CUT;
  return { cut };
}

/** As many digits as any count can have. */
const MOST_CUT: ReportCut = {
  targets: 1_000_000,
  gates: 1_000_000,
  commands: 1_000_000,
  notifications: 1_000_000,
  dropped: 1_000_000,
};
const COMMA = 1;

/** Everything but the lists. */
function frameOf({
  gates: _gates,
  commands: _commands,
  notifications: _notifications,
  ...report
}: RunReport): RunReport {
  const { failure, reason, requestedBy, withdrawnBy, summary, targets, runbook, approval } = report;
  return {
    ...report,
    runbook: shortened(runbook, LONGEST.text),
    summary: shortened(summary, LONGEST.sentence),
    requestedBy: requestedBy === null ? null : shortened(requestedBy, LONGEST.sentence),
    reason: reason === null ? null : shortened(reason, LONGEST.reason),
    targets: [],
    notStarted: [],
    ...(withdrawnBy === undefined ? {} : { withdrawnBy: shortened(withdrawnBy, LONGEST.sentence) }),
    ...(approval === undefined ? {} : { approval: shortApproval(approval) }),
    // The failure is all that there is to say of a run that could not be planned.
    ...(failure === undefined
      ? {}
      : { failure: shortFailure(failure, targets.length === 0 ? LONGEST.refusal : LONGEST.sentence) }),
  };
}

/** As many items from the end as fit into `room`. */
function lastThatFit<Item>(items: readonly Item[], room: number): Item[] {
  let left = room;
  const first = items.findLastIndex((item) => (left -= jsonBytes(item) + COMMA) < 0);
  return items.slice(first + 1);
}

function bytesOf(items: readonly unknown[]): number {
  return items.reduce<number>((sum, item) => sum + jsonBytes(item) + COMMA, 0);
}

/** First short steps for every target that has room, then the whole report for the last ones. Measuring whole reports takes time. */
function withDetails(bare: readonly TargetReport[], whole: readonly TargetReport[], room: number): TargetReport[] {
  const forms = [...bare];
  let left = room;
  const replace = (index: number, form: TargetReport): boolean => {
    const longer = jsonBytes(form) - jsonBytes(forms[index]);
    if (longer > left) return false;
    left -= longer;
    forms[index] = form;
    return true;
  };
  for (const [index, target] of [...whole.entries()].reverse()) replace(index, withShortSteps(target));
  for (const [index, target] of [...whole.entries()].reverse()) if (!replace(index, target)) break;
  return forms;
}

function withShortTrails(report: TargetReport): TargetReport {
  const short = (step: StepReport): StepReport => ({
    ...step,
    action: shortAction(step.action),
    before: shortObservation(step.before),
    after: shortObservation(step.after),
    trail: step.trail
      .slice(-LAST_TRAIL_ENTRIES)
      .map((entry) => (entry.note === undefined ? entry : { ...entry, note: shortened(entry.note, LONGEST.why) })),
    ...(step.check?.body == null ? {} : { check: { ...step.check, body: shortened(step.check.body, LONGEST.why) } }),
    ...(step.failure === undefined ? {} : { failure: shortFailure(step.failure, LONGEST.text) }),
    ...(step.decisions === undefined ? {} : { decisions: step.decisions.slice(-LAST_DECISIONS).map(shortDecision) }),
    ...(step.approval === undefined ? {} : { approval: shortApproval(step.approval) }),
  });
  return {
    ...report,
    steps: report.steps.map(short),
    compensations: report.compensations.map(short),
    remaining: report.remaining.map(shortEffect),
    captured: shortObservation(report.captured),
    lastSeen: shortObservation(report.lastSeen),
    ...(report.failure === undefined ? {} : { failure: shortFailure(report.failure, LONGEST.text) }),
    cut: 'trails',
  };
}

/** The short form: for each step what was done and how it ended, without readings and trails. */
export function withShortSteps(report: TargetReport): TargetReport {
  const { notReached, checksLeftOut, steps, compensations, remaining, lastSeen } = report;
  return {
    ...withoutSteps(report),
    steps: steps.map(shortStep),
    notReached,
    ...(checksLeftOut === undefined ? {} : { checksLeftOut }),
    compensations: compensations.map(shortStep),
    remaining: remaining.map(shortEffect),
    lastSeen: shortObservation(lastSeen),
    cut: 'short',
  };
}

/** The shortest form: the outcome, and where the target's own report is. */
function withoutSteps({ path, instanceId, leaseId, outcome, childRunId, failure }: TargetReport): TargetReport {
  const required = {
    path: shortened(path, LONGEST.path),
    instanceId: shortened(instanceId, LONGEST.id),
    leaseId: shortened(leaseId, LONGEST.path),
    outcome,
  };
  return targetReport(required, {
    ...(failure === undefined ? {} : { failure: shortFailure(failure, LONGEST.why) }),
    ...(childRunId === undefined ? {} : { childRunId }),
    cut: 'bare',
  });
}

function shortStep(step: StepReport): StepReport {
  const {
    id,
    action,
    result,
    sent,
    cloudJobId,
    cloudJobTook,
    startedAtMs,
    endedAtMs,
    attempts,
    notHeld,
    usual,
    failure,
    approval,
  } = step;
  return {
    id,
    action: shortAction(action),
    result,
    sent,
    cloudJobId: cloudJobId === null ? null : shortened(cloudJobId, LONGEST.id),
    ...(cloudJobTook === undefined ? {} : { cloudJobTook }),
    startedAtMs,
    endedAtMs,
    before: null,
    after: null,
    attempts,
    trail: [],
    ...(notHeld === undefined ? {} : { notHeld }),
    ...(usual === undefined ? {} : { usual }),
    ...(approval === undefined ? {} : { approval: shortApproval(approval) }),
    ...(failure === undefined ? {} : { failure: shortFailure(failure, LONGEST.why) }),
  };
}

function shortDecision({ reason, found, was, ...decision }: CommandRecord): CommandRecord {
  return {
    ...decision,
    reason: shortened(reason, LONGEST.why),
    ...(found === undefined ? {} : { found: shortened(found, LONGEST.why) }),
    ...(was === undefined ? {} : { was: shortEnd(was) }),
  };
}

function shortEnd({ trail: _trail, failure, ...was }: DecidedUpon): DecidedUpon {
  return { ...was, ...(failure === undefined ? {} : { failure: shortFailure(failure, LONGEST.why) }) };
}

function shortApproval(approval: ApprovalReport): ApprovalReport {
  const votes = approval.votes.map((vote) => ({ ...vote, reason: shortened(vote.reason, LONGEST.why) }));
  return { ...approval, votes };
}

function shortEffect({ action, why, ...effect }: RemainingEffect): RemainingEffect {
  return { ...effect, action: shortAction(action), why: shortened(why, LONGEST.why) };
}

function shortFailure({ name, message, advice }: FailureRecord, longest: number): FailureRecord {
  return { name, message: shortened(message, longest), advice };
}

function shortAction<Given extends Action | null>(action: Given): Given {
  if (action?.action === 'rollback') return { ...action, version: shortened(action.version, LONGEST.id) };
  if (action?.action === 'scale' && action.hosts !== undefined) return { ...action, hosts: shortHosts(action.hosts) };
  return action;
}

function shortHosts(hosts: readonly string[]): string[] {
  const short = hosts.slice(0, MOST_HOSTS).map((host) => shortened(host, LONGEST.id));
  return hosts.length > MOST_HOSTS ? [...short, `+${hosts.length - MOST_HOSTS} more`] : short;
}

function shortObservation(seen: Observation | null): Observation | null {
  if (seen === null) return null;
  const short = (text: string | null) => (text === null ? null : shortened(text, LONGEST.id));
  return {
    ...seen,
    status: shortened(seen.status, LONGEST.id),
    version: short(seen.version),
    hosts: seen.hosts === null ? null : shortHosts(seen.hosts),
    lastJobId: short(seen.lastJobId),
    lastJobStatus: short(seen.lastJobStatus),
    failDetail: seen.failDetail === null ? null : shortened(seen.failDetail, LONGEST.why),
  };
}
