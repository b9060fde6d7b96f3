/** Runs the `runbook` command in a test: in this process, which is fast, or built and in its own process. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../../src/cli/run-command-line.js';
import { keepEvidence } from './evidence.js';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Env = Readonly<Record<string, string>>;

/**
 * The parts of the process that a command uses. Each command called here has its own, so that several can run at
 * once.
 */
interface OwnProcess {
  readonly env: NodeJS.ProcessEnv;
  stdout: string;
  stderr: string;
}

const ownProcess = new AsyncLocalStorage<OwnProcess>();
let isDivided = false;

/**
 * Calls a command in this process, with only PATH and HOME from this environment, as `runbookProcess` does. For
 * commands that end by themselves. It does not show what needs a process: signals, forced exits, the working
 * directory, the built files.
 */
export async function runbook(words: readonly string[], env: Env = {}): Promise<Ended> {
  divideProcess();
  const own: OwnProcess = { env: cleanEnvironment(env), stdout: '', stderr: '' };
  const exitCode = await ownProcess.run(own, () => runCommandLine(words));
  return kept(words, { exitCode, stdout: own.stdout, stderr: own.stderr });
}

function kept(words: readonly string[], ended: Ended): Ended {
  const { exitCode, stdout, stderr } = ended;
  keepEvidence(`runbook ${words.join(' ')}: exit code ${exitCode}\n${stderr}${stdout}`);
  return ended;
}

/** From now on, code called by a command finds that command's environment and writes into its result. */
function divideProcess(): void {
  if (isDivided) return;
  isDivided = true;
  const { env } = process;
  Object.defineProperty(process, 'env', { configurable: true, get: () => ownProcess.getStore()?.env ?? env });
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = process[name];
    const write = stream.write.bind(stream);
    stream.write = ((...given: Parameters<typeof write>) => {
      const own = ownProcess.getStore();
      if (own === undefined) return write(...given);
      own[name] += String(given[0]);
      return true;
    }) as typeof write;
  }
}

function cleanEnvironment(env: Env): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env };
}

/** Runs the built command in its own process until it ends. */
export async function runbookProcess(words: readonly string[], env: Env = {}): Promise<Ended> {
  return kept(words, await endOf(spawnCommand(words, env)));
}

export function spawnCommand(
  words: readonly string[],
  env: Env = {},
  nodeWords: readonly string[] = [],
  folder?: string,
): ChildProcess {
  return spawn(process.execPath, [...nodeWords, MAIN, ...words], {
    env: cleanEnvironment(env),
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr })));
}

/** Resolves with the output of a running command as soon as it contains a match. @throws if the command ends first */
export function untilShown(child: ChildProcess, shows: RegExp): Promise<string> {
  let stdout = '';
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (shows.test(stdout)) resolve(stdout);
    });
    child.once('close', () => reject(new Error(`It ended before it showed ${shows.source}: ${stdout}`)));
  });
}

/** Resolves with the errors and hints of a running command as soon as they contain a match. @throws if the command ends first */
export function untilHinted(child: ChildProcess, shows: RegExp): Promise<string> {
  let stderr = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (shows.test(stderr)) resolve(stderr);
    });
    child.once('close', () => reject(new Error(`It ended before it printed ${shows.source}: ${stderr}`)));
  });
}
