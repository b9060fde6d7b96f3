// What every bench runs against: a Temporal dev server, a simulated ServiceStage without request limits, and worker processes.
import { startTemporalServer } from '../dist/embedded/temporal-server.js';
import { startSimulator } from '../dist/simulator/server.js';
import { startProcess } from './start-process.mjs';

const ACTIONS = ['start', 'stop', 'restart', 'scale', 'rollback'];

/** @param {{ jobMs?: number }} options how long each cloud job takes, in milliseconds */
export async function startWorld({ jobMs = 300 } = {}) {
  // One exit listener for each process that is started.
  process.setMaxListeners(0);
  const server = await startTemporalServer({ env: process.env, say: console.error });
  const durationsMs = Object.fromEntries(ACTIONS.map((action) => [action, jobMs]));
  const simulator = await startSimulator({ world: 'empty', switches: { durationsMs } });
  const env = workerEnv(server.address, simulator, ACTIONS.map((action) => `${action}=${jobMs}ms`).join());

  async function control(path, body) {
    const answer = await fetch(
      `${simulator.controlUrl}${path}`,
      body && { method: 'POST', body: JSON.stringify(body) },
    );
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }

  return {
    server,
    simulator,
    env,
    control,
    /** Makes a running instance. @returns its id and its path */
    newInstance: async (name, component = 'shop/checkout') => {
      const [application, componentName] = component.split('/');
      const instance = { application, component: componentName, name, replica: 2, version: '2', snapshots: ['1'] };
      return { ...(await control('/instances', instance)), path: `${component}/${name}` };
    },
    /** Every action that ServiceStage accepted so far. */
    accepted: async () => (await control('/accepted')).accepted,
    /** How many calls ServiceStage got so far. */
    callsMade: async () => Object.values((await control('/requests')).counts).reduce((sum, calls) => sum + calls, 0),
    startWorker: async () => (await startProcess(['worker'], env, (line) => line.includes('"worker ready"'))).child,
    close: async () => {
      await simulator.close();
      await server.close();
    },
  };
}

/** @param {string} address where workers and gateways find Temporal: the server's own, or that of a link to it */
export function workerEnv(address, simulator, usualDurations) {
  return {
    PATH: process.env.PATH,
    TEMPORAL_ADDRESS: address,
    SERVICESTAGE_ENDPOINT: simulator.url,
    SERVICESTAGE_REQUESTS_PER_SECOND: '1000',
    SERVICESTAGE_BURST: '1000',
    HUAWEICLOUD_SDK_PROJECT_ID: simulator.projectId,
    SERVICESTAGE_USER_ID: simulator.userId,
    HUAWEICLOUD_SDK_AK: simulator.accessKey,
    HUAWEICLOUD_SDK_SK: simulator.secretKey,
    RUNBOOK_VERIFY: 'within=20s,stable=200ms',
    // No operator decides in a bench: a step that is not clear ends its run.
    RUNBOOK_OPERATOR_WAIT: '0s',
    RUNBOOK_USUAL_DURATIONS: usualDurations,
  };
}
