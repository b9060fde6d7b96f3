/** `run`: the default workflow, whose type name is the runbook's name. Plans, runs the targets (one after another, in an emergency all at once), and closes with a report. */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  defineQuery,
  defineSignal,
  isCancellation,
  log,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { ALARM_RULE_PREFIX, WITHDRAW_SIGNAL } from '../domain/alarms/alarm.js';
import {
  OUTCOME_SEARCH_ATTRIBUTE,
  PROGRESS_QUERY,
  REPORT_MEMO,
  SCHEDULED_BY_SEARCH_ATTRIBUTE,
  TARGET_SEARCH_ATTRIBUTE,
} from '../domain/contract.js';
import { storedReport } from '../domain/report/cut-report.js';
import type { Plan } from '../domain/plan/plan.js';
import type { Outcome, RunReport } from '../domain/report/report.js';
import type { RunProgress } from '../domain/report/progress.js';
import { runReport, type RunEnd } from '../domain/report/run-report.js';
import { listedTargets } from '../domain/run/listed-targets.js';
import { endedApproval, endedRun } from '../domain/run/observed.js';
import { afterEvent, NOT_WITHDRAWN, withdrawnBy, type WithdrawalEvent } from '../domain/run/withdrawal.js';
import { MEMO_REPORT_BYTES, RESULT_REPORT_BYTES } from '../domain/sizes.js';
import { LEASE_PREFIX } from '../domain/target/target.js';
import { invalidStart, rootFailure } from './failure.js';
import { Gates } from './gates.js';
import { observer } from './observer.js';
import { makePlan } from './proxies.js';
import { RunNotifications } from './run-notifications.js';
import { RunProgressView } from './run-progress.js';
import { RunSteering } from './run-steering.js';
import { runTargets, type RunUnderWay } from './run-targets.js';

const runProgressQuery = defineQuery<RunProgress>(PROGRESS_QUERY);
const withdrawSignal = defineSignal<[string]>(WITHDRAW_SIGNAL);
const outcomeKey = defineSearchAttributeKey(OUTCOME_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD);
const scheduledByKey = defineSearchAttributeKey(SCHEDULED_BY_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD);
const targetsKey = defineSearchAttributeKey(TARGET_SEARCH_ATTRIBUTE, SearchAttributeType.KEYWORD_LIST);

/**
 * @returns the report, or for `dryRun` the plan
 * @throws if the outcome is not `succeeded`: the workflow closes Failed or Cancelled, and its memo has the report
 */
export async function run(startArguments: unknown): Promise<RunReport | Plan> {
  const scope = CancellationScope.current();
  const progress = new RunProgressView();
  let withdrawal = NOT_WITHDRAWN;
  const note = (event: WithdrawalEvent) => {
    withdrawal = afterEvent(withdrawal, event);
    if (withdrawnBy(withdrawal) !== null) scope.cancel();
  };
  setHandler(runProgressQuery, () => progress.current);
  setHandler(withdrawSignal, (by: unknown) => note({ kind: 'asked', by }));

  const notifications = new RunNotifications();
  const steering = new RunSteering(progress, notifications);

  const { plan, early } = await planRun(startArguments);
  if (plan?.dryRun === true) return plan;
  const result =
    plan === null
      ? { targets: [], gates: [], early }
      : await carryOut(plan, { progress, note, steering, notifications });
  const cancelRequested = scope.consideredCancelled;
  await steering.approvals.answered();
  const { commands } = steering;
  const { report: approval } = steering.approvals;
  const report = reportOf({
    ...result,
    plan,
    cancelRequested,
    withdrawnBy: withdrawnBy(withdrawal),
    commands,
    approval,
  });
  progress.finished(report.outcome);
  steering.finished();
  if (report.approval !== undefined) observer.approvalEnded(endedApproval(report.approval));
  observer.runEnded(endedRun(report));
  return close(await withNotifications(report, notifications), cancelRequested && !steering.isAborted);
}

/** Without a plan the run ends. `early` is the reason, or `null` if it was cancelled. */
async function planRun(startArguments: unknown): Promise<Pick<RunEnd, 'plan' | 'early'>> {
  const { workflowId, workflowType } = workflowInfo();
  try {
    requireRunId(workflowId);
    const plan = await makePlan(workflowType, startArguments);
    if (plan.emergency === true && !plan.dryRun) requirePerson(workflowType);
    return { plan, early: null };
  } catch (error) {
    const isCancelled = CancellationScope.current().consideredCancelled && isCancellation(error);
    return { plan: null, early: isCancelled ? null : { outcome: 'refused', failure: rootFailure(error) } };
  }
}

/** A run with such an id would block the workflow that the id is meant for. */
function requireRunId(workflowId: string): void {
  const reserved = { [LEASE_PREFIX]: 'leases on instances', [ALARM_RULE_PREFIX]: 'alarm rules' };
  for (const [prefix, meaning] of Object.entries(reserved))
    if (workflowId.startsWith(prefix))
      throw invalidStart(`A run cannot have the id ${workflowId}: ids that begin with ${prefix} are for ${meaning}`);
}

/** Whatever a file contains or a worker accepts: a schedule or an alarm rule starts no emergency. */
function requirePerson(runbook: string): void {
  const { parent, typedSearchAttributes } = workflowInfo();
  const isScheduled = typedSearchAttributes.get(scheduledByKey) !== undefined;
  if (isScheduled || parent?.workflowId.startsWith(ALARM_RULE_PREFIX) === true)
    throw invalidStart(`${runbook} is for emergencies: a person starts it, and no schedule or alarm rule`);
}

async function carryOut(plan: Plan, under: Omit<RunUnderWay, 'plan' | 'gates'>) {
  const { progress, steering, notifications } = under;
  log.info('run planned', { targets: plan.targets.length });
  progress.planned(plan);
  notifications.planned(plan);
  steering.planned(plan);
  const paths = plan.targets.map(({ target }) => target.path);
  upsertSearchAttributes([{ key: targetsKey, value: listedTargets(paths) }]);
  const gates = new Gates(plan.guards, progress, (path, waiting) => notifications.waitsForGate(path, waiting));
  const { targets, early } = await runTargets({ ...under, plan, gates });
  if (gates.waitedMs > 0) observer.gateWaited(gates.waitedMs);
  return { targets, early, gates: gates.reports };
}

function reportOf(end: Omit<RunEnd, 'runbook' | 'workflowId' | 'runId' | 'startedAtMs' | 'endedAtMs'>): RunReport {
  const { workflowType, workflowId, runId, startTime } = workflowInfo();
  return runReport({
    ...end,
    runbook: workflowType,
    workflowId,
    runId,
    startedAtMs: startTime.getTime(),
    endedAtMs: Date.now(),
  });
}

/**
 * Everything that the run had to do is done, and its leases are free. While webhooks are still notified, the report can be read already.
 *
 * @returns the report with what came of the notifications
 */
async function withNotifications(report: RunReport, notifications: RunNotifications): Promise<RunReport> {
  notifications.notifyOf({ kind: 'ended', report });
  if (notifications.isDelivering) remember(report);
  const deliveries = await notifications.finish();
  return deliveries.length === 0 ? report : { ...report, notifications: deliveries };
}

function remember(report: RunReport): void {
  upsertMemo({ [REPORT_MEMO]: storedReport(report, MEMO_REPORT_BYTES) });
  upsertSearchAttributes([{ key: outcomeKey, value: report.outcome }]);
}

/** The level of the log line: `error` asks for a person. */
const LEVELS: Readonly<Record<Outcome, 'info' | 'warn' | 'error'>> = {
  succeeded: 'info',
  cancelled: 'info',
  compensated: 'warn',
  refused: 'warn',
  expired: 'warn',
  failed: 'warn',
  compensationFailed: 'error',
  indeterminate: 'error',
};

function logEnd({ outcome, summary }: RunReport): void {
  log[LEVELS[outcome]]('run ended', { outcome, summary });
}

/**
 * The report goes to the memo first: a workflow that closes Cancelled carries neither result nor details. Each place gets as much of it as
 * fits, because Temporal never lets a run close whose report is too long; the targets' own workflows have the rest.
 */
function close(report: RunReport, cancelRequested: boolean): RunReport {
  const stored = storedReport(report, RESULT_REPORT_BYTES);
  remember(report);
  logEnd(report);
  if (stored.outcome === 'succeeded') return stored;
  // Temporal takes Cancelled only from a workflow that was asked to cancel. A withdrawn or aborted run was not, nor one whose target alone was
  // cancelled.
  if (stored.outcome === 'cancelled' && cancelRequested && stored.withdrawnBy === undefined)
    throw new CancelledFailure(stored.summary);
  throw ApplicationFailure.create({
    type: stored.outcome,
    message: stored.summary,
    details: [stored],
    nonRetryable: true,
  });
}
