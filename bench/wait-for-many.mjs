// Many runs of a minute side by side, each waited for by `RunbookClient.result()`: does every wait end with its run's report, and does nothing warn? `npm run build` first.
// node bench/wait-for-many.mjs [runs, 500] [seconds a run takes, 60]. Exits with 1 when a wait rejects, a run does not succeed, or this process warns.
import { RunbookClient } from '../dist/client/runbook-client.js';
import { startWorld } from './world.mjs';

const RUNS = Number(process.argv[2] ?? 500);
const SECONDS = Number(process.argv[3] ?? 60);
/** Starts under way at a time: a caller that floods its own connection measures only that. */
const STARTS_AT_A_TIME = 20;

const problems = [];
process.on('warning', ({ name, message }) => problems.push(`warning: ${name}: ${message}`));

const world = await startWorld({ jobMs: SECONDS * 1_000 });
const worker = await world.startWorker();
const runbooks = await RunbookClient.connect({ address: world.server.address });

const paths = [];
for (let index = 0; index < RUNS; index++) paths.push((await world.newInstance(`prod-${index}`)).path);

const beganMs = Date.now();
const toStart = [...paths];
const waits = [];
await Promise.all(
  Array.from({ length: STARTS_AT_A_TIME }, async () => {
    for (let path = toStart.pop(); path !== undefined; path = toStart.pop()) {
      const { workflowId } = await runbooks.start('restart', { targets: [path] });
      waits.push(waitFor(workflowId));
    }
  }),
);
console.log(`${RUNS} runs started in ${secondsSince(beganMs)} s`);
const ends = await Promise.all(waits);
const succeeded = ends.filter((end) => end === 'succeeded').length;
for (const end of ends) if (end !== 'succeeded') problems.push(end);
console.log(`${succeeded} of ${RUNS} waits ended with a run that succeeded, after ${secondsSince(beganMs)} s`);
await runbooks.close();

worker.kill('SIGTERM');
const exitCode = await new Promise((resolve) => worker.once('exit', resolve));
if (exitCode !== 0) problems.push(`the worker ended with ${exitCode}`);
await world.close();
for (const problem of [...new Set(problems)])
  console.log(`${problems.filter((each) => each === problem).length} × ${problem}`);
console.log(problems.length === 0 ? 'as it should be' : 'WRONG');
process.exitCode = problems.length === 0 ? 0 : 1;

async function waitFor(workflowId) {
  try {
    return (await runbooks.result(workflowId)).outcome;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

function secondsSince(startMs) {
  return ((Date.now() - startMs) / 1_000).toFixed(0);
}
