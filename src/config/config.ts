/** The configuration of a process, from its environment. Nothing else reads the environment, and nothing happens at import time. */
import type { Approvers } from '../approvers/approvers.js';
import type { ActionName } from '../domain/target/actions.js';
import { WEBHOOK_SECRET_PREFIX } from '../domain/notifications/delivery.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout, type Limits } from '../domain/once/limits.js';
import { DEFAULT_VERIFY, type VerifyDefaults } from '../domain/runbook/runbook-checks.js';
import type { CheckHosts } from '../network/check-client.js';
import type { ProxyFor } from '../network/proxies.js';
import { Secret } from '../servicestage/secret.js';
import type { ServiceStageOptions } from '../servicestage/service-stage-client.js';
import { readCodecAccess, readCodecSource, requireCodec, type CodecAccess, type CodecSource } from './codec.js';
import { VariableReader, type Environment, type ValuesOf } from './environment.js';
import { readProxies } from './proxies.js';
import type { SecretFiles } from './secret-files.js';
import { readServiceStage } from './service-stage.js';
import { readTemporal, type TemporalConfig } from './temporal.js';
import { readTracing } from './tracing.js';
import { CLIENT_VARIABLES, WORKER_VARIABLES, type LogFormat, type LogLevel } from './variables.js';
import type { ChosenSizes } from './worker-sizes.js';
import { readWorkerVersion, type WorkerVersion } from './worker-version.js';

/** What the command line and the gateway need. */
export interface ClientConfig {
  readonly temporal: TemporalConfig;
  readonly taskQueue: string;
  /** Where the codec of payloads comes from; `null`: they are not encrypted. `dataConverterOf` loads it. */
  readonly codec: CodecSource | null;
  readonly runbookDirectories: readonly string[];
  readonly calendarDirectories: readonly string[];
  /** `undefined`: alarms start nothing. */
  readonly alarmsFile: string | undefined;
  /** `undefined`: there are no webhooks. */
  readonly notificationsFile: string | undefined;
  /** What the notifications file may name, by variable. */
  readonly webhookSecrets: ReadonlyMap<string, Secret>;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Whether spans are exported. */
  readonly tracing: boolean;
  /** Where probes and metrics are served; `null`: nowhere. */
  readonly health: HealthAddress | null;
  /** The proxy for everything else that goes out. */
  readonly proxyFor: ProxyFor;
  /** Secrets that come from files. `reportTo` sets where its notices are logged. */
  readonly secretFiles: SecretFiles;
  /** What the environment asks for and cannot be had, in words: for the log at start. */
  readonly warnings: readonly string[];
}

/** Where probes and metrics are served. */
interface HealthAddress {
  /** `undefined`: all addresses. */
  readonly host: string | undefined;
  readonly port: number;
}

/** What the worker needs. Times are in milliseconds. */
export interface Config extends ClientConfig {
  readonly serviceStage: ServiceStageOptions;
  readonly limits: Limits;
  readonly usualDurationsMs: Partial<Record<ActionName, number>>;
  /** How long a blocked target waits for an operator where the runbook does not say. */
  readonly operatorWaitMs: number;
  /** Whose signatures count for approvals; `null`: approvals are not signed. */
  readonly approvers: Approvers | null;
  readonly verify: VerifyDefaults;
  /** The hosts that checks may ask. */
  readonly checkHosts: CheckHosts;
  readonly sizes: ChosenSizes;
  /** `null`: the worker is not versioned. */
  readonly version: WorkerVersion | null;
  /** Whether runbooks can be called as Nexus operations. */
  readonly nexus: boolean;
}

/** What a command needs that reads ServiceStage itself. Times are in milliseconds. */
export interface OperatorConfig extends ClientConfig {
  readonly serviceStage: ServiceStageOptions;
  readonly readTimeoutMs: number;
}

/** Reads what a command needs that reads ServiceStage itself. @throws ConfigurationError, with every variable that is missing */
export function loadOperatorConfig(env: Environment): OperatorConfig {
  const reader = new VariableReader(env);
  const client = readClientConfig(reader);
  const serviceStage = { ...readServiceStage(reader), proxyFor: client.proxyFor };
  const { RUNBOOK_READ_TIMEOUT: readTimeoutMs } = reader.read(WORKER_VARIABLES);
  reader.throwProblems();
  return { ...client, serviceStage, readTimeoutMs };
}

/** Reads what the command line needs: no ServiceStage credentials. @throws ConfigurationError */
export function loadClientConfig(env: Environment): ClientConfig {
  const reader = new VariableReader(env);
  const config = readClientConfig(reader);
  reader.throwProblems();
  return config;
}

/** What `runbook codec-server` needs. */
export interface CodecServerConfig
  extends CodecAccess, Pick<ClientConfig, 'logFormat' | 'logLevel' | 'secretFiles' | 'warnings'> {
  readonly codec: CodecSource;
}

/** @param unauthenticated every caller is accepted. @throws ConfigurationError */
export function loadCodecServerConfig(env: Environment, unauthenticated: boolean): CodecServerConfig {
  const reader = new VariableReader(env);
  const { codec, logFormat, logLevel, secretFiles, warnings } = readClientConfig(reader);
  const config = {
    ...readCodecAccess(reader, unauthenticated),
    codec: requireCodec(reader, codec),
    logFormat,
    logLevel,
    secretFiles,
    warnings,
  };
  reader.throwProblems();
  return config;
}

/** Reads what the worker needs. @throws ConfigurationError */
export function loadConfig(env: Environment): Config {
  const reader = new VariableReader(env);
  const client = readClientConfig(reader);
  const serviceStage = { ...readServiceStage(reader), proxyFor: client.proxyFor };
  const values = reader.read(WORKER_VARIABLES);
  const { within, stable } = values.RUNBOOK_VERIFY ?? {};
  const config: Config = {
    ...client,
    serviceStage,
    limits: limitsOf(values),
    usualDurationsMs: values.RUNBOOK_USUAL_DURATIONS ?? {},
    operatorWaitMs: values.RUNBOOK_OPERATOR_WAIT,
    approvers: values.RUNBOOK_APPROVERS ?? null,
    sizes: { cachedWorkflows: values.RUNBOOK_CACHED_WORKFLOWS, waitingSteps: values.RUNBOOK_WAITING_STEPS },
    verify: { withinMs: within ?? DEFAULT_VERIFY.withinMs, stableMs: stable ?? DEFAULT_VERIFY.stableMs },
    checkHosts: { allowed: values.RUNBOOK_CHECK_HOSTS, internal: values.RUNBOOK_CHECK_INTERNAL_HOSTS },
    version: readWorkerVersion(reader),
    nexus: values.RUNBOOK_NEXUS === 'on',
  };
  if (config.limits.visibilityWindowMs < config.limits.quietMs)
    reader.problem('RUNBOOK_VISIBILITY_WINDOW', 'it is shorter than RUNBOOK_QUIET_PERIOD', 'Make it at least as long');
  reader.throwProblems();
  return Object.freeze(config);
}

function readClientConfig(reader: VariableReader): ClientConfig {
  const proxyFor = readProxies(reader);
  const temporal = readTemporal(reader, proxyFor);
  const values = reader.read(CLIENT_VARIABLES);
  return {
    temporal,
    proxyFor,
    warnings: reader.warnings,
    secretFiles: reader.secretFiles,
    taskQueue: values.RUNBOOK_TASK_QUEUE,
    codec: readCodecSource(reader),
    runbookDirectories: values.RUNBOOK_DIR,
    calendarDirectories: values.RUNBOOK_CALENDARS,
    alarmsFile: values.RUNBOOK_ALARMS,
    notificationsFile: values.RUNBOOK_NOTIFICATIONS,
    webhookSecrets: readWebhookSecrets(reader),
    logLevel: values.RUNBOOK_LOG_LEVEL,
    logFormat: values.RUNBOOK_LOG_FORMAT,
    tracing: readTracing(reader),
    health: healthOf(values),
  };
}

function healthOf({
  RUNBOOK_HEALTH_PORT: port,
  RUNBOOK_HEALTH_HOST: host,
}: ValuesOf<typeof CLIENT_VARIABLES>): HealthAddress | null {
  return port === undefined ? null : { host, port };
}

function readWebhookSecrets(reader: VariableReader): ReadonlyMap<string, Secret> {
  const found = Object.entries(reader.all()).filter(([name]) => name.startsWith(WEBHOOK_SECRET_PREFIX));
  const { secretFiles } = reader;
  return new Map(
    found.map(([name, value]) => [name, secretFiles.has(name) ? secretFiles.secret(name) : new Secret(value)]),
  );
}

function limitsOf(values: ValuesOf<typeof WORKER_VARIABLES>): Limits {
  const others = values.RUNBOOK_LIMITS ?? {};
  return withHeartbeatTimeout({
    readTimeoutMs: values.RUNBOOK_READ_TIMEOUT,
    postTimeoutMs: values.RUNBOOK_POST_TIMEOUT,
    quietMs: values.RUNBOOK_QUIET_PERIOD,
    visibilityWindowMs: values.RUNBOOK_VISIBILITY_WINDOW,
    budgetWaitMs: others.budgetWait ?? DEFAULT_LIMITS.budgetWaitMs,
    credentialsWaitMs: others.credentialsWait ?? DEFAULT_LIMITS.credentialsWaitMs,
    clockSkewMs: others.clockSkew ?? DEFAULT_LIMITS.clockSkewMs,
    lateStartMs: others.lateStart ?? DEFAULT_LIMITS.lateStartMs,
    leaseMs: others.lease ?? DEFAULT_LIMITS.leaseMs,
    marginMs: others.margin ?? DEFAULT_LIMITS.marginMs,
  });
}
