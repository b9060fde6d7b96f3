/** Workers of several versions on one task queue, each in its own process, promoted and taken back by the `temporal` command. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import type { RunReport } from '../../src/domain/report/report.js';
import { leaseId } from '../../src/domain/target/target.js';
import { findTemporalProgram } from '../../src/embedded/find-temporal.js';
import { startTemporalServer, type TemporalServer } from '../../src/embedded/temporal-server.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { controlOf, type Control } from './simulator.js';
import { newSeed } from './stack.js';
import { until, untilFound } from './until.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const RUNBOOKS = fileURLToPath(new URL('../workflows/runbooks', import.meta.url));
const say = (line: string) => process.stderr.write(`${line}\n`);
/** By default the server checks every three minutes whether a version is drained, and not before three minutes have passed. */
const QUICK_DRAINAGE = {
  'matching.wv.VersionDrainageStatusRefreshInterval': '"1s"',
  'matching.wv.VersionDrainageStatusVisibilityGracePeriod': '"1s"',
};

/** The version of a workflow, as the server has it. */
export interface SeenVersion {
  /** `null`: none yet, or it is not versioned. */
  readonly buildId: string | null;
  readonly isPinned: boolean;
}

/** An instance of its own, and the id of the lease on it. */
export interface AnInstance {
  readonly instanceId: string;
  readonly path: string;
  readonly lease: string;
}

/** A run on an instance. */
export interface RunOnInstance extends AnInstance {
  readonly workflowId: string;
}

/** A run whose cloud job can be ended. */
export interface ActingRun extends RunOnInstance {
  /** @returns the report of the run */
  readonly end: () => Promise<RunReport>;
}

/** A Worker Deployment of its own. */
export interface VersionedPlace {
  readonly runbooks: RunbookClient;
  readonly deploymentName: string;
  /** Starts a worker of a version, or one without. @param program default: the built worker */
  readonly worker: (buildId: string | null, program?: string) => Promise<WorkerProcess>;
  /** `temporal worker deployment COMMAND`, repeated until it succeeds: a version exists once its worker polls. */
  readonly deployment: (command: string, ...words: readonly string[]) => Promise<unknown>;
  /** Makes a version current. */
  readonly promote: (buildId: string) => Promise<void>;
  readonly instance: () => Promise<AnInstance>;
}

/** A server, a simulator, and places on both. */
export interface Versions {
  readonly control: Control;
  readonly client: Client;
  readonly aPlace: () => VersionedPlace;
  readonly accepted: (instanceId: string) => Promise<string[]>;
  /** Resolves when ServiceStage has accepted as many actions. */
  readonly accepts: (instanceId: string, ...actions: readonly string[]) => Promise<void>;
  /** A restart whose cloud job continues until the test ends it. */
  readonly actingRestart: (place: VersionedPlace) => Promise<ActingRun>;
  /** A run that waits for its approval and has not begun its target. */
  readonly waitingRun: (place: VersionedPlace) => Promise<RunOnInstance>;
  readonly versionOf: (workflowId: string) => Promise<SeenVersion>;
  readonly temporal: (...words: readonly string[]) => Promise<string>;
}

const PINNED = 1;

/** Call once at the top of a test file. Has a server of its own, which decides within seconds that a version is drained. */
export function useVersions(): Versions {
  let server: TemporalServer;
  let simulator: RunningSimulator;
  let control: Control;
  let connection: ClosableConnection;
  let client: Client;
  let program: string;
  const workers: WorkerProcess[] = [];
  beforeAll(async () => {
    const env = { ...process.env, TEMPORAL_ADDRESS: '' };
    program = await findTemporalProgram({ env, say });
    server = await startTemporalServer({ env, say, dynamicConfig: QUICK_DRAINAGE });
    simulator = await startSimulator({ world: 'empty', seed: newSeed() });
    control = controlOf(simulator);
    connection = await ClosableConnection.connect({ address: server.address });
    client = new Client({ connection });
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
    await connection.close();
    await simulator.close();
    await server.close();
  });
  const temporal = async (...words: readonly string[]) =>
    (await promisify(execFile)(program, [...words, '--address', server.address])).stdout;

  const accepted = async (instanceId: string) => (await control.accepted(instanceId)).map(({ action }) => action);
  const accepts = (instanceId: string, ...actions: readonly string[]) =>
    until(async () => (await accepted(instanceId)).length === actions.length);

  return {
    get control() {
      return control;
    },
    get client() {
      return client;
    },
    temporal,
    accepted,
    accepts,
    actingRestart: async ({ runbooks, instance }) => {
      const acting = await instance();
      await control.outcome({ instanceId: acting.instanceId, action: 'restart', neverEnds: true });
      const { workflowId } = await runbooks.start('restart', { targets: [acting.path] });
      await accepts(acting.instanceId, 'restart');
      const end = async () => {
        await control.finish(acting.instanceId);
        return runbooks.result(workflowId);
      };
      return { ...acting, workflowId, end };
    },
    waitingRun: async ({ runbooks, instance }) => {
      const waiting = await instance();
      const { workflowId } = await runbooks.start('approved-restart', { targets: [waiting.path], requestedBy: 'ben' });
      await until(async () => {
        const { run } = await runbooks.progress(workflowId);
        if (run.phase === 'finished') throw new Error(JSON.stringify(await runbooks.report(workflowId)));
        return run.approval !== undefined;
      });
      return { ...waiting, workflowId };
    },
    versionOf: async (workflowId) => {
      const { raw } = await client.workflow.getHandle(workflowId).describe();
      const { behavior, deploymentVersion } = raw.workflowExecutionInfo?.versioningInfo ?? {};
      return { buildId: deploymentVersion?.buildId ?? null, isPinned: Number(behavior) === PINNED };
    },
    aPlace: () => {
      const id = newSeed();
      const deploymentName = `runbooks-${id}`;
      const taskQueue = `versions-${id}`;
      const deployment = (command: string, ...words: readonly string[]) => {
        const named = command === 'describe' ? '--name' : '--deployment-name';
        const all = ['worker', 'deployment', command, named, deploymentName, ...words, '--output', 'json'];
        return untilFound(async () => JSON.parse((await temporal(...all)) || '{}') as unknown);
      };
      return {
        runbooks: new RunbookClient({ client, taskQueue }),
        deploymentName,
        deployment,
        promote: async (buildId) => void (await deployment('set-current-version', '--build-id', buildId, '--yes')),
        worker: async (buildId, builtWorker) => {
          const version = {
            ...(buildId === null ? {} : { TEMPORAL_WORKER_DEPLOYMENT_NAME: deploymentName }),
            ...(buildId === null ? {} : { TEMPORAL_WORKER_BUILD_ID: buildId }),
          };
          const worker = await startWorkerProcess({
            address: server.address,
            taskQueue,
            simulator,
            env: { RUNBOOK_DIR: RUNBOOKS, RUNBOOK_OPERATOR_WAIT: '1h', ...version },
            ...(builtWorker === undefined ? {} : { program: builtWorker }),
          });
          workers.push(worker);
          return worker;
        },
        instance: async () => {
          const name = `versioned-${newSeed()}`;
          const { instanceId } = await control.createInstance({
            ...{ application: 'a', component: 'c', name, replica: 2, version: '2' },
            snapshots: ['1'],
          });
          const lease = leaseId({ projectId: simulator.projectId, instanceId });
          return { instanceId, path: `a/c/${name}`, lease };
        },
      };
    },
  };
}
