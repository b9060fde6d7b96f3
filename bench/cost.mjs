// What one run costs: history events, ServiceStage calls, CPU of worker and Temporal server. `npm run build` first.
// node bench/cost.mjs [runs in a round, 20] [rounds, 3] [--write]. Prints medians. CPU is held against `health-check`, which only plans, as a ratio measured
// in the same run.
import { execFileSync } from 'node:child_process';
import { RunbookClient } from '../dist/client/runbook-client.js';
import { leaseId } from '../dist/domain/target/target.js';
import { compareWithBaseline, words } from './baseline.mjs';
import { startWorld } from './world.mjs';

const RUNS = Number(words[0] ?? 20);
const ROUNDS = Number(words[1] ?? 3);
let instances = 0;

const world = await startWorld();
const { server, simulator } = world;
const worker = await world.startWorker();
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
const ratio = (key) => median(rounds.map((each) => each.recover[key] / each['health-check'][key]));
const isWithinLimits = await compareWithBaseline('cost', {
  recoverEvents: median(rounds.map(({ recover }) => recover.events)),
  recoverCalls: median(rounds.map(({ recover }) => recover.calls)),
  workerCpuRatio: ratio('workerMs'),
  serverCpuRatio: ratio('serverMs'),
});
await runbooks.close();
worker.kill('SIGTERM');
await world.close();
process.exitCode = isWithinLimits ? 0 : 1;

/** Runs side by side on instances of their own; figures per run. */
async function round(runbook, count) {
  const targets = await Promise.all(Array.from({ length: count }, () => world.newInstance(`i${++instances}`)));
  const before = { worker: cpuMs(worker.pid), server: cpuMs(serverPid), calls: await world.callsMade() };
  const started = await Promise.all(targets.map(({ path }) => runbooks.start(runbook, { targets: [path] })));
  const reports = await Promise.all(started.map(({ workflowId }) => runbooks.result(workflowId)));
  const after = { worker: cpuMs(worker.pid), server: cpuMs(serverPid), calls: await world.callsMade() };
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
