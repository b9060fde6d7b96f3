/** A task queue, an instance of the simulator, and workers in processes of their own that a test may kill. */
import { RunbookClient } from '../../src/client/runbook-client.js';
import { startSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/simulator/server.js';
import { controlOf, type Control } from './simulator.js';
import { newSeed } from './stack.js';
import type { TestTemporal } from './temporal.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

export interface ProcessPlace {
  readonly taskQueue: string;
  readonly control: Control;
  readonly projectId: string;
  readonly instanceId: string;
  /** `a/c/…`, of two replicas, with version 2 and a snapshot of version 1. */
  readonly path: string;
  readonly runbooks: RunbookClient;
  /** Resolves when it is ready. */
  readonly startWorker: () => Promise<WorkerProcess>;
  /** The actions that ServiceStage has accepted on the instance, oldest first. */
  readonly accepted: () => Promise<readonly string[]>;
}

/** An empty simulator with a seed of its own. The test closes it. */
export function emptySimulator(switches: SimulatorOptions['switches'] = {}): Promise<RunningSimulator> {
  return startSimulator({ world: 'empty', seed: newSeed(), switches });
}

/** @param env what the workers get besides the addresses */
export async function aProcessPlace(
  temporal: TestTemporal,
  simulator: RunningSimulator,
  env: Readonly<Record<string, string>> = {},
): Promise<ProcessPlace> {
  const control = controlOf(simulator);
  const name = `killed-${newSeed()}`;
  const taskQueue = `${temporal.taskQueue}-${name}`;
  const instance = { application: 'a', component: 'c', name, replica: 2, version: '2', snapshots: ['1'] };
  const { instanceId } = await control.createInstance(instance);
  return {
    taskQueue,
    control,
    projectId: simulator.projectId,
    instanceId,
    path: `a/c/${name}`,
    runbooks: new RunbookClient({ client: temporal.client, taskQueue }),
    startWorker: () => startWorkerProcess({ address: temporal.address, taskQueue, simulator, env }),
    accepted: async () => (await control.accepted(instanceId)).map(({ action }) => action),
  };
}
