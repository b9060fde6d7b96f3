/**
 * `npm run chaos -- --soak`: 200 parallel runs for a long time while workers are killed. Nothing may be lost, and the memory of the surviving
 * worker may not grow. With `--everything`, all that can be switched on is (`everything/`).
 */
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Arena } from './arena.js';
import { CANARY, Everything, EVERYTHING_RUNBOOK } from './everything/everything.js';
import { patiently, reasonOf } from './patiently.js';

export interface SoakOptions {
  readonly dist: string;
  readonly minutes: number;
  /** Runs at once. Default 200. */
  readonly sideBySide?: number | undefined;
  /** Whether everything that can be switched on is. */
  readonly everything: boolean;
  readonly say: Say;
}

const SIDE_BY_SIDE = 200;
const WORKERS = 3;
const KILL_EVERY_MS = 30_000;
/** Workers 0 and 1 are killed in turn; this one runs from the first minute to the last, so that its memory can be watched. */
const SURVIVOR = 2;
const STARTED_OVER_MS = 60_000;
/** A run lasts about 70 s, and a killed worker's steps pause for a while. */
const END_DEADLINE_MS = 10 * 60_000;
/** Until keep-alive connections and timers have expired. */
const AFTERGLOW_MS = 90_000;
/** A few handles come and go by themselves. */
const SLACK = 8;
const LARGEST_GROWTH = 1.25;
/** Fewer samples after the warm-up do not show whether memory grows. */
const FEWEST_SAMPLES = 4;
const ACTIONS_OF_A_RUN = ['stop', 'start', 'scale', 'scale'];

/** A third of the defaults: 200 runs on two cores answer more slowly than a few do. The heartbeat timeout is 8 s. */
const TIMES = {
  RUNBOOK_READ_TIMEOUT: '2s',
  RUNBOOK_POST_TIMEOUT: '4s',
  RUNBOOK_QUIET_PERIOD: '1s',
  RUNBOOK_OPERATOR_WAIT: '0s',
  RUNBOOK_VISIBILITY_WINDOW: '3s',
  RUNBOOK_LIMITS: 'budgetWait=2s,credentialsWait=2s,margin=2s,lateStart=8s',
};

/** A sample of the surviving worker: its memory probe, and the figures of the operating system. */
interface Holding {
  readonly rssMiB: number;
  /** After a garbage collection. */
  readonly heapMiB: number;
  readonly fileDescriptors: number;
  /** Timers, sockets and the like that keep the process busy, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

type Say = (line: string) => void;

/** One soak, from its first run to its judgement. */
interface Soak {
  readonly arena: Arena;
  readonly everything: Everything | null;
  readonly sideBySide: number;
  readonly endsAtMs: number;
  readonly endedRuns: string[];
  readonly problems: string[];
  readonly holdings: Holding[];
  readonly say: Say;
  kills: number;
}

/** @returns true if nothing was lost and nothing leaked */
export async function soak({
  dist,
  minutes,
  sideBySide,
  everything: isEverything,
  say,
}: SoakOptions): Promise<boolean> {
  const everything = isEverything
    ? await Everything.open({ workers: WORKERS, survivor: SURVIVOR, minutes, say })
    : null;
  const options = { workers: WORKERS, withCodec: false, dist, probe: SURVIVOR, times: TIMES, say };
  const arena = await Arena.open({ ...options, extras: everything?.extras });
  try {
    await arena.control.switches({ jitter: 0.3 });
    await everything?.begin(arena);
    const idle = await holdingOf(arena);
    const here: Soak = {
      ...{ arena, everything, say, sideBySide: sideBySide ?? SIDE_BY_SIDE, endsAtMs: Date.now() + minutes * 60_000 },
      ...{ endedRuns: [], problems: [], holdings: [], kills: 0 },
    };
    await Promise.all([
      ...Array.from({ length: here.sideBySide }, (_item, slot) =>
        runAgainAndAgain(here, slot).catch((error: unknown) => {
          // A failed slot is reported at the end; the others continue.
          here.problems.push(`slot ${slot}: ${reasonOf(error)}`);
          say(`slot ${slot} gave up: ${reasonOf(error)}`);
        }),
      ),
      killInTurn(here),
      watchSurvivor(here),
      everything?.during(here.endsAtMs),
    ]);
    return await judge(here, idle);
  } finally {
    await arena.close();
    await everything?.close();
  }
}

async function runAgainAndAgain(here: Soak, slot: number): Promise<void> {
  const { arena, everything, endsAtMs, problems, say } = here;
  const name = `soak-${slot}`;
  const { instanceId } = await arena.control.createInstance({
    application: 'shop',
    component: 'checkout',
    name,
    replica: 2,
  });
  // Not all at the same moment: planning, starting and stopping are spread as in real operation.
  await delay((slot / here.sideBySide) * STARTED_OVER_MS);
  for (let round = 0; Date.now() < endsAtMs; round++) {
    const id = `${name}-${round}`;
    const runbook = everything === null ? 'soak' : EVERYTHING_RUNBOOK;
    const targets = [`shop/checkout/${name}`];
    await patiently(say, () => arena.runbooks.start(runbook, { targets, id, requestedBy: CANARY }));
    const late = delay(END_DEADLINE_MS, null, { ref: false });
    const report = await Promise.race([patiently(say, () => arena.runbooks.result(id)), late]);
    if (report !== null) here.endedRuns.push(id);
    const accepted = (await arena.control.accepted(instanceId)).slice(round * ACTIONS_OF_A_RUN.length);
    const actions = accepted.map(({ action }) => action);
    if (report?.outcome !== 'succeeded') problems.push(`${id}: ${report?.summary ?? 'did not end'}`);
    if (actions.join() !== ACTIONS_OF_A_RUN.join()) problems.push(`${id}: accepted ${actions.join(' ')}`);
    if (problems.length > 0 && report?.outcome !== 'succeeded') return;
  }
}

async function killInTurn(here: Soak): Promise<void> {
  const { arena, everything, endsAtMs, say } = here;
  while (Date.now() + KILL_EVERY_MS < endsAtMs) {
    await delay(KILL_EVERY_MS);
    const worker = here.kills % 2;
    await everything?.beforeKill(worker);
    await arena.killWorker(worker, 'SIGKILL');
    here.kills++;
    await arena.startWorker(worker);
    say(`killed worker ${worker}, the ${here.kills}. kill`);
  }
}

async function watchSurvivor({ arena, endsAtMs, holdings, say }: Soak): Promise<void> {
  while (Date.now() < endsAtMs) {
    await delay(STARTED_OVER_MS);
    const holding = await holdingOf(arena);
    holdings.push(holding);
    say(`survivor: ${describeHolding(holding)}`);
  }
}

async function holdingOf(arena: Arena): Promise<Holding> {
  const worker = arena.worker(SURVIVOR);
  if (worker === null) throw new Error('The worker that should survive has ended');
  const answer = worker.nextLine((line) => line.startsWith('{"probe":true'));
  await worker.kill('SIGHUP');
  const { rss, heapUsed, resources } = JSON.parse(await answer) as {
    rss: number;
    heapUsed: number;
    resources: Record<string, number>;
  };
  const fileDescriptors = (await readdir(`/proc/${worker.pid}/fd`)).length;
  return { rssMiB: mebibytes(rss), heapMiB: mebibytes(heapUsed), fileDescriptors, resources };
}

/** Once everything has ended, whatever is still held is a leak. */
async function judge(here: Soak, idle: Holding): Promise<boolean> {
  const { arena, everything, endedRuns, say } = here;
  await delay(AFTERGLOW_MS);
  const rest = await holdingOf(arena);
  const problems = [
    ...here.problems,
    ...leaks(idle, rest),
    ...growth(here.holdings),
    ...(await stillOpen(arena)),
    ...((await everything?.problems(here)) ?? []),
  ];
  say(`${endedRuns.length} runs ended, ${here.kills} workers were killed`);
  say(`survivor before: ${describeHolding(idle)}`);
  say(`survivor after: ${describeHolding(rest)}`);
  for (const problem of problems) say(`PROBLEM ${problem}`);
  return problems.length === 0 && endedRuns.length > 0;
}

function leaks(idle: Holding, rest: Holding): string[] {
  const kinds = Object.keys(rest.resources).filter(
    (kind) => (rest.resources[kind] ?? 0) > (idle.resources[kind] ?? 0) + SLACK,
  );
  return [
    ...kinds.map(
      (kind) =>
        `${rest.resources[kind]} ${kind} are held at the end, ${idle.resources[kind] ?? 0} were at the beginning`,
    ),
    ...(rest.fileDescriptors > idle.fileDescriptors + SLACK
      ? [`${rest.fileDescriptors} file descriptors, ${idle.fileDescriptors} at the beginning`]
      : []),
  ];
}

/** The first quarter is the warm-up, in which caches fill. After it neither the used heap nor the whole process may grow. */
function growth(holdings: readonly Holding[]): string[] {
  const warm = holdings.slice(Math.floor(holdings.length / 4));
  if (warm.length < FEWEST_SAMPLES)
    return [`${warm.length} samples of the survivor are too few to show growth; soak for longer`];
  return [grown('used heap', warm, 'heapMiB'), grown('resident memory', warm, 'rssMiB')].flat();
}

function grown(what: string, warm: readonly Holding[], key: 'heapMiB' | 'rssMiB'): string[] {
  const values = warm.map((holding) => holding[key]);
  const half = Math.floor(values.length / 2);
  const [early, late] = [median(values.slice(0, half)), median(values.slice(half))];
  return late > early * LARGEST_GROWTH ? [`the ${what} grew from ${early} to ${late} MiB`] : [];
}

async function stillOpen(arena: Arena): Promise<string[]> {
  const open: string[] = [];
  for await (const { workflowId } of arena.client.workflow.list({ query: 'ExecutionStatus = "Running"' }))
    open.push(workflowId);
  return open.length === 0 ? [] : [`${open.length} workflows are still open: ${open.slice(0, 5).join(', ')}`];
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10;
}

function describeHolding({ rssMiB, heapMiB, fileDescriptors, resources }: Holding): string {
  return `${rssMiB} MiB resident, ${heapMiB} MiB heap, ${fileDescriptors} file descriptors, ${JSON.stringify(resources)}`;
}
