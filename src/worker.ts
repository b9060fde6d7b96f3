/**
 * The worker process: configuration → ServiceStage → activities → Temporal. This is the only place that connects the
 * parts.
 */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Client, type Connection } from '@temporalio/client';
import {
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type Logger,
  type LogMetadata,
  type WorkerOptions,
} from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { Logger as Pino } from 'pino';
import { createActivities } from './activities/index.js';
import { CloudJobWatch } from './activities/cloud-job-watch.js';
import { learnFromReports } from './activities/learned-durations.js';
import { temporalAccess } from './activities/temporal-access.js';
import { failuresWithinLimit } from './activities/to-failure.js';
import { connectPatiently, TemporalUnreachable } from './temporal/patient-connection.js';
import { missingSearchAttributes } from './temporal/search-attributes.js';
import { calendarsIn, listCalendars } from './calendars/calendars.js';
import { findRunbook, listRunbooks } from './runbooks/catalogue.js';
import { ConfigurationError, type Environment } from './config/environment.js';
import { loadConfig, type Config } from './config/config.js';
import { processMemory, workerSizes } from './config/worker-sizes.js';
import { Durations } from './domain/durations/durations.js';
import { describeProblem } from './domain/failures.js';
import { printable, printableLines } from './domain/text/text.js';
import { createLog } from './logging/log.js';
import { createCheckClient } from './network/check-client.js';
import { createNotifier, type Notifier } from './notifications/notifier.js';
import { readWebhooks } from './notifications/read-webhooks.js';
import type { Webhook } from './notifications/webhook.js';
import { proxyName } from './network/proxies.js';
import type { ServiceStage } from './servicestage/service-stage.js';
import { endUnlessAnswered, endWithin, type Hanging } from './files/last-resort.js';
import { createServiceStage } from './servicestage/service-stage-client.js';
import { startWarnings } from './servicestage/start-check.js';

/** Documented in docs/operations.md. */
export const WORKER_EXIT_CODES = { stopped: 0, failed: 1, configuration: 2, temporalUnreachable: 3 } as const;

/** Cancellation and the loss of an attempt arrive with heartbeats, so this is their latency. Chosen. */
const HEARTBEAT_THROTTLE_MS = 5_000;
/** The SDK's fixed number is 10, which is few in a burst where Temporal is 50 ms away, and many for a worker that has nothing to do. */
const POLLERS = { type: 'autoscaling', minimum: 5, initial: 10, maximum: 40 } as const;
const SHUTDOWN_GRACE_MS = 1_000;
const SHUTDOWN_MARGIN_MS = 15_000;
/** Added to the worker's own limit. Chosen: a worker without stuck work ends by itself at once. */
const STOP_MARGIN_MS = 2_000;

/** Settings that cannot be environment variables. */
export interface WorkerExtensions {
  /** Payload codecs or a converter of your own; clients need the same. Default: Temporal's. */
  readonly dataConverter?: DataConverter;
}

/** Runs until the process receives a signal to stop. @throws ConfigurationError, TemporalUnreachable */
export async function runWorker(config: Config, extensions: WorkerExtensions = {}): Promise<void> {
  const log = createLog(config.logLevel);
  for (const warning of config.warnings) log.warn(warning);
  const webhooks = await webhooksOf(config);
  const clientConnection = await connectClient(config, log);
  try {
    const { namespace } = config.temporal;
    const client = new Client({ connection: clientConnection, namespace, ...extensions });
    await requireSearchAttributes(client);
    await work(config, { client, webhooks }, log, extensions);
  } finally {
    await clientConnection.close();
  }
}

/** What a worker has before it starts. */
interface Reached {
  readonly client: Client;
  readonly webhooks: readonly Webhook[];
}

/** Read once, at the start: their secrets are in variables, which do not change either. @throws ConfigurationError */
async function webhooksOf({ notificationsFile, webhookSecrets }: Config): Promise<readonly Webhook[]> {
  if (notificationsFile === undefined) return [];
  const read = await readWebhooks(notificationsFile, webhookSecrets);
  if (Array.isArray(read)) throw new ConfigurationError(read);
  return read.webhooks;
}

/**
 * The native runtime is created last: it catches signals and keeps the process alive, and a worker that refuses to
 * start must do neither.
 */
async function work(config: Config, reached: Reached, log: Pino, extensions: WorkerExtensions): Promise<void> {
  // Created before the runtime, which receives all signals afterwards, so that a signal during the start counts as
  // well.
  const stop = endWithin(stopLimitMs(config) + STOP_MARGIN_MS, (hanging) => sayEnded(config, hanging));
  const runtime = Runtime.install({
    logger: runtimeLogger(log),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
  });
  const serviceStage = serviceStageOf(config, log);
  const notifier = createNotifier(reached.webhooks, { proxyFor: config.proxyFor, log });
  const watch = new CloudJobWatch(new Durations());
  let connection: NativeConnection;
  let worker: Worker;
  try {
    connection = await NativeConnection.connect(nativeOptions(config));
    const { client } = reached;
    const parts = { serviceStage, notifier, watch, client };
    worker = await Worker.create({ ...workerOptions(config, parts, connection), ...extensions });
    await sayReady(config, log);
    void learn(client, config, watch, log);
    void logStartWarnings(serviceStage, config, log);
  } catch (error) {
    await runtime.shutdown();
    throw error;
  }
  try {
    await worker.run();
    log.info('worker stopped');
  } catch (error) {
    // It was asked to stop and could not finish cleanly: its time ran out, or Temporal was unreachable.
    if (!stop.isAsked) throw error;
    log.warn({ error: String(error) }, 'worker stopped; other workers take over its running attempts');
  }
  // A worker that did not end still uses it; the process ends without closing it.
  await connection.close().catch((error: unknown) => log.debug({ error: String(error) }, 'connection not closed'));
  endUnlessAnswered((hanging) => sayEnded(config, hanging));
}

function sayEnded({ logLevel }: Config, hanging: Hanging): void {
  createLog(logLevel, 'at once').warn(
    { ...hanging },
    'worker process ended by force: something hung while it was stopping',
  );
}

/** Longer than a POST in flight may take, so that the id of its cloud job is still heartbeated. */
function stopLimitMs({ limits }: Config): number {
  return SHUTDOWN_GRACE_MS + limits.postTimeoutMs + SHUTDOWN_MARGIN_MS;
}

async function sayReady(config: Config, log: Pino): Promise<void> {
  const { temporal, taskQueue, serviceStage, runbookDirectories, calendarDirectories } = config;
  const { runbooks, problems, passedOver } = await listRunbooks(runbookDirectories);
  const calendars = await listCalendars(calendarDirectories);
  for (const problem of problems) log.warn({ place: problem.place }, `runbook file: ${describeProblem(problem)}`);
  for (const problem of calendars.problems) log.warn({ place: problem.place }, `calendar: ${describeProblem(problem)}`);
  for (const { path, why } of [...passedOver, ...calendars.passedOver]) log.debug({ path }, `file not read: ${why}`);
  const names = runbooks.map(({ name }) => name);
  const { address, proxy } = temporal;
  const { endpoint, projectId } = serviceStage;
  const proxies = { temporal: proxy, serviceStage: nameOfProxy(config, endpoint) };
  const sizes = workerSizes(processMemory(), config.sizes);
  const served = { address, namespace: temporal.namespace, taskQueue, endpoint, projectId, proxies, sizes };
  log.info({ ...served, runbooks: names, calendars: calendars.names }, 'worker ready');
}

function nameOfProxy({ proxyFor }: Config, endpoint: string): string | null {
  const proxy = proxyFor(new URL(endpoint));
  return proxy === null ? null : proxyName(proxy);
}

function nativeOptions({ temporal }: Config): Parameters<typeof NativeConnection.connect>[0] {
  const { apiKey, tls, metadata } = temporal.connectionOptions;
  return {
    ...temporal.native,
    ...(apiKey === undefined ? {} : { apiKey: typeof apiKey === 'string' ? apiKey : apiKey() }),
    ...(tls === undefined || tls === null ? {} : { tls }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** The pure-JavaScript connection comes first, because a failed native one would break the whole runtime. */
function connectClient({ temporal }: Config, log: Pino): Promise<Connection> {
  return connectPatiently(temporal.connectionOptions, temporal, ({ reason, ...attempt }) =>
    log.warn(attempt, `Temporal cannot be reached: ${reason}`),
  );
}

/**
 * A worker refuses to start without them: a run that sets an attribute the namespace lacks would fail its workflow
 * task for ever.
 */
async function requireSearchAttributes(client: Client): Promise<void> {
  const { namespace } = client.options;
  const missing = await missingSearchAttributes(client);
  if (missing.length === 0) return;
  const flags = missing.map(({ name, type }) => `--name ${name} --type ${type}`).join(' ');
  throw new ConfigurationError([
    {
      code: 'search-attributes',
      place: `namespace ${namespace}`,
      found: `it lacks the search attributes ${missing.map(({ name }) => name).join(', ')}, or has them with another type`,
      remedy: `Type: temporal operator search-attribute create --namespace ${namespace} ${flags}. On Temporal Cloud: create them in its console`,
    },
  ]);
}

function serviceStageOf(config: Config, log: Pino): ServiceStage {
  return createServiceStage({
    ...config.serviceStage,
    onUnlistedStatus: (status) => log.warn({ status }, 'ServiceStage returned an unknown status; it counts as moving'),
  });
}

/** Runs beside the worker, which does not wait for it. */
async function logStartWarnings(serviceStage: ServiceStage, { limits }: Config, log: Pino): Promise<void> {
  for (const warning of await startWarnings(serviceStage, limits.readTimeoutMs)) log.warn(printable(warning));
}

/** Runs beside the worker, too: without what earlier runs show it poll cloud jobs by the plain rule. */
async function learn(client: Client, { taskQueue }: Config, watch: CloudJobWatch, log: Pino): Promise<void> {
  try {
    const learned = await learnFromReports(client, taskQueue, watch.durations);
    log.debug({ ...learned }, 'durations of cloud jobs learned from the reports of earlier runs');
  } catch (error) {
    log.warn({ error: String(error) }, 'durations of cloud jobs not learned from the reports of earlier runs');
  }
  watch.askAgain();
}

function workerOptions(
  config: Config,
  { client, ...parts }: { serviceStage: ServiceStage; notifier: Notifier; watch: CloudJobWatch; client: Client },
  connection: NativeConnection,
): WorkerOptions {
  const {
    temporal,
    taskQueue,
    limits,
    usualDurationsMs,
    operatorWaitMs,
    approvers,
    verify,
    runbookDirectories,
    calendarDirectories,
  } = config;
  const activities = createActivities({
    ...parts,
    checks: createCheckClient(config.checkHosts, config.proxyFor),
    findRunbook: (name) => findRunbook(runbookDirectories, name),
    calendars: calendarsIn(calendarDirectories),
    limits,
    usualDurations: (kind) => parts.watch.durations.usual(kind),
    usualDurationsMs,
    operatorWaitMs,
    approvers,
    verify,
    temporal: temporalAccess(client),
  });
  const { cachedWorkflows, activitySlots, workflowTaskSlots } = workerSizes(processMemory(), config.sizes);
  return {
    connection,
    namespace: temporal.namespace,
    taskQueue,
    activities: { ...activities },
    interceptors: { activity: [failuresWithinLimit] },
    ...workflowCode(),
    identity: `${process.pid}@${hostname()}`,
    maxCachedWorkflows: cachedWorkflows,
    maxConcurrentActivityTaskExecutions: activitySlots,
    maxConcurrentWorkflowTaskExecutions: workflowTaskSlots,
    // Each workflow task may be waiting for a read of its own.
    maxConcurrentLocalActivityExecutions: workflowTaskSlots,
    workflowTaskPollerBehavior: POLLERS,
    activityTaskPollerBehavior: POLLERS,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
    shutdownForceTime: stopLimitMs(config),
  };
}

/** The bundle made at build time. A worker run from sources has none and bundles the code now. */
function workflowCode(): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const codePath = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
  return existsSync(codePath)
    ? { workflowBundle: { codePath } }
    : { workflowsPath: fileURLToPath(new URL('./workflows/index.js', import.meta.url)) };
}

function runtimeLogger(log: Pino): Logger {
  const at = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: LogMetadata) => {
    const { error, ...rest } = meta ?? {};
    log[level]({ ...rest, ...(error instanceof Error ? { error: `${error.name}: ${error.message}` } : {}) }, message);
  };
  return {
    log: (level, message, meta) => at(level.toLowerCase() as 'info')(message, meta),
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}

/** Loads the configuration, runs the worker, and prints on standard error why it ended. @returns the exit code */
export async function main(env: Environment, extensions: WorkerExtensions = {}): Promise<number> {
  try {
    await runWorker(loadConfig(env), extensions);
    return WORKER_EXIT_CODES.stopped;
  } catch (error) {
    process.stderr.write(`${printableLines(error instanceof Error ? error.message : String(error))}\n`);
    if (error instanceof ConfigurationError) return WORKER_EXIT_CODES.configuration;
    return error instanceof TemporalUnreachable ? WORKER_EXIT_CODES.temporalUnreachable : WORKER_EXIT_CODES.failed;
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  process.exitCode = await main(process.env);
}
