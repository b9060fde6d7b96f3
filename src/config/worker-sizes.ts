/** How much a worker takes on at once, by the memory that is there. docs/performance.md has the measurements. */
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** The memory of a process, in bytes. */
export interface ProcessMemory {
  /** What the machine has, or the container if that is less. */
  readonly totalBytes: number;
  /** V8's limit for one heap. The workflows' thread has one of its own, of the same size. */
  readonly heapLimitBytes: number;
}

/** The memory of this process. */
export function processMemory(): ProcessMemory {
  const machineBytes = totalmem();
  // Without a limit it is 0, or more than the machine has.
  const limitBytes = process.constrainedMemory() || machineBytes;
  return { totalBytes: Math.min(machineBytes, limitBytes), heapLimitBytes: getHeapStatistics().heap_size_limit };
}

/** Counts, each of things at the same time. */
export interface WorkerSizes {
  /** Workflows kept in memory. A run has two: its own and that of its target. One that is not kept is replayed from its history at its next task. */
  readonly cachedWorkflows: number;
  /** Activities under way, above all steps that wait for their cloud jobs. */
  readonly activitySlots: number;
  /** Workflow tasks under way. Each may be waiting for a read of its own. */
  readonly workflowTaskSlots: number;
}

/** What a worker takes with few runs: 250 MB were measured, and garbage takes the rest. */
const EMPTY_WORKER_BYTES = 300 * 2 ** 20;
/** What the workflows' heap holds before its first workflow: the bundle and its source map. Chosen. */
const EMPTY_HEAP_BYTES = 80 * 2 ** 20;
/** One cached workflow: 230 KB were measured: 100 KB in the workflows' heap, the rest in the native core. */
const CACHED_WORKFLOW_BYTES = 250 * 2 ** 10;
/** The part of it in the workflows' heap, with room for garbage. */
const CACHED_WORKFLOW_HEAP_BYTES = 130 * 2 ** 10;
/** One waiting step: 70 KB were measured in the main thread's heap. The native core's part and garbage take the rest. */
const WAITING_STEP_BYTES = 150 * 2 ** 10;
/** The share of the memory that cached workflows may take; waiting steps may take the rest. Chosen: a run has two workflows and one step that waits. */
const SHARE_OF_WORKFLOWS = 0.6;

/** Enough for the workflows of 2,500 runs. Chosen: more belong on a second worker. */
const MOST_CACHED_WORKFLOWS = 5_000;
/** Chosen: each waiting step heartbeats twelve times a minute, which costs the Temporal server more than this worker. */
const MOST_WAITING_STEPS = 2_500;
/** A worker with less would replay at every burst. Where there is no memory for these, it needs more memory, not a smaller cache. */
const FEWEST_CACHED_WORKFLOWS = 200;
/** A waiting step needs no cached workflow: where the cache is too small, its workflows are replayed when it ends. Chosen. */
const FEWEST_WAITING_STEPS = 500;
/** Tasks that wait for a read must not keep others from being worked on. More would let tasks time out behind each other (10 s). */
const MOST_WORKFLOW_TASKS = 200;

/** What an operator has set; `undefined`: by memory. */
export interface ChosenSizes {
  readonly cachedWorkflows?: number | undefined;
  readonly waitingSteps?: number | undefined;
}

/** The sizes of a worker with this memory, unless they were set. */
export function workerSizes({ totalBytes, heapLimitBytes }: ProcessMemory, chosen: ChosenSizes): WorkerSizes {
  const freeBytes = totalBytes - EMPTY_WORKER_BYTES;
  const byHeap = (heapLimitBytes - EMPTY_HEAP_BYTES) / CACHED_WORKFLOW_HEAP_BYTES;
  const workflows = Math.min((freeBytes * SHARE_OF_WORKFLOWS) / CACHED_WORKFLOW_BYTES, byHeap, MOST_CACHED_WORKFLOWS);
  const steps = Math.min((freeBytes * (1 - SHARE_OF_WORKFLOWS)) / WAITING_STEP_BYTES, MOST_WAITING_STEPS);
  const cachedWorkflows = chosen.cachedWorkflows ?? Math.max(FEWEST_CACHED_WORKFLOWS, Math.floor(workflows));
  return {
    cachedWorkflows,
    activitySlots: chosen.waitingSteps ?? Math.max(FEWEST_WAITING_STEPS, Math.floor(steps)),
    workflowTaskSlots: Math.min(MOST_WORKFLOW_TASKS, cachedWorkflows),
  };
}
