// What one run costs: history events, calls of ServiceStage, CPU of worker and Temporal server. `npm run build` first.
// Prints medians of several rounds and the ratio to a baseline of empty workflows on the same server, measured in the same run.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RunbookClient } from '../dist/client/runbook-client.js';
import { leaseId } from '../dist/domain/target/target.js';
import { startTemporalServer } from '../dist/embedded/temporal-server.js';
import { startSimulator } from '../dist/simulator/server.js';
import { workerEnv } from './worker-env.mjs';

const RUNS = Number(process.argv[2] ?? 20);
let instances = 0;
const ROUNDS = Number(process.argv[3] ?? 3);

const server = await startTemporalServer({ env: process.env, say: console.error });
const durationsMs = { start: 300, stop: 300, restart: 300, scale: 300, rollback: 300 };
const simulator = await startSimulator({ world: 'empty', switches: { durationsMs } });
const worker = await startWorker();
const runbooks = await RunbookClient.connect({ address: server.address });
const serverPid = Number(
  execFileSync('pgrep', ['-f', '--', `--port ${server.address.split(':')[1]} `], { encoding: 'utf8' }).trim(),
);

await round('recover', 2);
const rounds = [];
for (let index = 0; index < ROUNDS; index++) {
  rounds.push({ recover: await round('recover', RUNS), 'health-check': await round('health-check', RUNS) });
}
for (const name of ['health-check', 'recover']) {
  const of = (key) => median(rounds.map((each) => each[name][key]));
  console.log(
    `${name.padEnd(13)} events ${of('events')}, ServiceStage calls ${of('calls')}, CPU per run: worker ${of('workerMs').toFixed(0)} ms, server ${of('serverMs').toFixed(0)} ms`,
  );
}
const ratio = (key) => median(rounds.map((each) => each.recover[key] / each['health-check'][key])).toFixed(1);
console.log(
  `recover against health-check (one plan, no child): worker ${ratio('workerMs')} times, server ${ratio('serverMs')} times`,
);
await runbooks.close();
worker.kill('SIGTERM');
await simulator.close();
await server.close();

/** Runs side by side on instances of their own; figures per run. */
async function round(runbook, count) {
  const targets = await Promise.all(Array.from({ length: count }, () => newInstance()));
  const before = { worker: cpuMs(worker.pid), server: cpuMs(serverPid), calls: await callsMade() };
  const started = await Promise.all(targets.map(({ path }) => runbooks.start(runbook, { targets: [path] })));
  const reports = await Promise.all(started.map(({ workflowId }) => runbooks.result(workflowId)));
  const after = { worker: cpuMs(worker.pid), server: cpuMs(serverPid), calls: await callsMade() };
  if (reports.some(({ outcome }) => outcome !== 'succeeded'))
    throw new Error(`A run did not succeed: ${reports.map(({ summary }) => summary).join('\n')}`);
  return {
    workerMs: (after.worker - before.worker) / count,
    serverMs: (after.server - before.server) / count,
    calls: (after.calls - before.calls) / count,
    events: await eventsOf(started[0].workflowId, targets[0].instanceId),
  };
}

async function eventsOf(workflowId, instanceId) {
  const ids = [workflowId, leaseId({ projectId: simulator.projectId, instanceId })];
  const histories = await Promise.all(
    ids.map((id) =>
      runbooks.client.workflow
        .getHandle(id)
        .fetchHistory()
        .then(
          ({ events }) => events.length,
          () => 0,
        ),
    ),
  );
  return histories.reduce((sum, events) => sum + events, 0);
}

async function newInstance() {
  const name = `i${++instances}`;
  const body = { application: 'a', component: 'c', name, replica: 2, version: '2', snapshots: ['1'] };
  const answer = await fetch(`${simulator.controlUrl}/instances`, { method: 'POST', body: JSON.stringify(body) });
  return { ...(await answer.json()), path: `a/c/${name}` };
}

async function callsMade() {
  const { counts } = await (await fetch(`${simulator.controlUrl}/requests`)).json();
  return Object.values(counts).reduce((sum, calls) => sum + calls, 0);
}

/** User and system time of a process so far, from /proc; a tick is 10 ms. */
function cpuMs(pid) {
  const fields = execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' })
    .split(') ')[1]
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function median(values) {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)];
}

async function startWorker() {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../dist/worker.js', import.meta.url))], {
    env: workerEnv({
      server,
      simulator,
      usualDurations: 'start=300ms,stop=300ms,restart=300ms,scale=300ms,rollback=300ms',
    }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  await new Promise((resolve) =>
    createInterface({ input: child.stdout }).on('line', (line) => line.includes('"worker ready"') && resolve()),
  );
  return child;
}
