// One side of side-by-side.mjs: a Temporal dev server on its file, a simulated ServiceStage, and one worker, each a process of its own.
// Every side begins with empty ones, so that none learns from another.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RunbookClient } from '../dist/client/runbook-client.js';
import { freePorts } from '../dist/embedded/ports.js';
import { startTemporalServer } from '../dist/embedded/temporal-server.js';
import { switchOnEverything } from './everything.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const BARE_QUEUE = 'bare';
/** Instances of one component: planning reads them page by page. */
const INSTANCES_OF_A_COMPONENT = 20;

const MOST_STARTS = 5;

/**
 * @param {{ folder: string | null, bareBundle: string, hasEverything?: boolean }} side the checkout whose built worker is measured; `null`: bare
 *   Temporal. `hasEverything`: with metrics, traces and encryption
 */
export async function openSide(
  { folder, bareBundle, hasEverything = false },
  { jobMs, verify, runbook, steps, sizes, isEndless },
  { jitter, profile },
) {
  const data = await mkdtemp(join(tmpdir(), 'side-by-side-'));
  const { TEMPORAL_ADDRESS: _ofTheCaller, ...env } = process.env;
  const [metricsPort] = await freePorts(1);
  // On a file, a dev server writes about 190 times a second: the heartbeats of 1,000 waiting steps.
  const database = isEndless ? {} : { databaseFile: join(data, 'temporal.db') };
  const server = await startTemporalServer({ env, say: console.error, ...database, metricsPort });
  const { address } = server;
  const simulator = await startNode([here('simulator.mjs'), String(jobMs), String(jitter)], env, () => true);
  const api = JSON.parse(simulator.line);
  const everything = hasEverything ? await switchOnEverything() : null;
  const worker =
    folder === null
      ? await startNode(
          [here('bare/worker.mjs'), bareOptions(address, api, bareBundle)],
          env,
          (line) => line === 'ready',
        )
      : await startNode(
          [...profileFlags(profile), join(resolve(folder), 'dist/cli/main.js'), 'worker'],
          { ...workerEnv(address, api, verify), ...sizes, ...everything?.env },
          (line) => line.includes('"worker ready"'),
          // Its own folder of runbooks, not ours.
          resolve(folder),
        );
  const runbooks = await RunbookClient.connect({ address, ...everything?.client });
  let instances = 0;

  async function control(path, body) {
    const answer = await fetch(`${api.controlUrl}${path}`, body && { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }

  async function newInstance() {
    const index = instances++;
    const component = `c${Math.floor(index / INSTANCES_OF_A_COMPONENT)}`;
    const name = `i${index}`;
    const seed = { application: 'shop', component, name, replica: 2, version: '2', snapshots: ['1'] };
    return { ...(await control('/instances', seed)), path: `shop/${component}/${name}` };
  }

  const startBare = (workflowId, instance) =>
    runbooks.client.workflow.start('bare', { taskQueue: BARE_QUEUE, workflowId, args: [instance, steps] });

  /** On a busy machine the server may not answer in time. A start with the same id attaches to the run if there is one. */
  async function startOurs(id, instance) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await runbooks.start(runbook, { targets: [instance.path], id });
      } catch (error) {
        if (error.name !== 'ServerUnreachable' || attempt === MOST_STARTS) throw error;
      }
    }
  }

  return {
    worker: worker.child.pid,
    server: pidOfServer(address),
    temporal: runbooks.client,
    projectId: api.projectId,
    newInstances: async (count) => {
      const made = [];
      for (let index = 0; index < count; index++) made.push(await newInstance());
      return made;
    },
    /** @returns the workflow id of the run */
    begin: async (instance) => {
      const id = `run-${instance.instanceId}`;
      await (folder === null ? startBare(id, instance) : startOurs(id, instance));
      return id;
    },
    /** The counters of the Temporal server, as Prometheus reads them. */
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    accepted: async () => (await control('/accepted')).accepted,
    /** The newest 5,000 calls. */
    requests: async () => (await control('/requests')).requests,
    callsMade: async () => Object.values((await control('/requests')).counts).reduce((sum, calls) => sum + calls, 0),
    close: async () => {
      await runbooks.close();
      await stop(worker.child, profile === undefined ? 'SIGKILL' : 'SIGTERM');
      await stop(simulator.child, 'SIGKILL');
      await server.close('SIGKILL');
      await everything?.close();
      await rm(data, { recursive: true, force: true });
    },
  };
}

function profileFlags(profile) {
  return profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`];
}

function bareOptions(address, { url: endpoint, projectId, token }, codePath) {
  return JSON.stringify({ address, taskQueue: BARE_QUEUE, codePath, endpoint, projectId, token });
}

/** The worker has to learn durations by itself. Both sides show a ready token, so that neither signs, and neither has a request budget that counts. */
function workerEnv(address, api, verify) {
  return {
    PATH: process.env.PATH,
    TEMPORAL_ADDRESS: address,
    SERVICESTAGE_ENDPOINT: api.url,
    SERVICESTAGE_TOKEN: api.token,
    SERVICESTAGE_USER_ID: api.userId,
    SERVICESTAGE_REQUESTS_PER_SECOND: '2000',
    SERVICESTAGE_BURST: '2000',
    HUAWEICLOUD_SDK_PROJECT_ID: api.projectId,
    // No person decides here: a step that is not clear ends its run, and the bench shows why.
    RUNBOOK_OPERATOR_WAIT: '0s',
    ...(verify === null ? {} : { RUNBOOK_VERIFY: verify }),
  };
}

function pidOfServer(address) {
  const words = ['-f', '--', `--port ${address.split(':')[1]} `];
  return Number(execFileSync('pgrep', words, { encoding: 'utf8' }).trim());
}

/** Starts a process that is ready once it prints a line, and does not outlive the bench. */
async function startNode(words, env, isReady, cwd) {
  const child = spawn(process.execPath, words, { env, cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  child.once('exit', () => process.removeListener('exit', onExit));
  const line = await new Promise((ready, fail) => {
    createInterface({ input: child.stdout }).on('line', (text) => isReady(text) && ready(text));
    child.once('exit', (code) => fail(new Error(`${words.join(' ')} ended with ${code}`)));
  });
  return { child, line };
}

async function stop(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill(signal);
  await ended;
}
