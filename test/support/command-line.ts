/** The built `runbook` command as a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function spawnCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  nodeWords: readonly string[] = [],
  folder?: string,
): ChildProcess {
  return spawn(process.execPath, [...nodeWords, MAIN, ...words], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
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

export function runbook(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return endOf(spawnCommand(words, env));
}
