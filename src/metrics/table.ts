/**
 * Every metric of worker and gateway: name, type, help, labels. This is the whole truth: the registries are made from it, the tables of
 * docs/monitoring.md are printed from it, and tests hold the dashboard and the alert rules to it.
 *
 * Label values come from closed sets and from files of the operator, never from a target or a caller, so that the number of series is bounded.
 */
import { FAILURES } from '../domain/failures.js';
import type { Ending } from '../domain/once/state.js';
import type { EndedStep } from '../domain/run/observed.js';
import { OUTCOMES } from '../domain/report/report.js';
import { ACTION_NAMES } from '../domain/target/actions.js';

/** One metric. Durations are in seconds. */
export interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
  /**
   * Series that exist from the start, with 0: Prometheus does not see the increase of a counter or a histogram that begins at 1. They are all
   * combinations of these values; a metric without labels begins with 0 in any case.
   */
  readonly from?: Readonly<Record<string, readonly string[]>>;
}

/** From a fast call to one that runs into its time limit. */
const CALL_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Cloud jobs take from a second to an hour. */
const JOB_SECONDS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];
/** From one poll interval to the longest. */
const LATENESS_SECONDS = [0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120];
/** Runs of one step, and runs of many targets that wait for people or a window. */
const RUN_SECONDS = [5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400];
/** People and maintenance windows take minutes to days. */
const WAIT_SECONDS = [10, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800];

/** An attempt may not know its action, such as one that settles after a reset. It counts as `none`. */
const ACTIONS_AND_NONE = [...ACTION_NAMES, 'none'];
const STEP_KINDS: Readonly<Record<Exclude<EndedStep['work'], (typeof ACTION_NAMES)[number]>, true>> = {
  wait: true,
  check: true,
  approval: true,
};
const STEP_RESULTS: Readonly<Record<EndedStep['result'], true>> = {
  succeeded: true,
  skipped: true,
  failed: true,
  indeterminate: true,
  cancelled: true,
};
const ENDINGS: Readonly<Record<Ending['kind'] | 'retried', true>> = {
  succeeded: true,
  skipped: true,
  failed: true,
  retried: true,
  cancelled: true,
  indeterminate: true,
  superseded: true,
};

/** Those of a worker. */
export const WORKER_METRICS = {
  runbook_runs_total: {
    type: 'counter',
    help: 'Runs that have ended, by runbook and outcome. The runbook is empty for a run that could not be planned',
    labels: ['runbook', 'outcome'],
    from: { runbook: [''], outcome: OUTCOMES },
  },
  runbook_run_duration_seconds: {
    type: 'histogram',
    help: 'Time from the start of a run to its end, waits included, by outcome',
    labels: ['outcome'],
    from: { outcome: OUTCOMES },
    buckets: RUN_SECONDS,
  },
  runbook_steps_total: {
    type: 'counter',
    help: 'Steps that have ended, by what they do and result',
    labels: ['action', 'result'],
    from: { action: [...ACTION_NAMES, ...Object.keys(STEP_KINDS)], result: Object.keys(STEP_RESULTS) },
  },
  runbook_undos_total: {
    type: 'counter',
    help: 'Undos that have ended, by their action and result',
    labels: ['action', 'result'],
    from: { action: ACTION_NAMES, result: ['succeeded', 'failed', 'indeterminate'] },
  },
  runbook_runs_open: {
    type: 'gauge',
    help: 'Runs of the task queue that have not ended. Every worker reports the same number: use max, not sum',
    labels: [],
  },
  runbook_runs_waiting: {
    type: 'gauge',
    help: 'Open runs of the task queue that wait for a person, by state. Every worker reports the same number. Absent without the search attribute RunbookState',
    labels: ['state'],
  },
  runbook_approvals_total: {
    type: 'counter',
    help: 'Approvals that have ended, by result',
    labels: ['result'],
    from: { result: ['approved', 'rejected', 'expired', 'cancelled'] },
  },
  runbook_approval_wait_seconds: {
    type: 'histogram',
    help: 'Time from the question for an approval to its end',
    labels: [],
    buckets: WAIT_SECONDS,
  },
  runbook_gate_wait_seconds: {
    type: 'histogram',
    help: 'Time that a run waited for windows and freezes, before all its targets together. Runs that did not wait are not counted',
    labels: [],
    buckets: WAIT_SECONDS,
  },
  runbook_attempts_total: {
    type: 'counter',
    help: 'Attempts of actions (goal act) and of settling (goal settle) that have ended, by action and ending; retried: another attempt follows',
    labels: ['goal', 'action', 'ending'],
    from: { goal: ['act', 'settle'], action: ACTIONS_AND_NONE, ending: Object.keys(ENDINGS) },
  },
  runbook_attempt_failures_total: {
    type: 'counter',
    help: 'Attempts that failed, retried ones included, by failure (docs/failures.md)',
    labels: ['failure'],
    from: { failure: Object.keys(FAILURES) },
  },
  runbook_indeterminate_total: {
    type: 'counter',
    help: 'Attempts after which readings do not show whether the action was carried out, by action',
    labels: ['action'],
    from: { action: ACTIONS_AND_NONE },
  },
  runbook_adoptions_total: {
    type: 'counter',
    help: 'Cloud jobs that were found by reading and taken as ours, by action',
    labels: ['action'],
    from: { action: ACTION_NAMES },
  },
  runbook_settle_duration_seconds: {
    type: 'histogram',
    help: 'Time from the decision to settle an instance until it was clear what had happened',
    labels: [],
    buckets: JOB_SECONDS,
  },
  runbook_cloud_job_duration_seconds: {
    type: 'histogram',
    help: 'Age of a cloud job when it was seen to have ended, by action. Adopted ones are not counted: their age is not known',
    labels: ['action'],
    from: { action: ACTION_NAMES },
    buckets: JOB_SECONDS,
  },
  runbook_cloud_job_lateness_seconds: {
    type: 'histogram',
    help: 'Time between the last poll that saw a cloud job running, or its start, and the one that saw its end: its end was seen at most so late',
    labels: ['action'],
    from: { action: ACTION_NAMES },
    buckets: LATENESS_SECONDS,
  },
  runbook_cloud_job_polls_total: {
    type: 'counter',
    help: 'Answers to the question whether a cloud job has ended, by action',
    labels: ['action'],
    from: { action: ACTION_NAMES },
  },
  runbook_servicestage_calls_total: {
    type: 'counter',
    help: 'HTTP requests to ServiceStage and IAM, by kind and HTTP status; none: no answer, notSent: given up before the first byte or by us',
    labels: ['kind', 'status'],
  },
  runbook_servicestage_call_duration_seconds: {
    type: 'histogram',
    help: 'Time of an HTTP request to ServiceStage or IAM, by kind',
    labels: ['kind'],
    buckets: CALL_SECONDS,
  },
  runbook_servicestage_throttled_total: {
    type: 'counter',
    help: 'Answers 429. Each pauses all requests of this process',
    labels: [],
  },
  runbook_servicestage_budget_wait_seconds: {
    type: 'histogram',
    help: 'Time that a request waited for a place in the request budget, by kind of request',
    labels: ['request'],
    from: { request: ['post', 'read'] },
    buckets: [0, ...CALL_SECONDS, 60, 120],
  },
  runbook_servicestage_budget_exhausted_total: {
    type: 'counter',
    help: 'Requests that got no place in the request budget in time',
    labels: ['request'],
    from: { request: ['post', 'read'] },
  },
  runbook_clock_ahead_seconds: {
    type: 'gauge',
    help: 'How far the clock of this machine is ahead of the newest answer of ServiceStage or IAM. Absent before the first answer',
    labels: [],
  },
  runbook_notifications_total: {
    type: 'counter',
    help: 'Notifications that are over, by webhook and result. The webhook is empty if the notifications file has none of that name',
    labels: ['webhook', 'result'],
    from: { webhook: [''], result: ['unknown'] },
  },
  runbook_cached_workflows_limit: {
    type: 'gauge',
    help: 'Workflows that this worker keeps in memory at most; temporal_sticky_cache_size shows how many there are',
    labels: [],
  },
  runbook_slots_limit: {
    type: 'gauge',
    help: 'Tasks that this worker carries at once at most, by kind of worker_type in temporal_worker_task_slots_used',
    labels: ['worker_type'],
  },
  runbook_ready: {
    type: 'gauge',
    help: '1 if a check of /readyz passes, 0 if not, by check',
    labels: ['check'],
  },
  runbook_file_problems: {
    type: 'gauge',
    help: 'Problems of the runbook files and calendar folders of this worker',
    labels: ['kind'],
  },
  runbook_sdk_metrics_up: {
    type: 'gauge',
    help: "1 if this page has the metrics of Temporal's SDK, 0 if they could not be read",
    labels: [],
  },
  runbook_worker_info: {
    type: 'gauge',
    help: '1; namespace and task queue of this worker are the labels',
    labels: ['namespace', 'task_queue'],
  },
} as const satisfies Readonly<Record<string, Metric>>;

/** Those of a gateway. */
export const GATEWAY_METRICS = {
  runbook_gateway_deliveries_total: {
    type: 'counter',
    help: 'HTTP deliveries by sender and result',
    labels: ['sender', 'result'],
  },
  runbook_gateway_refused_deliveries_total: {
    type: 'counter',
    help: 'Deliveries refused by sender and reason',
    labels: ['sender', 'reason'],
  },
  runbook_gateway_rejected_requests_total: {
    type: 'counter',
    help: 'Requests that reached no sender by reason',
    labels: ['reason'],
  },
  runbook_gateway_alarms_total: {
    type: 'counter',
    help: 'Alarms read from deliveries by sender and status',
    labels: ['sender', 'status'],
  },
  runbook_gateway_decisions_total: {
    type: 'counter',
    help: 'Decisions by rule and kind, counted once they are durable',
    labels: ['rule', 'decision'],
  },
  runbook_gateway_queued_alarms: {
    type: 'gauge',
    help: 'Alarms that wait for the decision of their rule',
    labels: ['rule'],
  },
} as const satisfies Readonly<Record<string, Metric>>;
