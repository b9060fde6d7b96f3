/**
 * The worker process: configuration → ServiceStage → activities → Temporal. This is the only place that connects the
 * parts.
 */
import { fileURLToPath } from 'node:url';
import { Client, type Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { CloudJobWatch } from './activities/cloud-job-watch.js';
import { learnFromReports } from './activities/learned-durations.js';
import { loadConfig, type Config } from './config/config.js';
import { loadCodec } from './config/data-converter.js';
import { ConfigurationError, type Environment } from './config/environment.js';
import type { Problem } from './domain/failures.js';
import { Durations } from './domain/durations/durations.js';
import { printable, printableLines } from './domain/text/text.js';
import { endUnlessAnswered, endWithin, type Hanging } from './files/last-resort.js';
import { createLog } from './logging/log.js';
import { createNotifier } from './notifications/notifier.js';
import { readWebhooks } from './notifications/read-webhooks.js';
import type { Webhook } from './notifications/webhook.js';
import { createServiceStage } from './servicestage/service-stage-client.js';
import type { ServiceStage } from './servicestage/service-stage.js';
import { startWarnings } from './servicestage/start-check.js';
import { connectPatiently, TemporalUnreachable } from './temporal/patient-connection.js';
import { followApiKey } from './worker/follow-api-key.js';
import { followSecretFiles } from './worker/follow-secret-files.js';
import { WorkerHealth } from './worker/health.js';
import { installRuntime } from './worker/runtime.js';
import { requireOwnTaskQueue } from './worker/projects.js';
import { sayVersion } from './worker/say-version.js';
import { requireSearchAttributes, sayReady } from './worker/start.js';
import { startWorkerTracing, type WorkerTracing } from './worker/tracing.js';
import { endLimitMs, nativeOptions, workerOptions } from './worker/worker-options.js';

/** Documented in docs/operations.md. */
export const WORKER_EXIT_CODES = { stopped: 0, failed: 1, configuration: 2, temporalUnreachable: 3 } as const;

/** Settings that cannot be environment variables. */
export interface WorkerExtensions {
  /** Payload codecs or a converter of your own; clients need the same. Default: Temporal's. */
  readonly dataConverter?: DataConverter;
}

const TWO_CODECS: Problem = {
  code: 'configuration',
  place: 'RUNBOOK_ENCRYPTION_KEYS, RUNBOOK_CODEC',
  found: 'the process that calls the worker brings a data converter of its own',
  remedy: 'Keep one of the two',
};

/** Runs until the process receives a signal to stop. @throws ConfigurationError, TemporalUnreachable */
export async function runWorker(config: Config, given: WorkerExtensions = {}): Promise<void> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  const { extensions, checkKeys } = await withCodec(config, given, log);
  for (const warning of config.warnings) log.warn({ warning }, 'configuration warning');
  const health = new WorkerHealth(config);
  const stopFollowing = followSecretFiles({ secretFiles: config.secretFiles, checkKeys }, health, log);
  const webhooks = await webhooksOf(config);
  health.metrics.begin({ webhooks: webhooks.map(({ name }) => name) });
  await health.serve(log);
  try {
    await connectAndWork(config, { webhooks, health }, log, extensions);
  } finally {
    stopFollowing();
    await health.close();
  }
}

async function connectAndWork(
  config: Config,
  parts: Omit<Reached, 'client'>,
  log: Logger,
  extensions: WorkerExtensions,
): Promise<void> {
  const clientConnection = await connectClient(config, parts.health, log);
  try {
    const { namespace } = config.temporal;
    const client = new Client({ connection: clientConnection, namespace, ...extensions });
    await requireSearchAttributes(client);
    await requireOwnTaskQueue(client, { taskQueue: config.taskQueue, projectId: config.serviceStage.projectId });
    parts.health.reached({ client });
    await work(config, { ...parts, client }, log, extensions);
  } finally {
    await clientConnection.close();
  }
}

/** @throws ConfigurationError if there are two codecs, or the configured one cannot be loaded */
async function withCodec(
  { codec: source }: Config,
  given: WorkerExtensions,
  log: Logger,
): Promise<{ readonly extensions: WorkerExtensions; readonly checkKeys: () => void }> {
  if (source === null) return { extensions: given, checkKeys: () => {} };
  if (given.dataConverter !== undefined) throw new ConfigurationError([TWO_CODECS]);
  const { codec, problem } = await loadCodec(source, ({ level, text }) =>
    log[level]({ what: text }, 'encryption keys'),
  );
  return { extensions: { ...given, dataConverter: { payloadCodecs: [codec] } }, checkKeys: () => void problem() };
}

/** What a worker has before it starts. */
interface Reached {
  readonly client: Client;
  readonly webhooks: readonly Webhook[];
  readonly health: WorkerHealth;
}

/** Read once, at the start: a webhook of another name needs a restart. Secrets in files are followed. @throws ConfigurationError */
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
async function work(config: Config, reached: Reached, log: Logger, extensions: WorkerExtensions): Promise<void> {
  // Created before the runtime, which receives all signals afterwards, so that a signal during the start counts as
  // well.
  const stop = endWithin(endLimitMs(config), (hanging) => sayEnded(config, hanging));
  const { client, health } = reached;
  const runtime = await installRuntime(log, () => health.sdkExporter());
  const tracing = await startWorkerTracing(config, log);
  const serviceStage = serviceStageOf(config, { health, tracing, log });
  const notifier = createNotifier(reached.webhooks, {
    proxyFor: config.proxyFor,
    log,
    follow: tracing?.followOutgoing,
  });
  const watch = new CloudJobWatch(new Durations());
  let connection: NativeConnection;
  let worker: Worker;
  try {
    const options = nativeOptions(config);
    connection = await NativeConnection.connect(options);
    followApiKey(connection, { given: options.apiKey, current: config.temporal.connectionOptions.apiKey }, log);
    const parts = { serviceStage, notifier, watch, client, tracing, metrics: health.metrics };
    worker = await Worker.create({ ...workerOptions(config, parts, connection), ...extensions });
    health.reached({ serviceStage, worker });
    await sayReady(config, log);
    if (config.version !== null) void sayVersion(client, config.version, log);
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
  await tracing?.stop();
  // A worker that did not end still uses it; the process ends without closing it.
  await connection.close().catch((error: unknown) => log.debug({ error: String(error) }, 'connection not closed'));
  endUnlessAnswered((hanging) => sayEnded(config, hanging));
}

function sayEnded({ logLevel, logFormat }: Config, hanging: Hanging): void {
  const log = createLog({ level: logLevel, format: logFormat, writes: 'at once' });
  log.error({ ...hanging }, 'worker process ended by force: something hung while it was stopping');
}

/** The pure-JavaScript connection comes first, because a failed native one would break the whole runtime. */
function connectClient({ temporal }: Config, health: WorkerHealth, log: Logger): Promise<Connection> {
  return connectPatiently(temporal.connectionOptions, temporal, ({ reason, isRefused, attempt, of }) => {
    health.notYetConnected(`Temporal ${isRefused ? 'refuses the credentials' : 'cannot be reached'}: ${reason}`);
    if (!isRefused) log.warn({ attempt, of, reason }, 'Temporal cannot be reached');
    else if (of !== null) log.warn({ attempt, of, reason }, 'Temporal refuses the credentials');
    else log.warn({ attempt, reason }, 'Temporal refuses the API key; the worker waits until its file has another one');
  });
}

interface Seen {
  readonly health: WorkerHealth;
  readonly tracing: WorkerTracing | null;
  readonly log: Logger;
}

function serviceStageOf(config: Config, { health, tracing, log }: Seen): ServiceStage {
  return createServiceStage({
    ...config.serviceStage,
    observer: health.serviceStageObserver,
    ...(tracing === null ? {} : { followRequest: tracing.followRequest }),
    onUnlistedStatus: (status) => log.warn({ status }, 'ServiceStage returned an unknown status; it counts as moving'),
  });
}

/** Runs beside the worker, which does not wait for it. */
async function logStartWarnings(serviceStage: ServiceStage, { limits }: Config, log: Logger): Promise<void> {
  for (const warning of await startWarnings(serviceStage, limits.readTimeoutMs))
    log.warn({ warning: printable(warning) }, 'ServiceStage warning');
}

/** Runs beside the worker, too: without what earlier runs show it poll cloud jobs by the plain rule. */
async function learn(client: Client, { taskQueue }: Config, watch: CloudJobWatch, log: Logger): Promise<void> {
  try {
    const learned = await learnFromReports(client, taskQueue, watch.durations);
    log.debug({ ...learned }, 'durations of cloud jobs learned from the reports of earlier runs');
  } catch (error) {
    log.warn({ error: String(error) }, 'durations of cloud jobs not learned from the reports of earlier runs');
  }
  watch.askAgain();
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
