/** The metrics of a worker: what runs, activities and the ServiceStage client report, as counts and times of the table. */
import type { Delivery } from '../domain/notifications/delivery.js';
import type { Ending, OnceState } from '../domain/once/state.js';
import type { RunObserver } from '../domain/run/observed.js';
import { OUTCOMES } from '../domain/report/report.js';
import type { ActionName } from '../domain/target/actions.js';
import { MetricsRegistry } from './registry.js';
import { WORKER_METRICS } from './table.js';

const SECOND_MS = 1_000;

/** One HTTP request, as it went. */
interface Call {
  readonly kind: string;
  readonly status: string;
  readonly tookMs: number;
}

/** What a worker counts. Its methods have the form of what activities, workflows and the client call; those do not depend on metrics. */
export class WorkerMetrics {
  readonly registry = new MetricsRegistry(WORKER_METRICS);

  /** Begins the series of these runbooks and webhooks, so that their first bad end is seen as an increase. */
  begin({ runbooks = [], webhooks = [] }: { runbooks?: readonly string[]; webhooks?: readonly string[] }): void {
    for (const runbook of runbooks)
      for (const outcome of OUTCOMES) this.registry.begin('runbook_runs_total', { runbook, outcome });
    for (const webhook of webhooks)
      for (const result of Object.keys(DELIVERY_RESULTS))
        this.registry.begin('runbook_notifications_total', { webhook, result });
  }

  /** For the sink of the workflows. */
  readonly runs: RunObserver = {
    runEnded: ({ runbook, outcome, tookMs }) => {
      this.registry.count('runbook_runs_total', { runbook: runbook ?? '', outcome });
      this.registry.observe('runbook_run_duration_seconds', { outcome }, tookMs / SECOND_MS);
    },
    stepEnded: ({ work, result }) => this.registry.count('runbook_steps_total', { action: work, result }),
    undoEnded: ({ work, result }) => this.registry.count('runbook_undos_total', { action: work, result }),
    approvalEnded: ({ result, waitedMs }) => {
      this.registry.count('runbook_approvals_total', { result });
      this.registry.observe('runbook_approval_wait_seconds', {}, waitedMs / SECOND_MS);
    },
    gateWaited: (waitedMs) => this.registry.observe('runbook_gate_wait_seconds', {}, waitedMs / SECOND_MS),
  };

  /** For the activities. */
  readonly activities = {
    polled: (action: ActionName) => this.registry.count('runbook_cloud_job_polls_total', { action }),
    adopted: (action: ActionName) => this.registry.count('runbook_adoptions_total', { action }),
    cloudJobEnded: (action: ActionName, ages: { readonly runningAtMs: number; readonly endedByMs: number }) => {
      const { runningAtMs, endedByMs } = ages;
      this.registry.observe('runbook_cloud_job_duration_seconds', { action }, endedByMs / SECOND_MS);
      this.registry.observe('runbook_cloud_job_lateness_seconds', { action }, (endedByMs - runningAtMs) / SECOND_MS);
    },
    attemptEnded: (goal: OnceState['goal']['kind'], action: ActionName | null, ending: Ending) => {
      this.registry.count('runbook_attempts_total', { goal, action: action ?? 'none', ending: kindOf(ending) });
      if (ending.kind === 'failed' || ending.kind === 'indeterminate')
        this.registry.count('runbook_attempt_failures_total', { failure: ending.failure });
      if (ending.kind === 'indeterminate')
        this.registry.count('runbook_indeterminate_total', { action: action ?? 'none' });
    },
    settled: (tookMs: number) => this.registry.observe('runbook_settle_duration_seconds', {}, tookMs / SECOND_MS),
    notified: ({ webhook, result }: Pick<Delivery, 'webhook' | 'result'>) =>
      this.registry.count('runbook_notifications_total', { webhook: result === 'unknown' ? '' : webhook, result }),
  };

  /** For the ServiceStage client. */
  readonly serviceStage = {
    called: ({ kind, status, tookMs }: Call) => {
      this.registry.count('runbook_servicestage_calls_total', { kind, status });
      this.registry.observe('runbook_servicestage_call_duration_seconds', { kind }, tookMs / SECOND_MS);
    },
    throttled: () => this.registry.count('runbook_servicestage_throttled_total', {}),
    waitedForBudget: (request: 'post' | 'read', waitedMs: number, granted: boolean) => {
      this.registry.observe('runbook_servicestage_budget_wait_seconds', { request }, waitedMs / SECOND_MS);
      if (!granted) this.registry.count('runbook_servicestage_budget_exhausted_total', { request });
    },
  };
}

/** Results of a notification. */
const DELIVERY_RESULTS: Readonly<Record<Delivery['result'], true>> = {
  delivered: true,
  refused: true,
  unanswered: true,
  unknown: true,
};

/** `retried` for a failure after which another attempt follows. */
function kindOf(ending: Ending): Ending['kind'] | 'retried' {
  return ending.kind === 'failed' && ending.retryInMs !== null ? 'retried' : ending.kind;
}
