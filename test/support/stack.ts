/** The whole product in one test: simulator, worker and client, with limits of milliseconds. */
import { randomInt, randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Worker, WorkerOptions } from '@temporalio/worker';
import { CloudJobWatch } from '../../src/activities/cloud-job-watch.js';
import { Durations } from '../../src/domain/durations/durations.js';
import type { ActivityDependencies } from '../../src/activities/dependencies.js';
import { createActivities } from '../../src/activities/index.js';
import { temporalAccess } from '../../src/activities/temporal-access.js';
import { calendarsIn } from '../../src/calendars/calendars.js';
import { findRunbook } from '../../src/runbooks/catalogue.js';
import type { Activities, StartArguments } from '../../src/domain/contract.js';
import type { RunReport } from '../../src/domain/report/report.js';
import type { Credentials } from '../../src/servicestage/auth.js';
import type { FollowRequest } from '../../src/servicestage/http.js';
import { Secret } from '../../src/servicestage/secret.js';
import { createServiceStage } from '../../src/servicestage/service-stage-client.js';
import type { ServiceStage } from '../../src/servicestage/service-stage.js';
import { startSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/simulator/server.js';
import { stackLimits } from './build.js';
import { keepEvidence } from './evidence.js';
import { controlOf, type Control, type SeedRequest } from './simulator.js';
import type { TestTemporal } from './temporal.js';
import { noChecks } from './checks.js';

/** Real milliseconds of a cloud job of each action in tests. */
export const USUAL_MS = { start: 150, stop: 120, restart: 180, scale: 150, rollback: 180 };

export interface Stack {
  readonly simulator: RunningSimulator;
  readonly control: Control;
  readonly activities: Activities;
  /** A new instance at rest, RUNNING 2/2, version 1.4.1 with snapshots 1.3.2 and 1.4.0. */
  newInstance(seed?: Partial<SeedRequest>): Promise<{ instanceId: string; path: string }>;
  start(runbook: string, startArguments: unknown, workflowId?: string): Promise<string>;
  /** Starts a runbook on a target and waits for its report, whatever the outcome. */
  run(runbook: string, path: string, more?: Partial<StartArguments>): Promise<RunReport>;
  report(workflowId: string): Promise<RunReport>;
  /** The names of our accepted POSTs, in order. */
  accepted(instanceId: string): Promise<string[]>;
  /** Starts one more worker with the same activities, on a queue of its own. It ends with the test. @returns what stops it sooner */
  beginWorker(taskQueue: string, onTestFinished: (stop: () => Promise<void>) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/**
 * Instance ids depend on the seed, and leases on instance ids, so simulators that share a Temporal server need
 * different seeds.
 */
export function newSeed(): number {
  return randomInt(2 ** 31);
}

/** Activities with limits of milliseconds, the built-in runbooks and no calendar, where `more` does not say otherwise. */
export function quickActivities(
  serviceStage: ServiceStage,
  client: Client,
  more: Partial<ActivityDependencies> = {},
): Activities {
  return createActivities({
    serviceStage,
    checks: noChecks,
    findRunbook: (name) => findRunbook([], name),
    calendars: calendarsIn([]),
    limits: stackLimits(),
    usualDurations: () => null,
    usualDurationsMs: USUAL_MS,
    operatorWaitMs: 0,
    approvers: null,
    verify: { withinMs: 3_000, stableMs: 60 },
    temporal: temporalAccess(client),
    watch: new CloudJobWatch(new Durations()),
    ...more,
  });
}

export async function startStack(
  temporal: TestTemporal,
  options: {
    simulator?: SimulatorOptions;
    worker?: Partial<WorkerOptions>;
    dependencies?: Partial<ActivityDependencies>;
    runbookDirectories?: readonly string[];
    calendarDirectories?: readonly string[];
    authentication?: 'accessKey' | 'password';
    followRequest?: FollowRequest;
  } = {},
): Promise<Stack> {
  const switches = { durationsMs: USUAL_MS, ...options.simulator?.switches };
  const simulator = await startSimulator({ world: 'empty', seed: newSeed(), ...options.simulator, switches });
  const control = controlOf(simulator);
  const serviceStage = createServiceStage({
    endpoint: simulator.url,
    projectId: simulator.projectId,
    credentials: credentialsFor(simulator, options.authentication ?? 'accessKey'),
    iamEndpoint: simulator.url,
    requestsPerSecond: 1_000,
    burst: 1_000,
    ...(options.followRequest === undefined ? {} : { followRequest: options.followRequest }),
  });
  const activities = quickActivities(serviceStage, temporal.client, {
    findRunbook: (name) => findRunbook(options.runbookDirectories ?? [], name),
    calendars: calendarsIn(options.calendarDirectories ?? []),
    ...options.dependencies,
  });
  const worker = await temporal.worker({ activities: { ...activities }, ...options.worker });
  const running = worker.run();
  const report = async (workflowId: string) => {
    const read = await readReport(temporal, workflowId);
    keepEvidence(`${workflowId}: ${JSON.stringify(read)}`);
    return read;
  };
  const start = async (runbook: string, startArguments: unknown, workflowId = `${runbook}-${randomUUID()}`) => {
    await temporal.client.workflow.start(runbook, {
      workflowId,
      taskQueue: temporal.taskQueue,
      args: [startArguments],
    });
    return workflowId;
  };
  return {
    simulator,
    control,
    activities,
    newInstance: async (seed = {}) => {
      const name = `prod-${randomUUID().slice(0, 8)}`;
      const given = {
        application: 'shop',
        component: 'checkout',
        name,
        version: '1.4.1',
        replica: 2,
        snapshots: ['1.3.2', '1.4.0'],
        ...seed,
      };
      const { instanceId } = await control.createInstance(given);
      return { instanceId, path: `${given.application}/${given.component}/${given.name}` };
    },
    start,
    run: async (runbook, path, more = {}) => report(await start(runbook, { targets: [path], ...more })),
    report,
    accepted: async (instanceId) =>
      (await control.accepted(instanceId)).filter(({ byConsole }) => !byConsole).map(({ action }) => action),
    beginWorker: async (taskQueue, onTestFinished) => {
      const another = await temporal.worker({ taskQueue, activities: { ...activities } });
      const ended = another.run();
      const stop = () => stopWorker(another, ended);
      onTestFinished(stop);
      return stop;
    },
    close: async () => {
      await stopWorker(worker, running);
      await simulator.close();
    },
  };
}

function credentialsFor(simulator: RunningSimulator, kind: 'accessKey' | 'password'): Credentials {
  const { url, accessKey, secretKey, iamUser, iamPassword, iamDomain } = simulator;
  if (kind === 'accessKey') return { kind, accessKey, secretKey: new Secret(secretKey) };
  return { kind, iamEndpoint: url, user: iamUser, password: new Secret(iamPassword), domain: iamDomain };
}

export async function stopWorker(worker: Worker, running: Promise<void>): Promise<void> {
  if (worker.getState() === 'RUNNING') worker.shutdown();
  await running;
}

/** Reads the report as the docs describe: result, else the details of the failure, else the memo. */
async function readReport({ client }: TestTemporal, workflowId: string): Promise<RunReport> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    return (await handle.result()) as RunReport;
  } catch {
    const { memo } = await handle.describe();
    const report = memo?.['report'] as RunReport | undefined;
    if (report === undefined) throw new Error(`${workflowId} left no report`);
    return report;
  }
}
