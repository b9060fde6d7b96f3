// Takes the runs of the work `shipped` apart: where their time goes beside the cloud jobs, and which calls they make, the first round cold.
// Every part comes from the simulator's log of requests. `npm run build` first.
// node bench/timeline.mjs [runs, 20] [seconds a cloud job takes, 20] [rounds, 2] [fraction by which that varies, 0]
import { fileURLToPath } from 'node:url';
import { quantile } from './measure-work.mjs';
import { openSide } from './side-world.mjs';
import { WORKS } from './works.mjs';

const [runs = 20, seconds = 20, rounds = 2, jitter = 0] = process.argv.slice(2).map(Number);
const work = { ...WORKS.shipped, jobMs: seconds * 1_000 };
const NAMES = { action: 'POST', job: 'polls', instance: 'readings' };

process.setMaxListeners(0);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const side = await openSide({ folder: fileURLToPath(new URL('..', import.meta.url)) }, work, { jitter });
try {
  for (let round = 1; round <= rounds; round++) await printRound(round);
} finally {
  await side.close();
}

async function printRound(round) {
  const instances = await side.newInstances(runs);
  const beganAtMs = Date.now();
  const ids = await Promise.all(instances.map((instance) => side.begin(instance)));
  await Promise.all(ids.map((id) => side.temporal.workflow.getHandle(id).result()));
  const calls = (await side.requests()).filter(({ atMs }) => atMs >= beganAtMs);
  const accepted = await side.accepted();
  const apart = await Promise.all(
    instances.map(async ({ instanceId }, index) => {
      const jobs = accepted.filter((job) => job.instanceId === instanceId);
      const { startTime, closeTime } = await side.temporal.workflow.getHandle(ids[index]).describe();
      return takenApart({ instanceId, startMs: startTime.getTime(), closeMs: closeTime.getTime() }, jobs, calls);
    }),
  );
  const median = (name) =>
    quantile(
      apart.map((parts) => parts[name]),
      0.5,
    );
  const p90 = (name) =>
    quantile(
      apart.map((parts) => parts[name]),
      0.9,
    );
  const row = (cells) =>
    console.log(
      `  ${cells[0].padEnd(36)}${cells
        .slice(1)
        .map((cell) => cell.padStart(10))
        .join('')}`,
    );
  console.log(`\nround ${round} (${round === 1 ? 'cold' : 'warm'}), ${runs} runs`);
  row(['seconds of a run', 'median', 'p90']);
  for (const name of Object.keys(apart[0])) row([name, median(name).toFixed(3), p90(name).toFixed(3)]);
  row(['run time over cloud jobs', (median('all') / median('cloud jobs')).toFixed(3), '']);
  const jobs = apart.length * work.steps.length;
  row(['calls for each cloud job', (calls.length / jobs).toFixed(2), '']);
  for (const [route, count] of countsOf(calls)) row([`  ${NAMES[route] ?? route}`, (count / jobs).toFixed(2), '']);
}

/** @returns seconds of each part of a run; they add up to `all` */
function takenApart({ instanceId, startMs, closeMs }, jobs, calls) {
  const of = (id) => calls.filter(({ path }) => path.includes(id));
  const readings = of(instanceId).filter(({ route }) => route === 'instance');
  const parts = {
    'start to first reading': readings[0].atMs - startMs,
    'first reading to the one before': 0,
    'reading before to POST': 0,
    'cloud jobs': 0,
    'lateness of polls': 0,
    'poll to reading after': 0,
    'reading after to the one before': 0,
    hold: 0,
    'last reading to close': 0,
  };
  let fromMs = readings[0].atMs;
  for (const [index, { cloudJobId, atMs, endedAtMs }] of jobs.entries()) {
    const isLast = index === jobs.length - 1;
    const before = readings.findLast((reading) => reading.atMs <= atMs);
    const seen = of(cloudJobId).find((poll) => poll.atMs >= endedAtMs);
    const after = readings.filter((reading) => reading.atMs >= seen.atMs);
    parts[index === 0 ? 'first reading to the one before' : 'reading after to the one before'] += before.atMs - fromMs;
    parts['reading before to POST'] += atMs - before.atMs;
    parts['cloud jobs'] += endedAtMs - atMs;
    parts['lateness of polls'] += seen.atMs - endedAtMs;
    parts['poll to reading after'] += after[0].atMs - seen.atMs;
    fromMs = after[0].atMs;
    if (!isLast) continue;
    parts.hold = after.at(-1).atMs - fromMs;
    parts['last reading to close'] = closeMs - after.at(-1).atMs;
  }
  const inSeconds = Object.entries(parts).map(([name, ms]) => [name, ms / 1_000]);
  return Object.fromEntries([...inSeconds, ['all', (closeMs - startMs) / 1_000]]);
}

function countsOf(calls) {
  const counts = new Map();
  for (const { route } of calls) counts.set(route, (counts.get(route) ?? 0) + 1);
  return counts;
}
