// What a crash costs: workers are killed or frozen in the middle of a burst. `npm run build` first.
// node bench/crash.mjs [kill|freeze|again] [runs] [--write]
//   kill    one worker, SIGKILL in mid-burst, another started at once
//   freeze  one worker, SIGSTOP for 60 s in mid-burst, another started at once; then the first is woken
//   again   two workers, one of them killed and replaced every 4 s until all runs have ended; one answer in ten is lost
// No operator decides here, so a step that is not clear ends its run.
// Prints when the next worker made its first call, when everything had ended, and what was sent twice or lost. Exits with 1 where that is not 0.
import { setTimeout as delay } from 'node:timers/promises';
import { RunbookClient } from '../dist/client/runbook-client.js';
import { compareWithBaseline, words } from './baseline.mjs';
import { startWorld } from './world.mjs';

const SCENARIO = words[0] ?? 'kill';
const RUNS = Number(words[1] ?? (SCENARIO === 'again' ? 30 : 200));
const RUNBOOK = SCENARIO === 'again' ? 'recover' : 'restart';
const JOB_MS = 2_000;
const FROZEN_MS = 60_000;
const KILL_EVERY_MS = 4_000;
/** The share of actions whose answer is lost. */
const LOST = 10;

const world = await startWorld({ jobMs: JOB_MS });
const { accepted, callsMade, control, startWorker } = world;
const runbooks = await RunbookClient.connect({ address: world.server.address });
const figures = {};

const instances = await Promise.all(Array.from({ length: RUNS }, (_, index) => world.newInstance(`i-${index}`)));
const scenarios = { kill, freeze, again };
const isRight = (await scenarios[SCENARIO]()) && (await compareWithBaseline(`crash ${SCENARIO}`, figures));
console.log(isRight ? 'as it should be' : 'WRONG');
await runbooks.close();
await world.close();
process.exit(isRight ? 0 : 1);

async function kill() {
  const first = await startWorker();
  const ends = await burst();
  const killedAtMs = Date.now();
  first.kill('SIGKILL');
  return await seenThrough(ends, killedAtMs, 'SIGKILL');
}

async function freeze() {
  const first = await startWorker();
  const ends = await burst();
  const frozenAtMs = Date.now();
  first.kill('SIGSTOP');
  const woken = delay(FROZEN_MS).then(() => first.kill('SIGCONT'));
  const isWell = await seenThrough(ends, frozenAtMs, 'SIGSTOP');
  await woken;
  // What it had in hand when it was frozen, it would send now.
  await delay(5_000);
  return (await sentTwice('after it was woken')) === 0 && isWell;
}

async function again() {
  for (const route of ['action'])
    for (let nth = 1; nth <= RUNS * 3; nth += LOST)
      await control('/faults', { on: { route }, nth, times: 1, fault: { kind: 'actThenReset' } });
  const workers = [await startWorker(), await startWorker()];
  const beganAtMs = Date.now();
  const ends = start();
  const over = new AbortController();
  const killing = (async () => {
    for (let turn = 0; !over.signal.aborted; turn++) {
      await delay(KILL_EVERY_MS);
      workers[turn % 2].kill('SIGKILL');
      workers[turn % 2] = await startWorker();
    }
  })();
  const reports = await Promise.all(ends);
  over.abort();
  await killing;
  for (const { tookMs, report } of reports.toSorted((left, right) => left.tookMs - right.tookMs).slice(-3)) {
    const [step] = report.targets[0].steps.toSorted((left, right) => lengthOf(right) - lengthOf(left));
    const held = step.trail.map(({ decision, atMs }) => `${decision} +${seconds(atMs - step.startedAtMs)}`).join(', ');
    console.log(
      `  one of the slowest: ${seconds(tookMs)}, held up by ${step.id} for ${seconds(lengthOf(step))}: ${held}`,
    );
  }
  const took = reports.map(({ tookMs }) => tookMs).toSorted((left, right) => left - right);
  const middle = took[Math.floor(took.length / 2)];
  Object.assign(figures, { medianRunSeconds: middle / 1000, longestRunSeconds: took.at(-1) / 1000 });
  console.log(
    `all ended after ${seconds(Date.now() - beganAtMs)}; a run took ${seconds(middle)} in the middle, ${seconds(took.at(-1))} at most`,
  );
  return describeOutcomes(reports) && (await sentTwice('in all')) === 0;
}

/** Starts the runs, and waits until half of their actions were accepted. */
async function burst() {
  const ends = start();
  while ((await accepted()).length < RUNS / 2) await delay(20);
  return ends;
}

function start() {
  return instances.map(async ({ path }) => {
    const beganAtMs = Date.now();
    const { workflowId } = await runbooks.start(RUNBOOK, { targets: [path] });
    const report = await runbooks.result(workflowId);
    return { report, tookMs: Date.now() - beganAtMs, endedAtMs: Date.now() };
  });
}

async function seenThrough(ends, atMs, what) {
  const before = await callsMade();
  const [next] = await Promise.all([startWorker(), firstCall(before, atMs, what)]);
  const reports = await Promise.all(ends);
  const allEndedMs = Math.max(...reports.map(({ endedAtMs }) => endedAtMs)) - atMs;
  figures.allEndedSeconds = allEndedMs / 1000;
  console.log(`all ${RUNS} runs had ended ${seconds(allEndedMs)} after the ${what}`);
  const isWell = describeOutcomes(reports) && (await sentTwice('in all')) === 0;
  if (SCENARIO === 'kill') next.kill('SIGTERM');
  return isWell;
}

/** The killed worker's last calls may still come in. */
async function firstCall(before, atMs, what) {
  await delay(300);
  const settled = Math.max(before, await callsMade());
  while ((await callsMade()) <= settled) await delay(50);
  figures.firstCallSeconds = (Date.now() - atMs) / 1000;
  console.log(`first call of the next worker ${seconds(Date.now() - atMs)} after the ${what}`);
}

function describeOutcomes(reports) {
  const outcomes = {};
  for (const { report } of reports) outcomes[report.outcome] = (outcomes[report.outcome] ?? 0) + 1;
  console.log(
    `outcomes: ${Object.entries(outcomes)
      .map(([outcome, count]) => `${count} ${outcome}`)
      .join(', ')}; ${RUNS - reports.length} lost`,
  );
  const unclear = reports
    .flatMap(({ report }) => report.targets.flatMap(({ steps }) => steps))
    .filter(({ failure }) => failure);
  for (const { failure, sent, trail } of unclear.slice(0, 3))
    console.log(
      `  ${failure.name}, sent ${sent}: ${failure.message} [${trail.map(({ decision }) => decision).join(', ')}]`,
    );
  return reports.length === RUNS;
}

/** More accepted actions of a kind on an instance than the runbook has steps of it. */
async function sentTwice(when) {
  const seen = new Map();
  for (const { instanceId, action } of await accepted()) {
    const key = `${instanceId} ${action}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  const twice = [...seen.values()].filter((count) => count > 1).length;
  console.log(`sent ${when}: ${[...seen.values()].reduce((sum, count) => sum + count, 0)}, ${twice} twice`);
  return twice;
}

function lengthOf({ startedAtMs, endedAtMs }) {
  return endedAtMs - startedAtMs;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
