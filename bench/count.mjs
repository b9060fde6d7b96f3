// Counts what one `recover` makes Temporal do, beside bare Temporal: calls, writes, events and the bytes of their payloads. The counts do not
// depend on how busy the machine is, unless its tasks time out. `npm run build` first, then: node bench/count.mjs [runs, 10] [--before folder] [--everything] [--write]
// `--job-seconds 60` makes each cloud job last a minute, to see how many heartbeats that costs.
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { leaseId } from '../dist/domain/target/target.js';
import { actionsOf } from './actions.mjs';
import { compareWithBaseline, words } from './baseline.mjs';
import { measureRuns } from './measure-work.mjs';
import { openSide } from './side-world.mjs';
import { WORKS } from './works.mjs';

const { values: options, positionals } = parseArgs({
  args: words,
  allowPositionals: true,
  options: {
    before: { type: 'string' },
    everything: { type: 'boolean', default: false },
    'job-seconds': { type: 'string', default: '2' },
  },
});
const RUNS = Number(positionals[0] ?? 10);
const JOB_MS = Number(options['job-seconds']) * 1_000;
const HEARTBEATS = 'RecordActivityTaskHeartbeat';
/** What the server calls the work that runs cause, and not the waiting for it. */
const KINDS = {
  'calls to the server': {
    metric: 'service_requests',
    labels: ['service_name="frontend"'],
    without: /^(Poll|List|Count|GetSystem|Describe(Namesp|TaskQ)|StartWorkflow)/,
  },
  'reads and writes of its store': {
    metric: 'persistence_requests',
    labels: [],
    without:
      /^(Range|GetTaskQ|UpdateTaskQ|ListTaskQ|CompleteTasks|GetOrCreateShard|.*Shard|.*Cluster|.*Namespace|.*Metadata|GetTasks|.*HistoryTask|.*Queue)/,
  },
  'writes of its listing': { metric: 'visibility_persistence_requests', labels: [], without: /^(List|Count|Get|Add)/ },
};

process.setMaxListeners(0);
const scratch = await mkdtemp(join(tmpdir(), 'count-'));
const bareBundle = join(scratch, 'bundle.js');
const workflowsPath = fileURLToPath(new URL('bare/workflow.js', import.meta.url));
const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
await writeFile(bareBundle, code);
const here = fileURLToPath(new URL('..', import.meta.url));
const folders = {
  ours: here,
  ...(options.everything ? { everything: here } : {}),
  ...(options.before === undefined ? {} : { before: options.before }),
  bare: null,
};
const counted = {};
for (const [name, folder] of Object.entries(folders)) counted[name] = await countSide(name, folder);
const sides = Object.keys(folders);
for (const kind of Object.keys(KINDS)) printTable(`${kind}, for each run`, (side) => counted[side].counts[kind], 1);
printTable('events of one run', (side) => counted[side].events, 0);
printTable('bytes of their payloads', (side) => counted[side].bytes, 0);
await rm(scratch, { recursive: true });
const heartbeats = (side) => counted[side].counts['calls to the server'][HEARTBEATS] ?? 0;
printTable(
  'actions of Temporal Cloud, for each run',
  (side) => ({ 'of its histories': counted[side].actions, heartbeats: heartbeats(side) }),
  1,
);
const { events, bytes, actions } = counted.ours;
const sumOf = (counts, name = '') =>
  Object.entries(counts).reduce((sum, [key, count]) => sum + (key.endsWith(name) ? count : 0), 0);
console.log('');
const isWithinLimits = await compareWithBaseline('count', {
  workflowTasks: sumOf(events, 'workflowTaskCompleted'),
  activities: sumOf(events, 'activityTaskCompleted'),
  events: sumOf(events),
  payloadKb: sumOf(bytes) / 1_024,
  actions,
  ...(JOB_MS === WORKS.steady.jobMs ? { heartbeats: heartbeats('ours') } : {}),
});
process.exitCode = isWithinLimits ? 0 : 1;

async function countSide(name, folder) {
  const work = { ...WORKS.steady, jobMs: JOB_MS, runs: RUNS, warmUp: 0 };
  const side = await openSide({ folder, bareBundle, hasEverything: name === 'everything' }, work, { jitter: 0 });
  try {
    // What is learned or read once is not counted.
    await measureRuns(side, { ...work, runs: 3 });
    const before = countsIn(await side.metrics());
    const { ids, instances } = await runAll(side, work);
    const counts = perRun(countsIn(await side.metrics()), before);
    const names = [ids[0], leaseId({ projectId: side.projectId, instanceId: instances[0].instanceId })];
    return { counts, ...(await eventsOf(side.temporal, folder === null ? names.slice(0, 1) : names)) };
  } finally {
    await side.close();
  }
}

async function runAll(side, work) {
  const instances = await side.newInstances(work.runs);
  const ids = [];
  for (const instance of instances) ids.push(await side.begin(instance));
  for (const id of ids) await side.temporal.workflow.getHandle(id).result();
  return { ids, instances };
}

/** @returns by kind and operation, how often it happened so far */
function countsIn(text) {
  return Object.fromEntries(
    Object.entries(KINDS).map(([kind, { metric, labels, without }]) => {
      const counts = {};
      for (const line of text.split('\n')) {
        if (!line.startsWith(`${metric}{`) || !labels.every((label) => line.includes(label))) continue;
        const operation = /operation="([^"]+)"/.exec(line)?.[1] ?? '';
        if (without.test(operation)) continue;
        counts[operation] = (counts[operation] ?? 0) + Number(line.slice(line.lastIndexOf(' ')));
      }
      return [kind, counts];
    }),
  );
}

function perRun(after, before) {
  return Object.fromEntries(
    Object.entries(after).map(([kind, counts]) => [
      kind,
      Object.fromEntries(
        Object.entries(counts).map(([operation, count]) => [
          operation,
          (count - (before[kind][operation] ?? 0)) / RUNS,
        ]),
      ),
    ]),
  );
}

/** @returns by kind of event, how many there are and how many bytes of payload they have; and the actions of all */
async function eventsOf(temporal, ids) {
  const events = {};
  const bytes = {};
  let actions = 0;
  for (const [place, id] of ids.entries()) {
    const history = await temporal.workflow.getHandle(id).fetchHistory();
    actions += actionsOf(history.events);
    for (const event of history.events) {
      const kind = Object.keys(event).find((key) => key.endsWith('EventAttributes') && event[key] !== null);
      const name = `${place === 0 ? 'run' : 'target'} ${kind.replace('EventAttributes', '')}`;
      events[name] = (events[name] ?? 0) + 1;
      bytes[name] = (bytes[name] ?? 0) + payloadBytes(event[kind]);
    }
  }
  return { events, bytes, actions };
}

function payloadBytes(value) {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum, each) => sum + payloadBytes(each), 0);
}

/** One line for each name that any side has, most first, and the sum. */
function printTable(title, of, digits) {
  const names = [...new Set(sides.flatMap((side) => Object.keys(of(side))))];
  const row = (cells) =>
    console.log(
      `  ${cells[0].padEnd(52)}${cells
        .slice(1)
        .map((cell) => cell.padStart(9))
        .join('')}`,
    );
  const shown = names.filter((name) => sides.some((side) => (of(side)[name] ?? 0) >= 0.05));
  shown.sort((left, right) => (of(sides[0])[right] ?? 0) - (of(sides[0])[left] ?? 0));
  console.log('');
  row([title, ...sides]);
  for (const name of shown) row([name, ...sides.map((side) => (of(side)[name] ?? 0).toFixed(digits))]);
  const sum = (side) => shown.reduce((total, name) => total + (of(side)[name] ?? 0), 0);
  row(['sum', ...sides.map((side) => sum(side).toFixed(digits))]);
}
