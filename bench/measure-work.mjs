// Does one work on one side and measures it.
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs, memoryMb, peakMemoryMb } from './processes.mjs';

/** Starts under way at a time: a caller that floods its own connection measures only that. */
const STARTS_AT_A_TIME = 20;
const ASKED_EVERY_MS = 500;
/** A work without progress for this long is given up: what does not fit into the worker would wait for ever. */
const NO_PROGRESS_MS = 90_000;
/** Memory is read once the burst of starts is over, and CPU is measured for as long. */
const SETTLED_MS = 5_000;
const WARM_UPS_PER_SECOND = 5;

/** Runs that end. @returns figures of each round; times are medians */
export async function measureRuns(side, work) {
  if (work.warmUp > 0) await round(side, { ...work, runs: work.warmUp, perSecond: WARM_UPS_PER_SECOND });
  const rounds = [];
  for (let index = 0; index < work.rounds; index++) rounds.push(await round(side, work));
  return rounds;
}

async function round(side, work) {
  const instances = await side.newInstances(work.runs);
  const before = await used(side);
  const ids = await startAll(side, instances, work.perSecond);
  await untilClosed(side, ids);
  const after = await used(side);
  const jobsOf = await jobMsByInstance(side);
  const runs = await closedRuns(side, ids);
  const failed = runs.filter(({ status }) => status !== 'COMPLETED');
  if (failed.length > 0) throw new Error(`${failed.length} runs did not succeed: ${await reasonOf(side, failed[0])}`);
  const tookMs = new Map(runs.map(({ workflowId, tookMs: ms }) => [workflowId, ms]));
  const ratios = ids.map((id, index) => tookMs.get(id) / jobsOf.get(instances[index].instanceId));
  const steps = after.steps - before.steps;
  return {
    runTimeRatio: quantile(ratios, 0.5),
    runTimeRatioP90: quantile(ratios, 0.9),
    callsPerJob: (after.calls - before.calls) / steps,
    workerCpuMs: (after.workerMs - before.workerMs) / steps,
    serverCpuMs: (after.serverMs - before.serverMs) / steps,
    peakMb: peakMemoryMb(side.worker),
  };
}

async function used(side) {
  const [calls, accepted] = await Promise.all([side.callsMade(), side.accepted()]);
  return { calls, steps: accepted.length, workerMs: cpuMs(side.worker), serverMs: cpuMs(side.server) };
}

/** Steps that wait: how many do, what memory they take, and whether one more costs more than an earlier one. */
export async function measureWaiting(side, { runs, perSecond }) {
  const emptyMb = memoryMb(side.worker);
  const half = Math.floor(runs / 2);
  await startAll(side, await side.newInstances(half), perSecond);
  const first = await waiting(side, half);
  await startAll(side, await side.newInstances(runs - half), perSecond);
  const second = await waiting(side, runs);
  const firstKb = ((first.memoryMb - emptyMb) * 1_024) / first.steps;
  const oneMoreKb = ((second.memoryMb - first.memoryMb) * 1_024) / Math.max(1, second.steps - first.steps);
  return [
    {
      waitingSteps: second.steps,
      waitingMb: second.memoryMb,
      peakMb: peakMemoryMb(side.worker),
      oneMoreKb,
      oneMoreRatio: oneMoreKb / firstKb,
      cpuMsPerMinute: second.cpuMsPerMinute,
    },
  ];
}

/** Waits until the steps wait, or no further one begins to. */
async function waiting(side, wanted) {
  let steps = 0;
  for (let grewAtMs = Date.now(); steps < wanted && Date.now() - grewAtMs < NO_PROGRESS_MS;) {
    await delay(ASKED_EVERY_MS);
    const now = (await side.accepted()).length;
    if (now > steps) grewAtMs = Date.now();
    steps = now;
  }
  await delay(SETTLED_MS);
  const cpuBefore = cpuMs(side.worker);
  await delay(SETTLED_MS);
  const cpuMsPerMinute = ((cpuMs(side.worker) - cpuBefore) * (60_000 / SETTLED_MS)) / Math.max(1, steps);
  return { steps, memoryMb: memoryMb(side.worker), cpuMsPerMinute };
}

/** @returns the ids of the runs, in the order of the instances */
async function startAll(side, instances, perSecond) {
  if (perSecond !== null)
    return Promise.all(
      instances.map(async (instance, index) => {
        await delay((index * 1_000) / perSecond);
        return side.begin(instance);
      }),
    );
  const ids = [];
  let next = 0;
  const start = async () => {
    while (next < instances.length) {
      const index = next++;
      ids[index] = await side.begin(instances[index]);
    }
  };
  await Promise.all(Array.from({ length: STARTS_AT_A_TIME }, start));
  return ids;
}

/** Asks for a count alone, which costs the server little. A work without progress fails. */
async function untilClosed(side, ids) {
  let open = ids.length;
  for (let fellAtMs = Date.now(); open > 0;) {
    await delay(ASKED_EVERY_MS);
    // The listing lags some milliseconds behind the starts; the runs themselves take seconds.
    const { count } = await side.temporal.workflow.count("ExecutionStatus = 'Running'");
    if (count < open) fellAtMs = Date.now();
    open = count;
    if (Date.now() - fellAtMs > 3 * NO_PROGRESS_MS) throw new Error(`${open} workflows stay open`);
  }
}

async function closedRuns(side, ids) {
  const asked = new Set(ids);
  for (let attempt = 0; ; attempt++) {
    const runs = [];
    for await (const { workflowId, status, startTime, closeTime } of side.temporal.workflow.list({ pageSize: 1_000 }))
      if (asked.has(workflowId) && closeTime !== undefined)
        runs.push({ workflowId, status: status.name, tookMs: closeTime.getTime() - startTime.getTime() });
    if (runs.length === ids.length) return runs;
    if (attempt === 120) throw new Error(`${ids.length - runs.length} runs are missing in the listing`);
    await delay(ASKED_EVERY_MS);
  }
}

async function reasonOf(side, { workflowId, status }) {
  const result = side.temporal.workflow.getHandle(workflowId).result();
  const reason = await result.catch((error) => error.cause?.message ?? error.message);
  return `${workflowId} is ${status}: ${reason}`;
}

async function jobMsByInstance(side) {
  const sums = new Map();
  for (const { instanceId, atMs, endedAtMs } of await side.accepted())
    sums.set(instanceId, (sums.get(instanceId) ?? 0) + endedAtMs - atMs);
  return sums;
}

/** @param {number} share 0.5 is the median */
export function quantile(values, share) {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
