// Where the time of a run goes that is not its cloud jobs', and which calls it makes: the work `shipped`, cold and then warm, taken apart.
// `npm run build` first. node bench/timeline.mjs [runs, 20] [seconds a cloud job takes, 20] [rounds, 2] [jitter, 0]
import { quantile } from './measure-work.mjs';
import { openSide } from './side-world.mjs';
import { WORKS } from './works.mjs';
import { fileURLToPath } from 'node:url';

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
  const sinceMs = Date.now();
  const begun = await Promise.all(instances.map((instance) => side.begin(instance)));
  const ended = await Promise.all(begun.map((id) => side.temporal.workflow.getHandle(id).result()));
  const times = await closeTimes(begun);
  const calls = (await side.requests()).filter(({ atMs }) => atMs >= sinceMs);
  const accepted = await side.accepted();
  const apart = instances.map(({ instanceId }, index) => {
    const jobs = accepted.filter((job) => job.instanceId === instanceId);
    return takenApart(times[index], jobs, calls, ended[index], instanceId);
  });
  const jobsMs = quantile(apart.map(({ jobsMs: ms }) => ms), 0.5);
  console.log(`\nRound ${round}: ${runs} runs, cloud jobs ${(jobsMs / 1_000).toFixed(1)} s`);
  console.log(`  ${'seconds'.padEnd(34)}${'median'.padStart(9)}${'p90'.padStart(9)}`);
  for (const name of Object.keys(apart[0].parts)) {
    const values = apart.map(({ parts }) => parts[name] / 1_000);
    console.log(`  ${name.padEnd(34)}${quantile(values, 0.5).toFixed(3).padStart(9)}${quantile(values, 0.9).toFixed(3).padStart(9)}`);
  }
  const ratios = apart.map(({ parts, jobsMs: ms }) => parts.total / ms);
  console.log(`  run time over cloud jobs: median ${quantile(ratios, 0.5).toFixed(3)}, p90 ${quantile(ratios, 0.9).toFixed(3)}`);
  const counts = new Map();
  for (const { route } of calls) counts.set(route, (counts.get(route) ?? 0) + 1);
  const each = [...counts].map(([route, count]) => `${NAMES[route] ?? route} ${(count / runs / 3).toFixed(2)}`);
  console.log(`  calls for each cloud job: ${(calls.length / runs / 3).toFixed(2)} (${each.join(', ')})`);
}

function takenApart({ startMs, closeMs }, jobs, calls, _report, instanceId) {
  const parts = {};
  const own = calls.filter(({ path }) => path.includes(instanceId));
  const add = (name, ms) => { parts[name] = (parts[name] ?? 0) + ms; };
  const readings = own.filter(({ route }) => route === 'instance');
  let fromMs = startMs;
  for (const [index, job] of jobs.entries()) {
    const polls = calls.filter(({ path }) => path.includes(job.cloudJobId));
    const before = readings.filter(({ atMs }) => atMs >= fromMs && atMs <= job.atMs);
    if (index === 0) {
      add('start to first call', own[0].atMs - startMs);
      add('planning to reading before', before.at(-1).atMs - own[0].atMs);
    } else add('reading after to reading before', before.at(-1).atMs - fromMs);
    add('reading before to accepted', job.atMs - before.at(-1).atMs);
    const seen = polls.find(({ atMs }) => atMs >= job.endedAtMs);
    parts[`  lateness of poll, step ${index + 1}`] = seen.atMs - job.endedAtMs;
    add('lateness of polls', seen.atMs - job.endedAtMs);
    parts[`  polls, step ${index + 1}`] = polls.length * 1000;
    const nextMs = jobs[index + 1]?.atMs ?? Infinity;
    const after = readings.filter(({ atMs }) => atMs >= seen.atMs && atMs < nextMs);
    add('poll to reading after', after[0].atMs - seen.atMs);
    if (index < jobs.length - 1) fromMs = after.at(0).atMs;
    else {
      add('hold', after.at(-1).atMs - after[0].atMs);
      add('last reading to close', closeMs - after.at(-1).atMs);
    }
  }
  parts.total = closeMs - startMs;
  return { parts, jobsMs: jobs.reduce((sum, { atMs, endedAtMs }) => sum + endedAtMs - atMs, 0) };
}

async function closeTimes(ids) {
  return Promise.all(ids.map(async (id) => {
    const { startTime, closeTime } = await side.temporal.workflow.getHandle(id).describe();
    return { startMs: startTime.getTime(), closeMs: closeTime.getTime() };
  }));
}
