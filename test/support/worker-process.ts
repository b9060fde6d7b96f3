/** The built worker as a process of its own: what a test can kill, freeze and start again, configured like in production. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunningSimulator } from '../../src/simulator/server.js';

const WORKER = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));
const READY_DEADLINE_MS = 60_000;

export interface WorkerProcess {
  readonly pid: number;
  /** Ends it at once, or sends another signal. Resolves when it has ended; for SIGSTOP and SIGCONT at once. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface WorkerPlace {
  readonly address: string;
  readonly taskQueue: string;
  readonly simulator: RunningSimulator;
  readonly env?: Readonly<Record<string, string>>;
}

/** About a twentieth of the default times: heartbeat time-out 3.6 s. */
const QUICK = {
  RUNBOOK_READ_TIMEOUT: '300ms',
  RUNBOOK_POST_TIMEOUT: '1s',
  RUNBOOK_QUIET: '100ms',
  RUNBOOK_VISIBILITY: '400ms',
  RUNBOOK_LIMITS: 'budgetWait=300ms,credentialsWait=300ms,margin=300ms,lateStart=2s',
  RUNBOOK_VERIFY: 'within=3s,stable=200ms',
  RUNBOOK_USUAL_DURATIONS: 'start=400ms,stop=400ms,restart=400ms,scale=400ms,rollback=400ms',
};

export async function startWorkerProcess({
  address,
  taskQueue,
  simulator,
  env = {},
}: WorkerPlace): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [WORKER], {
    env: {
      PATH: process.env['PATH'],
      ...QUICK,
      TEMPORAL_ADDRESS: address,
      RUNBOOK_TASK_QUEUE: taskQueue,
      SERVICESTAGE_ENDPOINT: simulator.url,
      SERVICESTAGE_REQUESTS_PER_SECOND: '500',
      SERVICESTAGE_BURST: '500',
      HUAWEICLOUD_SDK_PROJECT_ID: simulator.projectId,
      HUAWEICLOUD_SDK_IAM_ENDPOINT: simulator.url,
      HUAWEICLOUD_SDK_AK: simulator.accessKey,
      HUAWEICLOUD_SDK_SK: simulator.secretKey,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test that fails must not leave it behind.
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  child.once('exit', () => process.removeListener('exit', onExit));
  await untilReady(child);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid ?? 0,
    kill: async (signal) => {
      child.kill(signal);
      if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await ended;
    },
  };
}

async function untilReady(child: ChildProcess): Promise<void> {
  const log: string[] = [];
  const state = await new Promise<'ready' | 'ended' | 'late'>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log.push(line);
        if (line.includes('"worker ready"')) resolve('ready');
      });
    }
    child.once('exit', () => resolve('ended'));
    setTimeout(() => resolve('late'), READY_DEADLINE_MS).unref();
  });
  if (state !== 'ready') throw new Error(`The worker did not come up (${state}):\n${log.join('\n')}`);
}
