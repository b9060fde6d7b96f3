/** How a worker is set up: its connection, its activities, its workflow code and its sizes. */
import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import type {
  NativeConnection,
  NativeConnectionOptions,
  WorkerDeploymentOptions,
  WorkerOptions,
} from '@temporalio/worker';
import type { CloudJobWatch } from '../activities/cloud-job-watch.js';
import { createActivities } from '../activities/index.js';
import { followSubject } from '../activities/subject.js';
import { temporalAccess } from '../activities/temporal-access.js';
import { failuresWithinLimit } from '../activities/to-failure.js';
import { calendarsIn } from '../calendars/calendars.js';
import type { Config } from '../config/config.js';
import { processMemory, workerSizes } from '../config/worker-sizes.js';
import { workerIdentity } from '../domain/run/worker-identity.js';
import type { WorkerVersion } from '../config/worker-version.js';
import type { WorkerMetrics } from '../metrics/worker-metrics.js';
import { createCheckClient } from '../network/check-client.js';
import { runbooksHandler, type NexusParts } from '../nexus/operations.js';
import type { Notifier } from '../notifications/notifier.js';
import { findRunbook } from '../runbooks/catalogue.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { projectsBeside } from './projects.js';
import { runSinks } from './run-sinks.js';
import type { WorkerTracing } from './tracing.js';
import { workflowCode, workflowInterceptors } from './workflow-code.js';

/** Cancellation and the loss of an attempt arrive with heartbeats, so this is their latency. Chosen. */
const HEARTBEAT_THROTTLE_MS = 5_000;
/**
 * The SDK's fixed number is 10, which is few in a burst where Temporal is 50 ms away, and many for a worker that has nothing to do.
 * Pollers of this kind also continue, whatever Temporal answers (SDK 1.24, `poll_buffer.rs`): with a fixed number, a worker
 * whose API key is refused for a minute ends.
 */
const POLLERS = { type: 'autoscaling', minimum: 5, initial: 10, maximum: 40 } as const;
/** Operations are rare, and each takes milliseconds. Chosen. */
const NEXUS_POLLERS = { type: 'autoscaling', minimum: 1, initial: 2, maximum: 10 } as const;
const SHUTDOWN_GRACE_MS = 1_000;
const SHUTDOWN_MARGIN_MS = 15_000;

/** What the activities of a worker use. */
export interface WorkerParts {
  readonly serviceStage: ServiceStage;
  readonly notifier: Notifier;
  readonly watch: CloudJobWatch;
  readonly client: Client;
  /** `null`: the worker does not trace. */
  readonly tracing: WorkerTracing | null;
  readonly metrics: WorkerMetrics;
}

/** How long a worker may take to stop, in milliseconds: longer than a POST in flight, so that the id of its cloud job is still heartbeated. */
function stopLimitMs({ limits }: Config): number {
  return SHUTDOWN_GRACE_MS + limits.postTimeoutMs + SHUTDOWN_MARGIN_MS;
}

/** Added to it. Chosen: a worker without stuck work ends by itself at once. */
const STOP_MARGIN_MS = 2_000;

/** After how long a worker that is stopping ends its process by force, in milliseconds. What stops it has to wait for longer. */
export function endLimitMs(config: Config): number {
  return stopLimitMs(config) + STOP_MARGIN_MS;
}

/** How the native core of a worker reaches Temporal. */
export function nativeOptions({ temporal }: Config): NativeConnectionOptions {
  const { apiKey, tls, metadata } = temporal.connectionOptions;
  return {
    ...temporal.native,
    ...(apiKey === undefined ? {} : { apiKey: typeof apiKey === 'string' ? apiKey : apiKey() }),
    ...(tls === undefined || tls === null ? {} : { tls }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** The options of `Worker.create`. */
export function workerOptions(
  config: Config,
  { client, tracing, metrics, ...parts }: WorkerParts,
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
    serviceStage,
  } = config;
  const activities = createActivities({
    ...parts,
    checks: createCheckClient(config.checkHosts, config.proxyFor, { follow: tracing?.followOutgoing }),
    findRunbook: (name) => findRunbook(runbookDirectories, name),
    calendars: calendarsIn(calendarDirectories),
    limits,
    usualDurations: (kind) => parts.watch.durations.usual(kind),
    usualDurationsMs,
    operatorWaitMs,
    approvers,
    verify,
    temporal: temporalAccess(client),
    observer: metrics.activities,
    otherProjects: projectsBeside(client, { taskQueue, projectId: serviceStage.projectId }),
  });
  const { cachedWorkflows, activitySlots, workflowTaskSlots } = workerSizes(processMemory(), config.sizes);
  return {
    connection,
    namespace: temporal.namespace,
    taskQueue,
    activities: { ...activities },
    ...workflowCode(tracing !== null),
    interceptors: {
      activity: [followSubject, ...(tracing?.activityInterceptors ?? []), failuresWithinLimit],
      ...workflowInterceptors(),
    },
    sinks: { ...runSinks(metrics.runs), ...tracing?.sinks },
    ...(config.nexus ? nexusOptions({ client, taskQueue }) : {}),
    ...(config.version === null ? {} : { workerDeploymentOptions: deploymentOptions(config.version) }),
    identity: workerIdentity(process.pid, hostname(), serviceStage.projectId),
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

/** A worker without services does not poll for Nexus tasks. */
function nexusOptions(parts: NexusParts): Pick<WorkerOptions, 'nexusServices' | 'nexusTaskPollerBehavior'> {
  return { nexusServices: [runbooksHandler(parts)], nexusTaskPollerBehavior: NEXUS_POLLERS };
}

/**
 * Runs and alarm rules move on to the version that is current, since they can last for days or for ever. `targetRun` itself
 * asks to stay (decision 46).
 */
function deploymentOptions(version: WorkerVersion): WorkerDeploymentOptions {
  return { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' };
}
