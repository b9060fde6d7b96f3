/**
 * `npm run record`: plays every turn that has no golden yet and keeps its histories. What is there is never played
 * again
 * and never overwritten: it was recorded by the version it is named after, and is kept for ever.
 */
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { DEFAULT_TASK_QUEUE } from '../../src/domain/contract.js';
import { startTemporalServer } from '../../src/embedded/temporal-server.js';
import { checkedByStatus } from '../support/checks.js';
import { startStack, stopWorker } from '../support/stack.js';
import type { TestTemporal } from '../support/temporal.js';
import { unobserved } from '../support/unobserved.js';
import {
  digestOf,
  goldenName,
  goldenNames,
  HISTORIES,
  MANIFEST,
  readManifest,
  reportIn,
  type RecordedHistory,
} from './golden-files.js';
import type { Stage, Turn } from './turn.js';
import { TURNS } from './turns.js';

const RUNBOOK_DIRECTORIES = ['../workflows/runbooks', './runbooks'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
const CALENDARS = fileURLToPath(new URL('./calendars', import.meta.url));
const say = (line: string) => process.stderr.write(`${line}\n`);

async function record(): Promise<void> {
  const known = new Set(await goldenNames());
  const missing = TURNS.filter((turn) => !known.has(goldenName(turn, 'run')));
  say(`${TURNS.length - missing.length} turns have their golden, ${missing.length} are played`);
  if (missing.length > 0) await playAll(missing);
  await listNewGoldens();
}

async function playAll(turns: readonly Turn[]): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const server = await startTemporalServer({ env: process.env, say });
  const folder = await mkdtemp(join(tmpdir(), 'runbooks-record-'));
  const bundlePath = join(folder, 'workflow-bundle.js');
  const workflowsPath = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  await writeFile(bundlePath, code);
  const plain = await ClosableConnection.connect({ address: server.address });
  const connection = await NativeConnection.connect({ address: server.address });
  const temporal = { client: new Client({ connection: plain }), connection, address: server.address, bundlePath };
  try {
    // One after another, each with its own worker and simulator, so that a history shows only its own turn.
    for (const turn of turns) await playOne(turn, temporal);
  } finally {
    await connection.close();
    await plain.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type Server = Omit<TestTemporal, 'worker' | 'taskQueue'>;

async function playOne(turn: Turn, server: Server): Promise<void> {
  const workers: Worker[] = [];
  const worker = async (options: Partial<WorkerOptions>) => {
    const created = await Worker.create({
      connection: server.connection,
      taskQueue: DEFAULT_TASK_QUEUE,
      workflowBundle: { codePath: server.bundlePath },
      sinks: unobserved,
      maxHeartbeatThrottleInterval: 200,
      ...options,
    });
    workers.push(created);
    return created;
  };
  const stack = await startStack(
    { ...server, taskQueue: DEFAULT_TASK_QUEUE, worker },
    {
      runbookDirectories: RUNBOOK_DIRECTORIES,
      calendarDirectories: [CALENDARS],
      dependencies: { checks: checkedByStatus, ...(await turn.dependencies?.()) },
    },
  );
  const successors: { readonly worker: Worker; readonly running: Promise<void> }[] = [];
  const { workflow } = server.client;
  const stage: Stage = {
    stack,
    client: server.client,
    cancel: async (workflowId) => void (await workflow.getHandle(workflowId).cancel()),
    terminate: async (workflowId) => void (await workflow.getHandle(workflowId).terminate('by the recorder')),
    replaceWorker: async () => {
      workers[0]?.shutdown();
      while (workers[0]?.getState() !== 'STOPPED') await new Promise((resolve) => setTimeout(resolve, 10));
      const next = await worker({ activities: { ...stack.activities } });
      successors.push({ worker: next, running: next.run() });
    },
  };
  try {
    await keep(turn, await turn.play(stage), server.client);
  } finally {
    for (const successor of successors) await stopWorker(successor.worker, successor.running);
    await stack.close();
  }
}

async function keep(turn: Turn, workflowId: string, client: Client): Promise<void> {
  const run = await historyOf(client, workflowId);
  const report = reportIn(JSON.parse(run) as RecordedHistory);
  // A turn that went differently on a busy machine is not kept under a wrong name, but played again another time.
  if ((report?.outcome ?? null) !== turn.outcome) {
    throw new Error(`${turn.runbook}-${turn.name} ended ${report?.outcome}, not ${turn.outcome}: ${report?.summary}`);
  }
  await writeNew(goldenName(turn, 'run'), run);
  const leaseIdOfFirst = report?.targets[0]?.leaseId;
  const hasChild = run.includes('EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED');
  if (leaseIdOfFirst !== undefined && hasChild)
    await writeNew(goldenName(turn, 'target'), await historyOf(client, leaseIdOfFirst));
  say(`${turn.runbook}-${turn.name}: ${turn.outcome ?? 'planned'}`);
}

async function historyOf(client: Client, workflowId: string): Promise<string> {
  return `${historyToJSON(await client.workflow.getHandle(workflowId).fetchHistory())}\n`;
}

/** `wx`: a file that is there is an error, whatever this program believes. */
async function writeNew(name: string, text: string): Promise<void> {
  await writeFile(new URL(name, HISTORIES), text, { flag: 'wx' });
}

/** Adds a line for each golden that has none; lines that are there stay as they are, also where they are wrong. */
async function listNewGoldens(): Promise<void> {
  const listed = await readManifest().catch(() => new Map<string, string>());
  for (const name of await goldenNames())
    if (!listed.has(name)) await appendFile(MANIFEST, `${await digestOf(name)}  ${name}\n`);
}

await record();
