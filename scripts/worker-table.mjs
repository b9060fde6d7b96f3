// Tables of docs/performance.md: how many workers for how many runs, computed from worker-sizes.ts and from what the benches keep in baseline.json.

const MIB = 2 ** 20;
const DAYS_A_MONTH = 30;
const SECONDS_A_MINUTE = 60;

/** Memory of a container, and the heap limit that Node 24 sets itself in it. Measured. */
const CONTAINERS = [
  { name: '512 MB', totalBytes: 512 * MIB, heapLimitBytes: 280 * MIB },
  { name: '1 GB', totalBytes: 1_024 * MIB, heapLimitBytes: 560 * MIB },
  { name: '2 GB', totalBytes: 2_048 * MIB, heapLimitBytes: 1_120 * MIB },
];

const MORE_THAN_ENOUGH = { totalBytes: 64 * 1_024 * MIB, heapLimitBytes: 8 * 1_024 * MIB };

/** What is sized: runs a day, runs at the same time at the peak, and minutes of each cloud job. */
const LOADS = [
  { runsADay: 100, atOnce: 5, jobMinutes: 2 },
  { runsADay: 1_000, atOnce: 50, jobMinutes: 2 },
  { runsADay: 10_000, atOnce: 200, jobMinutes: 2 },
  { runsADay: 10_000, atOnce: 1_000, jobMinutes: 5 },
  { runsADay: 50_000, atOnce: 2_000, jobMinutes: 5 },
  { runsADay: 50_000, atOnce: 5_000, jobMinutes: 15 },
];

/** A `recover`. */
const STEPS_OF_A_RUN = 3;
/** Two of each run: its own and that of its target. */
const WORKFLOWS_OF_A_RUN = 2;
/** CPU of the worker for one step with everything switched on. Measured, docs/performance.md. */
const CPU_SECONDS_OF_A_STEP = 0.04;
/** A core that is busier than this makes runs late. Chosen. */
const SHARE_OF_A_CORE = 0.7;
/** A step that waits sends a heartbeat each time this has passed, as worker-options.ts sets it. */
const HEARTBEAT_EVERY_SECONDS = 5;
const DEFAULT_BUDGET = 5;
/** A load that fills less of one worker than this is not worth a word. */
const SMALL_SHARE = 0.2;
/** So that one may be lost, or be replaced. */
const SPARE_WORKERS = 1;

/** @param {typeof import('../dist/config/worker-sizes.js').workerSizes} workerSizes */
export function sizeRows(workerSizes) {
  const rows = CONTAINERS.map(({ name, ...memory }) => [
    name,
    `${shown(memory.heapLimitBytes / MIB)} MB`,
    ...sizesOf(workerSizes, memory).map(shown),
  ]);
  return [...rows, ['more', 'more', ...sizesOf(workerSizes, MORE_THAN_ENOUGH).map(shown)]];
}

/** What the other table is computed from. @param {object} baseline bench/baseline.json */
export function figureRows(baseline) {
  const { callsOfAJob, actions, heartbeats } = figuresOf(baseline);
  return [
    ['ServiceStage calls for each cloud job', callsOfAJob.toFixed(1), '`npm run bench -- shipped`, warm'],
    ['actions in the histories of a run', shown(actions), '`node bench/count.mjs`'],
    ['heartbeats of a run for its three POSTs', shown(heartbeats), '`node bench/count.mjs`'],
    [
      'heartbeats of a step that waits for its cloud job',
      `${SECONDS_A_MINUTE / HEARTBEAT_EVERY_SECONDS} a minute`,
      '`node bench/count.mjs --job-seconds 30`',
    ],
    [
      'CPU of the worker for each step, everything on',
      `${CPU_SECONDS_OF_A_STEP * 1_000} ms`,
      '`npm run bench -- steady --everything`',
    ],
  ];
}

/**
 * @param {typeof import('../dist/config/worker-sizes.js').workerSizes} workerSizes
 * @param {object} baseline bench/baseline.json
 */
export function workerRows(workerSizes, baseline) {
  const { callsOfAJob, actions, heartbeats } = figuresOf(baseline);
  return LOADS.map(({ runsADay, atOnce, jobMinutes }) => {
    const jobsASecond = atOnce / (jobMinutes * SECONDS_A_MINUTE);
    const { carrying, memory, limit } = needed(workerSizes, atOnce, jobsASecond * CPU_SECONDS_OF_A_STEP);
    const calls = jobsASecond * callsOfAJob;
    const budget = Math.max(DEFAULT_BUDGET, Math.ceil(calls / carrying));
    const whileWaiting = (STEPS_OF_A_RUN * jobMinutes * SECONDS_A_MINUTE) / HEARTBEAT_EVERY_SECONDS;
    const actionsOfARun = actions + heartbeats + whileWaiting;
    return [
      shown(runsADay),
      shown(atOnce),
      `${jobMinutes} min`,
      `${carrying + SPARE_WORKERS} × ${memory}`,
      calls < DEFAULT_BUDGET ? calls.toFixed(1) : shown(Math.ceil(calls)),
      shown(budget),
      shown(Math.round(actionsOfARun)),
      millions(actionsOfARun * runsADay * DAYS_A_MONTH),
      firstLimit(budget, limit),
    ];
  });
}

function figuresOf({ 'side-by-side shipped': shipped, count }) {
  const { actions, heartbeats } = count;
  return {
    callsOfAJob: shipped.callsPerJob.baseline,
    actions: actions.baseline,
    heartbeats: heartbeats.baseline,
  };
}

/** The fewest workers that carry it, each as small as will do; and what fills first in them. */
function needed(workerSizes, atOnce, cores) {
  const fits = CONTAINERS.map(({ name, ...memory }) => {
    const [cachedWorkflows, activitySlots] = sizesOf(workerSizes, memory);
    const workers = {
      'waiting steps': atOnce / activitySlots,
      'cached workflows': (atOnce * WORKFLOWS_OF_A_RUN) / cachedWorkflows,
      CPU: cores / SHARE_OF_A_CORE,
    };
    const [limit, most] = Object.entries(workers).sort(([, left], [, right]) => right - left)[0];
    return { memory: name, limit: most < SMALL_SHARE ? 'nothing' : limit, carrying: Math.max(1, Math.ceil(most)) };
  });
  const fewest = Math.min(...fits.map(({ carrying }) => carrying));
  return fits.find(({ carrying }) => carrying === fewest);
}

function firstLimit(budget, limit) {
  if (budget === DEFAULT_BUDGET) return limit;
  return limit === 'nothing' ? 'request budget' : `request budget, then ${limit}`;
}

function sizesOf(workerSizes, memory) {
  const { cachedWorkflows, activitySlots } = workerSizes(memory, {});
  return [cachedWorkflows, activitySlots];
}

function shown(count) {
  return count.toLocaleString('en-US');
}

function millions(count) {
  return count < 1e6 ? `${(count / 1e6).toFixed(1)} M` : `${Math.round(count / 1e6)} M`;
}
