/** The `runbook` command in a test: called in this process, which is quick, or built and as a process of its own. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../../src/cli/run-command-line.js';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Env = Readonly<Record<string, string>>;

/** The parts of its process that a command sees: each one called here has its own, so that several run side by side. */
interface OwnProcess {
  readonly env: NodeJS.ProcessEnv;
  stdout: string;
  stderr: string;
}

const ownProcess = new AsyncLocalStorage<OwnProcess>();
let isDivided = false;

/**
 * Calls a command in this process, with nothing of this environment but PATH and HOME, as `runbookProcess` does. For commands that
 * end by themselves. What only a process shows is not seen: signals, exit by force, the folder it was started in, the built files.
 */
export async function runbook(words: readonly string[], env: Env = {}): Promise<Ended> {
  divideProcess();
  const own: OwnProcess = { env: cleanEnvironment(env), stdout: '', stderr: '' };
  const exitCode = await ownProcess.run(own, () => runCommandLine(words));
  return { exitCode, stdout: own.stdout, stderr: own.stderr };
}

/** From now on, code that a command of `runbook` calls finds that command's environment, and writes into its answer. */
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

/** The built command as a process of its own, to its end. */
export function runbookProcess(words: readonly string[], env: Env = {}): Promise<Ended> {
  return endOf(spawnCommand(words, env));
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

/** What a command that goes on has printed, as soon as it shows this. @throws when it ends before */
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
