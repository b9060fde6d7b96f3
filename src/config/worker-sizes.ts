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

/** What a worker takes with few runs (230 MB were measured), with room for the garbage of a burst. */
const EMPTY_WORKER_BYTES = 300 * 2 ** 20;
/** What the workflows' heap holds before its first workflow: the bundle and its source map. Chosen. */
const EMPTY_HEAP_BYTES = 80 * 2 ** 20;
/** One cached workflow: what it takes in the workflows' heap, and as much again for the native core's part and its half of a waiting step. Chosen. */
const CACHED_WORKFLOW_BYTES = 150 * 2 ** 10;
/** The part of it in the workflows' heap: 62 KB were measured after its first task. The rest is room for what it receives later, and for garbage. */
const CACHED_WORKFLOW_HEAP_BYTES = 100 * 2 ** 10;

/** Enough for 2,000 waiting steps, whose runs are 4,000 workflows. Chosen: more belong on a second worker. */
const MOST_CACHED_WORKFLOWS = 5_000;
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
  const byMemory = (totalBytes - EMPTY_WORKER_BYTES) / CACHED_WORKFLOW_BYTES;
  const byHeap = (heapLimitBytes - EMPTY_HEAP_BYTES) / CACHED_WORKFLOW_HEAP_BYTES;
  const fitting = Math.floor(Math.min(byMemory, byHeap, MOST_CACHED_WORKFLOWS));
  const cachedWorkflows = chosen.cachedWorkflows ?? Math.max(FEWEST_CACHED_WORKFLOWS, fitting);
  return {
    cachedWorkflows,
    activitySlots: chosen.waitingSteps ?? Math.max(FEWEST_WAITING_STEPS, Math.ceil(cachedWorkflows / 2)),
    workflowTaskSlots: Math.min(MOST_WORKFLOW_TASKS, cachedWorkflows),
  };
}
