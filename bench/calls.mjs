// Which calls to ServiceStage one run makes, by kind, with the shipped settings: the first run of a new worker, then the second one. `npm run build` first.
// node bench/calls.mjs [seconds a cloud job takes, 2]
import { RunbookClient } from '../dist/client/runbook-client.js';
import { startWorld } from './world.mjs';

const SECONDS = Number(process.argv[2] ?? 2);
const RUNS = [
  { runbook: 'recover', cloudJobs: 3 },
  { runbook: 'restart', cloudJobs: 1 },
  { runbook: 'scale', cloudJobs: 1, inputs: { replica: 3 } },
];
/** How the table names the simulator's routes. Whatever else is called appears under the route's own name. */
const NAMES = { action: 'POST', job: 'polls', instance: 'readings' };

const world = await startWorld({ jobMs: SECONDS * 1_000 });
const runbooks = await RunbookClient.connect({ address: world.server.address });
// What the shipped product does: it waits 10 s to see that a state holds.
delete world.env.RUNBOOK_VERIFY;
try {
  for (const run of RUNS) {
    const worker = await world.startWorker();
    // Both before the first run: a worker lists again for a name that it does not know.
    const instances = [await world.newInstance(`${run.runbook}-1`), await world.newInstance(`${run.runbook}-2`)];
    for (const [index, { path }] of instances.entries()) await printCallsOf(run, path, ['cold', 'second'][index]);
    worker.kill('SIGTERM');
  }
} finally {
  await runbooks.close();
  await world.close();
}

async function printCallsOf({ runbook, cloudJobs, inputs = {} }, path, order) {
  const before = await counts();
  const { workflowId } = await runbooks.start(runbook, { targets: [path], inputs });
  const { outcome, startedAtMs, endedAtMs } = await runbooks.result(workflowId);
  if (outcome !== 'succeeded') throw new Error(`${runbook} ended ${outcome}`);
  const calls = difference(await counts(), before);
  const all = sum(Object.values(calls));
  const made = Object.entries(calls).filter(([, number]) => number > 0);
  const words = made.map(([route, number]) => `${NAMES[route] ?? route} ${number}`).join(', ');
  const seconds = ((endedAtMs - startedAtMs) / 1_000).toFixed(1);
  const perJob = (all / cloudJobs).toFixed(1);
  console.log(`${runbook.padEnd(8)} ${order.padEnd(7)} ${all} calls (${words}), ${perJob} per cloud job, ${seconds} s`);
}

/** Calls so far by route, whatever the answer was. */
async function counts() {
  const byRoute = {};
  for (const [key, calls] of Object.entries((await world.control('/requests')).counts)) {
    const [route] = key.split(' ');
    byRoute[route] = (byRoute[route] ?? 0) + calls;
  }
  return byRoute;
}

function difference(after, before) {
  return Object.fromEntries(Object.entries(after).map(([route, calls]) => [route, calls - (before[route] ?? 0)]));
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
