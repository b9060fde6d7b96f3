/** Probes and metrics of a worker: what is checked, and the page of metrics. */
import type { Client } from '@temporalio/client';
import type { MetricsExporterConfig, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { listCalendars } from '../calendars/calendars.js';
import type { Config } from '../config/config.js';
import { ConfigurationError } from '../config/environment.js';
import { processMemory, workerSizes } from '../config/worker-sizes.js';
import { describeProblem, type Problem } from '../domain/failures.js';
import { Cached } from '../health/cached.js';
import type { Verdict } from '../health/checks.js';
import { CredentialsWatch, type CredentialsAnswer } from '../health/credentials.js';
import { ReadinessChecks } from '../health/readiness.js';
import { serveHealth, type HealthServer } from '../health/server.js';
import type { MetricsPage } from '../metrics/registry.js';
import { freeLoopbackPort, sdkExporter, sdkMetrics } from '../metrics/sdk-metrics.js';
import { WorkerMetrics } from '../metrics/worker-metrics.js';
import { listRunbooks } from '../runbooks/catalogue.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import type { ServiceStageObserver } from '../servicestage/observed.js';
import { askCredentials, askTemporal } from './health-questions.js';
import { countRuns } from './count-runs.js';

/** What a worker has by now. */
interface Reached {
  client?: Client;
  serviceStage?: ServiceStage;
  worker?: Worker;
}

/** A file that was changed is noticed within that time. Reading all costs some 50 ms of CPU. */
const FILES_EVERY_MS = 60_000;
const TEMPORAL_EVERY_MS = 5_000;
const CREDENTIALS_EVERY_MS = 5_000;
const RUNS_EVERY_MS = 30_000;
const STARTING: Verdict = { ok: false, reason: 'the worker is starting' };

/** Probes and metrics of one worker, from before it reaches Temporal until it has stopped. Without `RUNBOOK_HEALTH_PORT` it only counts. */
export class WorkerHealth {
  readonly metrics = new WorkerMetrics();
  readonly #reached: Reached = {};
  readonly #credentials = new CredentialsWatch(() => this.#askCredentials());
  readonly #runs = new Cached(() => countRuns(this.#reached.client, this.config.taskQueue), RUNS_EVERY_MS);
  readonly #readiness = new ReadinessChecks({
    polls: { everyMs: 0, ask: () => pollsOf(this.#reached.worker) },
    temporal: {
      everyMs: TEMPORAL_EVERY_MS,
      ask: () => (this.#reached.client === undefined ? this.#notYetConnected : askTemporal(this.#reached.client)),
    },
    credentials: {
      everyMs: CREDENTIALS_EVERY_MS,
      ask: () => (this.#reached.serviceStage === undefined ? STARTING : this.#credentials.verdict()),
    },
    runbooks: { everyMs: FILES_EVERY_MS, ask: () => this.#runbooks() },
    calendars: { everyMs: FILES_EVERY_MS, ask: () => this.#calendars() },
  });
  #notYetConnected: Verdict = { ok: false, reason: 'Temporal was not reached yet' };
  #server: HealthServer | null = null;
  #sdkPort: number | null = null;

  constructor(private readonly config: Config) {
    const { registry } = this.metrics;
    const { cachedWorkflows, activitySlots, workflowTaskSlots } = workerSizes(processMemory(), config.sizes);
    registry.set('runbook_cached_workflows_limit', {}, cachedWorkflows);
    registry.set('runbook_slots_limit', { worker_type: 'ActivityWorker' }, activitySlots);
    registry.set('runbook_slots_limit', { worker_type: 'WorkflowWorker' }, workflowTaskSlots);
    registry.set('runbook_slots_limit', { worker_type: 'LocalActivityWorker' }, workflowTaskSlots);
    registry.set('runbook_worker_info', { namespace: config.temporal.namespace, task_queue: config.taskQueue }, 1);
    registry.onPage(() => this.#collect());
  }

  /** For the ServiceStage client. */
  get serviceStageObserver(): ServiceStageObserver {
    const { serviceStage } = this.metrics;
    return {
      ...serviceStage,
      called: (call) => {
        serviceStage.called(call);
        this.#credentials.called(call);
      },
    };
  }

  /** Begins to serve, if a port is configured. @throws ConfigurationError if it cannot be listened on */
  async serve(log: Logger): Promise<void> {
    const { health } = this.config;
    if (health === null) return;
    this.metrics.registry.addProcessMetrics();
    const pages = { live: () => this.#live(), ready: () => this.#readiness.read(), metrics: () => this.page() };
    try {
      this.#server = await serveHealth(pages, health);
    } catch (error) {
      throw new ConfigurationError([cannotListen(health, error)]);
    }
    log.info({ port: this.#server.port }, 'probes and metrics are served');
  }

  /** How the native core exports its metrics; `undefined`: not at all. Its port may be taken by the time it is used: then ask again. */
  async sdkExporter(): Promise<MetricsExporterConfig | undefined> {
    if (this.config.health === null) return undefined;
    this.#sdkPort = await freeLoopbackPort();
    return sdkExporter(this.#sdkPort);
  }

  /** An attempt to connect to Temporal has failed, and another one follows. */
  notYetConnected(reason: string): void {
    this.#notYetConnected = { ok: false, reason };
  }

  /** A secret has another value from now on: the next probe asks whether it is accepted. */
  secretChanged(): void {
    this.#credentials.replaced();
  }

  /** The worker has reached these. */
  reached(parts: Reached): void {
    Object.assign(this.#reached, parts);
  }

  /** The page `/metrics`: ours, those of the process, and the SDK's. */
  async page(): Promise<MetricsPage> {
    const sdk = this.#sdkPort === null ? null : await sdkMetrics(this.#sdkPort);
    this.metrics.registry.set('runbook_sdk_metrics_up', {}, sdk === null ? 0 : 1);
    const { type, text } = await this.metrics.registry.page();
    return { type, text: sdk === null ? text : `${text}${sdk}` };
  }

  /** Ends serving. */
  async close(): Promise<void> {
    await this.#server?.close();
  }

  #live(): Verdict {
    const { worker } = this.#reached;
    if (worker === undefined) return { ok: true, reason: 'the worker is starting' };
    const state = worker.getState();
    return { ok: state !== 'FAILED' && state !== 'STOPPED', reason: `the worker is ${state}` };
  }

  async #askCredentials(): Promise<CredentialsAnswer> {
    const { serviceStage } = this.#reached;
    return serviceStage === undefined ? { unanswered: STARTING.reason } : askCredentials(serviceStage, this.config);
  }

  async #collect(): Promise<void> {
    const { registry } = this.metrics;
    const [readiness, runs] = await Promise.all([this.#readiness.read(), this.#runs.read()]);
    for (const [check, { ok }] of Object.entries(readiness.checks))
      registry.set('runbook_ready', { check }, ok ? 1 : 0);
    registry.set('runbook_runs_open', {}, runs?.value.open ?? null);
    for (const [state, count] of Object.entries(runs?.value.waiting ?? {}))
      registry.set('runbook_runs_waiting', { state }, count);
    const aheadMs = this.#reached.serviceStage?.clockAheadMs() ?? null;
    registry.set('runbook_clock_ahead_seconds', {}, aheadMs === null ? null : aheadMs / 1_000);
  }

  async #runbooks(): Promise<Verdict> {
    const { runbooks, problems } = await listRunbooks(this.config.runbookDirectories);
    this.metrics.registry.set('runbook_file_problems', { kind: 'runbook' }, problems.length);
    this.metrics.begin({ runbooks: runbooks.map(({ name }) => name) });
    return verdictOn(`${runbooks.length} runbooks can be read`, problems);
  }

  async #calendars(): Promise<Verdict> {
    const { names, problems } = await listCalendars(this.config.calendarDirectories);
    this.metrics.registry.set('runbook_file_problems', { kind: 'calendar' }, problems.length);
    return verdictOn(`${names.length} calendars are there`, problems);
  }
}

/** A folder that cannot be read is about this worker. A file with a mistake is the same for all: a run of it is refused, with the reason. */
function verdictOn(what: string, problems: readonly Problem[]): Verdict {
  const folder = problems.find(({ code }) => code === 'no-folder');
  if (folder !== undefined) return { ok: false, reason: describeProblem(folder) };
  const [first] = problems;
  if (first === undefined) return { ok: true, reason: what };
  return { ok: true, reason: `${what}; problems: ${problems.length}, such as ${describeProblem(first)}` };
}

function pollsOf(worker: Worker | undefined): Verdict {
  if (worker === undefined) return STARTING;
  const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
  const ok = runState === 'RUNNING' && workflowPollerState === 'POLLING' && activityPollerState === 'POLLING';
  return {
    ok,
    reason: ok
      ? 'the worker polls'
      : `the worker is ${runState}, its pollers ${workflowPollerState} and ${activityPollerState}`,
  };
}

function cannotListen({ host, port }: NonNullable<Config['health']>, error: unknown): Problem {
  const { code = String(error) } = error as NodeJS.ErrnoException;
  return {
    code: 'configuration',
    place: 'RUNBOOK_HEALTH_PORT',
    found: `port ${port}${host === undefined ? '' : ` of ${host}`} cannot be listened on (${code})`,
    remedy: 'Choose another port, or stop what uses it; RUNBOOK_HEALTH_HOST is an address of this machine',
  };
}
