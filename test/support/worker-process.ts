/** The built worker in its own process, which a test can kill, freeze and start again, configured as in production. */
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunningSimulator } from '../../src/simulator/server.js';

const WORKER = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));
const READY_DEADLINE_MS = 60_000;
const KEPT_LINES = 30;

export interface WorkerProcess {
  readonly pid: number;
  /**
   * Sends a signal. After SIGKILL and SIGTERM, resolves when the process has ended.
   */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Resolves with its exit code, or `null` when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** The last lines it printed. */
  lastWords(): string;
  /** The next line it prints that matches. */
  nextLine(matches: (line: string) => boolean): Promise<string>;
}

export interface WorkerPlace {
  readonly address: string;
  readonly taskQueue: string;
  readonly simulator: RunningSimulator;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the built worker. */
  readonly program?: string;
  /** Receives each line that it prints. */
  readonly onLine?: (line: string) => void;
}

/** About a twentieth of the default times: heartbeat time-out 2.6 s. */
const QUICK = {
  RUNBOOK_READ_TIMEOUT: '300ms',
  RUNBOOK_POST_TIMEOUT: '1s',
  RUNBOOK_QUIET_PERIOD: '100ms',
  RUNBOOK_OPERATOR_WAIT: '0s',
  RUNBOOK_VISIBILITY_WINDOW: '400ms',
  RUNBOOK_LIMITS: 'budgetWait=300ms,credentialsWait=300ms,lease=1s,margin=600ms,lateStart=2s',
  RUNBOOK_VERIFY: 'within=3s,stable=200ms',
  RUNBOOK_USUAL_DURATIONS: 'start=400ms,stop=400ms,restart=400ms,scale=400ms,rollback=400ms',
};

export async function startWorkerProcess({
  address,
  taskQueue,
  simulator,
  env = {},
  program = WORKER,
  onLine,
}: WorkerPlace): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [program], {
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
  // A failing test must not leave the process behind.
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  child.once('exit', () => process.removeListener('exit', onExit));
  const printed = linesOf(child);
  const lines: string[] = [];
  if (onLine !== undefined) printed.on('line', onLine);
  printed.on('line', (line: string) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
  });
  await untilReady(child, lines);
  const ended = new Promise<number | null>((resolve) => child.once('exit', (exitCode) => resolve(exitCode)));
  return {
    pid: child.pid ?? 0,
    ended,
    lastWords: () => lines.join('\n'),
    nextLine: (matches) => nextLine(printed, matches),
    kill: async (signal) => {
      child.kill(signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended;
    },
  };
}

function nextLine(printed: EventEmitter, matches: (line: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    const onLine = (line: string) => {
      if (!matches(line)) return;
      printed.off('line', onLine);
      resolve(line);
    };
    printed.on('line', onLine);
  });
}

/** Emits `line` for each line of standard output and standard error. */
function linesOf(child: ChildProcess): EventEmitter {
  const printed = new EventEmitter();
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => printed.emit('line', line));
  return printed;
}

async function untilReady(child: ChildProcess, lines: readonly string[]): Promise<void> {
  const giveUpAtMs = Date.now() + READY_DEADLINE_MS;
  const isReady = () => lines.some((line) => line.includes('"worker ready"'));
  while (!isReady() && child.exitCode === null && child.signalCode === null && Date.now() < giveUpAtMs)
    await new Promise((resolve) => setTimeout(resolve, 20));
  if (isReady()) return;
  child.kill('SIGKILL');
  throw new Error(`The worker did not start (exit code ${child.exitCode ?? 'none'}):\n${lines.join('\n')}`);
}
