/**
 * The demo: starts a server, the simulator and a worker, and shows one `recover` run or a schedule live. Leaves
 * nothing running, however it ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { delimiter, resolve as resolvePath } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { listRunbooks } from '../runbooks/catalogue.js';
import { loadClientConfig } from '../config/config.js';
import { describeProblem } from '../domain/failures.js';
import { printableLines } from '../domain/text/text.js';
import { startSimulator, type RunningSimulator } from '../simulator/server.js';
import { portOrFree } from './ports.js';
import { startTemporalServer, type TemporalServer } from './temporal-server.js';

/** Options of `runbook demo`. */
export interface DemoOptions {
  /** Keep everything running until Ctrl-C. */
  readonly keep: boolean;
  /** The action whose cloud job fails; `null` for none. */
  readonly fail: string | null;
  /** Show a schedule that fires instead of a run started by hand. */
  readonly schedule: boolean;
}

const RUNBOOK = 'recover';
/** Not the instance in the README's first example, whose plan assumes that it is unchanged. */
const TARGET = 'shop/checkout/prod-2';
/** Used if they are free. Temporal's are those of its own dev server, which clients use by default. */
const PORTS = { temporal: 7233, ui: 8233, simulator: 8123 };
/** The user's own folders, which the worker reads; no other setting of ours is taken from the environment. */
const FOLDER_VARIABLES = ['RUNBOOK_DIR', 'RUNBOOK_CALENDARS'];
/** The simulated cloud is fast, so the demo waits less than it would for a real one. */
const WORKER_PACE = {
  RUNBOOK_USUAL_DURATIONS: 'start=2s,stop=1s,restart=3s,scale=2s,rollback=3s',
  RUNBOOK_VERIFY: 'within=20s,stable=1s',
  RUNBOOK_QUIET_PERIOD: '500ms',
  RUNBOOK_VISIBILITY_WINDOW: '2s',
};
/** Its server listens on loopback only, so that programs of this machine alone can call the operations. */
const WORKER_SERVICES = { RUNBOOK_NEXUS: 'on' };
const SHOWN_OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  none: ['succeeded'],
  stop: ['failed'],
  rollback: ['compensated'],
  start: ['failed'],
};
const WORKER_READY_DEADLINE_MS = 60_000;

/** Runs the demo. @returns the exit code: 0 if everything went as intended */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { keep } = options;
  const say = (line: string) => process.stdout.write(`${printableLines(line)}\n`);
  const closers: (() => Promise<void>)[] = [];
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve('interrupted'));
  });
  try {
    const shown = show(options, say, closers);
    const ended = await Promise.race([shown, interrupted]);
    if (ended === 'interrupted') {
      shown.catch(() => {}); // The demo is being stopped, so errors of what it was showing do not matter.
      say('\nInterrupted; stopping everything');
      return 130;
    }
    if (!keep) return ended;
    say('Everything keeps running until Ctrl-C');
    await interrupted;
    return ended;
  } finally {
    for (const close of closers.reverse())
      await close().catch((error: unknown) => say(`While stopping: ${String(error)}`));
  }
}

async function show(
  { keep, fail, schedule }: DemoOptions,
  say: (line: string) => void,
  closers: (() => Promise<void>)[],
): Promise<number> {
  // An address in the environment may be a real server with real runs, so the demo starts its own.
  const { TEMPORAL_ADDRESS: _real, ...env } = process.env;
  const [port, uiPort] = [await portOrFree(PORTS.temporal), await portOrFree(PORTS.ui)];
  const server = await startTemporalServer({ env, say, ui: true, port, uiPort });
  closers.push(() => server.close());
  say(`Temporal server    ${server.address}, UI ${server.uiUrl ?? 'none'}${notUsual(port, PORTS.temporal)}`);
  const simulator = await startSimulator({ world: 'demo', port: await portOrFree(PORTS.simulator) });
  closers.push(() => simulator.close());
  const simulatorPort = Number(new URL(simulator.url).port);
  say(`ServiceStage       simulated at ${simulator.url}${notUsual(simulatorPort, PORTS.simulator)}`);
  const own = ownEnvironment(server);
  await sayFolders(own, say);
  const worker = await startWorker({ ...own, ...workerEnvironment(simulator) });
  closers.push(() => endProcess(worker));
  worker.once('exit', (code, signal) => {
    const wasStopped = worker.killed || code === 0 || signal === 'SIGHUP';
    if (!wasStopped) say(`! The worker has ended (${signal ?? code}). Runs wait; stop the demo and start it again`);
  });
  say(`Worker             ready\n`);
  if (schedule) {
    const { showSchedule } = await import('./demo-schedule.js');
    const type = (words: readonly string[], folder: string) => typeCommand(words, server, say, closers, folder);
    const { address, namespace } = server;
    const exitCode = await showSchedule({ say, address, namespace, closers, type }, keep);
    say(['', ...nextSteps(server, simulator, keep)].join('\n'));
    return exitCode;
  }
  if (fail !== null) await armFailure(simulator, fail);
  const outcome = await showRun(server, say, closers);
  say(['', ...nextSteps(server, simulator, keep)].join('\n'));
  return SHOWN_OUTCOMES[fail ?? 'none']?.includes(outcome) === true ? 0 : 1;
}

function notUsual(port: number, usual: number): string {
  return port === usual ? '' : ` (port ${usual} is taken)`;
}

/**
 * The environment of worker and commands, without our variables that configure real servers; only folders are kept.
 */
function ownEnvironment({ address, namespace }: TemporalServer): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (FOLDER_VARIABLES.includes(name)) return [[name, absoluteFolders(value)]];
    return /^(TEMPORAL|RUNBOOK|SERVICESTAGE|HUAWEICLOUD)_/.test(name) ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(inherited), TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
}

/** npm runs scripts in the folder of the package; `INIT_CWD` is where the user typed. */
function absoluteFolders(folders: string): string {
  const from = process.env['npm_lifecycle_event'] === 'demo' ? (process.env['INIT_CWD'] ?? '.') : '.';
  return folders
    .split(delimiter)
    .map((folder) => (folder === '' ? '' : resolvePath(from, folder)))
    .join(delimiter);
}

/** Also prints the problems in them, because the worker's log is not shown. */
async function sayFolders(env: Record<string, string>, say: (line: string) => void): Promise<void> {
  const { runbookDirectories, calendarDirectories } = loadClientConfig(env);
  const { runbooks, folders, problems } = await listRunbooks(runbookDirectories);
  say(`Runbooks           ${runbooks.length}, read from ${folders.join(', ')}`);
  if (calendarDirectories.length > 0)
    say(`Calendars          read from ${calendarDirectories.map((folder) => resolvePath(folder)).join(', ')}`);
  for (const problem of problems) say(`! ${describeProblem(problem)}`);
}

function workerEnvironment(simulator: RunningSimulator): Record<string, string> {
  return {
    ...WORKER_PACE,
    ...WORKER_SERVICES,
    SERVICESTAGE_ENDPOINT: simulator.url,
    SERVICESTAGE_REQUESTS_PER_SECOND: '50',
    SERVICESTAGE_BURST: '50',
    HUAWEICLOUD_SDK_PROJECT_ID: simulator.projectId,
    HUAWEICLOUD_SDK_IAM_ENDPOINT: simulator.url,
    HUAWEICLOUD_SDK_AK: simulator.accessKey,
    HUAWEICLOUD_SDK_SK: simulator.secretKey,
  };
}

/** Starts the worker in its own process, as in production; its log is shown only if it fails. */
async function startWorker(env: Record<string, string>): Promise<ChildProcess> {
  const worker = spawn(process.execPath, [fileURLToPath(new URL('../worker.js', import.meta.url))], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => worker.kill('SIGKILL'));
  const log: string[] = [];
  const ready = new Promise<'ready' | 'ended'>((resolve) => {
    for (const stream of [worker.stdout, worker.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        log.push(line);
        if (log.length > 50) log.shift();
        if (line.includes('"worker ready"')) resolve('ready');
      });
    }
    worker.once('exit', () => resolve('ended'));
  });
  const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), WORKER_READY_DEADLINE_MS).unref());
  const state = await Promise.race([ready, late]);
  if (state === 'ready') return worker;
  worker.kill('SIGKILL');
  throw new Error(`The worker did not start (${state}):\n${log.join('\n')}`);
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(hard);
}

async function armFailure({ controlUrl, instances }: RunningSimulator, action: string): Promise<void> {
  const instanceId = instances.find(({ path }) => path === TARGET)?.id;
  await fetch(`${controlUrl}/outcomes`, {
    method: 'POST',
    body: JSON.stringify({ instanceId, action, executionStatus: 'FAILED' }),
  });
}

/** Runs `start --watch` as a user would. @returns the outcome */
async function showRun(
  server: TemporalServer,
  say: (line: string) => void,
  closers: (() => Promise<void>)[],
): Promise<string> {
  const words = ['start', RUNBOOK, '--target', TARGET, '--reason', 'the demo', '--watch'];
  const exitCode = await typeCommand(words, server, say, closers);
  const { EXIT_CODES } = await import('../domain/report/report.js');
  return Object.entries(EXIT_CODES).find(([, code]) => code === exitCode)?.[0] ?? `exit code ${exitCode}`;
}

/** Runs a command as a user would type it. @returns its exit code */
async function typeCommand(
  words: readonly string[],
  server: TemporalServer,
  say: (line: string) => void,
  closers: (() => Promise<void>)[],
  folder = process.cwd(),
): Promise<number> {
  say(`$ runbook ${words.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ')}`);
  const child = startCommandLine(words, ownEnvironment(server), folder);
  closers.push(() => endProcess(child));
  return exitCodeOf(child);
}

function startCommandLine(words: readonly string[], env: NodeJS.ProcessEnv, folder: string): ChildProcess {
  const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, ...words], {
    env,
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      code === null ? reject(new Error(`The command was killed by ${signal}`)) : resolve(code),
    );
  });
}

/** What a command needs to read the simulated ServiceStage. These keys open nothing else. */
function simulatedCloud({ url, projectId, accessKey, secretKey }: RunningSimulator): string {
  const variables = {
    SERVICESTAGE_ENDPOINT: url,
    HUAWEICLOUD_SDK_PROJECT_ID: projectId,
    HUAWEICLOUD_SDK_AK: accessKey,
    HUAWEICLOUD_SDK_SK: secretKey,
  };
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function nextSteps(server: TemporalServer, simulator: RunningSimulator, keep: boolean): string[] {
  const { demo, runbook } = howTyped();
  if (!keep) {
    return [
      'Try next:',
      `  ${demo} --fail rollback     see the undo`,
      `  ${demo} --schedule          see a schedule fire`,
      `  ${demo} --keep              keep everything running and start your own runs`,
      `  ${`${runbook} show recover`.padEnd(demo.length + 20)} read the runbook that just ran`,
    ];
  }
  const address = `TEMPORAL_ADDRESS=${server.address}`;
  return [
    `Temporal UI        ${server.uiUrl ?? ''}`,
    `Control API        ${simulator.controlUrl}`,
    'Try next, in a second terminal:',
    `  ${address} ${runbook} plan recover --target shop/checkout/prod-1`,
    `  ${address} ${runbook} start scale --target shop/catalog/prod-1 --input replica=6 --watch`,
    `  ${address} ${runbook} start stop --target billing/invoices/prod-1 --watch`,
    `\`${runbook} targets\` reads ServiceStage itself. In that terminal, give it the simulated one first:`,
    `  export ${simulatedCloud(simulator)}`,
    `  ${address} ${runbook} targets`,
  ];
}

/**
 * Prints commands in the form in which this demo was started: outside the clone, `npx runbook` would fetch an
 * unrelated package.
 */
function howTyped(): { demo: string; runbook: string } {
  const by = process.env['npm_lifecycle_event'];
  if (by === 'demo') return { demo: 'npm run demo --', runbook: 'npx runbook' };
  const runbook = by === 'npx' ? 'npx runbook' : 'runbook';
  return { demo: `${runbook} demo`, runbook };
}
