// Our worker beside a bare Temporal worker (bench/bare) on the same kind of server and job API: run time, calls, CPU and memory, as ratios.
// `npm run bench`, or after `npm run build`: node bench/side-by-side.mjs [works] [--size 1] [--repetitions n] [--before folder] [--everything] [--jitter 0] [--profile folder] [--write]
// `--size 0.1` makes every work a tenth as large; `--before` adds the worker of another built checkout as a side of its own; `--everything` adds our
// worker with metrics, traces and encryption; `--jitter` varies each cloud job's time by that fraction; `--profile` writes V8 CPU profiles of our
// worker. The figures are explained in docs/performance.md.
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compareWithBaseline, words } from './baseline.mjs';
import { figuresOf, printTable } from './figures.mjs';
import { measureRuns, measureWaiting } from './measure-work.mjs';
import { openSide } from './side-world.mjs';
import { WORKS } from './works.mjs';

const { values: options, positionals } = parseArgs({
  args: words,
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '1' },
    repetitions: { type: 'string' },
    before: { type: 'string' },
    everything: { type: 'boolean', default: false },
    jitter: { type: 'string', default: '0' },
    profile: { type: 'string' },
  },
});
const names = positionals.length === 0 ? Object.keys(WORKS) : positionals;
const unknown = names.find((name) => !(name in WORKS));
if (unknown !== undefined)
  throw new Error(`There is no work ${unknown}; the works are ${Object.keys(WORKS).join(', ')}`);

// One exit listener for each process that is started.
process.setMaxListeners(0);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const scratch = await mkdtemp(join(tmpdir(), 'bare-'));
const bareBundle = join(scratch, 'bundle.js');
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('bare/workflow.js', import.meta.url)),
  logger: new DefaultLogger('WARN'),
});
await writeFile(bareBundle, code);

const HERE = fileURLToPath(new URL('..', import.meta.url));
const SIDES = {
  ours: HERE,
  ...(options.everything ? { everything: HERE } : {}),
  ...(options.before === undefined ? {} : { before: options.before }),
  bare: null,
};

let isWithinLimits = true;
for (const name of names) {
  try {
    isWithinLimits = (await doWork(name)) && isWithinLimits;
  } catch (error) {
    // The other works are still worth their time.
    console.error(`${name}: ${error.stack}`);
    isWithinLimits = false;
  }
}
await rm(scratch, { recursive: true });
process.exitCode = isWithinLimits ? 0 : 1;

/** @returns whether no ratio is over its limit */
async function doWork(name) {
  const beganMs = Date.now();
  const work = { ...WORKS[name], runs: Math.max(1, Math.round(WORKS[name].runs * Number(options.size))) };
  const repetitions = Number(options.repetitions ?? work.repetitions);
  const sides = Object.keys(SIDES).filter((side) => side !== 'bare' || work.hasBare);
  const measured = Object.fromEntries(sides.map((side) => [side, []]));
  for (let index = 0; index < repetitions; index++) {
    // Each repetition begins with another side.
    const order = sides.map((_side, place) => sides[(place + index) % sides.length]);
    const measure = async (side) => measured[side].push(await measureSide(side, work));
    if (work.isLight) await Promise.all(order.map(measure));
    else for (const side of order) await measure(side);
  }
  const figures = figuresOf(measured);
  const seconds = ((Date.now() - beganMs) / 1_000).toFixed(0);
  console.log(`\n${name}: ${work.runs} runs, ${repetitions} × each side, ${seconds} s`);
  printTable(figures, sides);
  console.log('');
  return compareWithBaseline(`side-by-side ${name}`, figures.ratios);
}

async function measureSide(name, whole) {
  // Only our side of now learns; the others would do the same again.
  const work = name === 'ours' ? whole : { ...whole, rounds: 1 };
  const profile = name === 'ours' ? options.profile : undefined;
  const hasEverything = name === 'everything';
  const given = { folder: SIDES[name], bareBundle, hasEverything };
  const side = await openSide(given, work, { jitter: Number(options.jitter), profile });
  try {
    const rounds = await (work.isEndless ? measureWaiting(side, work) : measureRuns(side, work));
    console.error(`${name}: ${rounds.map((figures) => JSON.stringify(figures)).join(', ')}`);
    return rounds;
  } finally {
    await side.close();
  }
}
