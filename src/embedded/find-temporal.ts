/**
 * Finds the program of a local Temporal dev server: configured, on the PATH, cached, downloaded, or built once.
 * Reports what it does.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir, platform } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The newest stable version that `go install` can build; it embeds server 1.29.1. */
const CLI_MODULE = 'github.com/temporalio/cli/cmd/temporal';
const CLI_VERSION = 'v1.5.1';
const DOWNLOAD_DEADLINE_MS = 120_000;
const BUILD_DEADLINE_MS = 20 * 60_000;
const SIGN_OF_LIFE_MS = 10_000;

/** Prints a line of progress. */
export type Say = (line: string) => void;
type Environment = Readonly<Record<string, string | undefined>>;

/** Where to search for the program. */
export interface FindOptions {
  readonly env: Environment;
  readonly say: Say;
  /** Default: the user's cache folder. */
  readonly cacheDirectory?: string;
}

interface Source {
  readonly name: string;
  /** Returns the path of the program, or `null` if this source has none. */
  readonly find: () => Promise<string | null>;
}

/**
 * Tries each source in order.
 * @returns the path of a `temporal` program that runs.
 * @throws if every source failed, with all reasons
 */
export async function findTemporalProgram({
  env,
  say,
  cacheDirectory = defaultCacheDirectory(env),
}: FindOptions): Promise<string> {
  const program = platform() === 'win32' ? 'temporal.exe' : 'temporal';
  const cached = join(cacheDirectory, program);
  const sources: readonly Source[] = [
    { name: 'TEMPORAL_CLI_PATH', find: async () => env['TEMPORAL_CLI_PATH']?.trim() || null },
    { name: 'temporal on the PATH', find: () => onPath(program, env) },
    { name: `the cache (${cached})`, find: async () => ((await isExecutable(cached)) ? cached : null) },
    {
      name: "the SDK's download",
      find: () => onlyOnce(cacheDirectory, cached, say, () => download(cacheDirectory, cached, say)),
    },
    {
      name: `go install ${CLI_MODULE}@${CLI_VERSION}`,
      find: () => onlyOnce(cacheDirectory, cached, say, () => build(cacheDirectory, cached, env, say)),
    },
  ];
  const reasons: string[] = [];
  for (const { name, find } of sources) {
    try {
      const path = await find();
      if (path === null) {
        reasons.push(`${name}: not there`);
        continue;
      }
      await answers(path);
      return path;
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      // A program that was configured must work; silently using another one would be a surprise.
      if (name === 'TEMPORAL_CLI_PATH') break;
    }
  }
  throw new Error(
    [
      'No Temporal dev server was found. Tried:',
      ...reasons.map((reason) => `- ${reason}`),
      'Set TEMPORAL_ADDRESS to use a running server, or TEMPORAL_CLI_PATH to the path of the `temporal` program.',
    ].join('\n'),
  );
}

function defaultCacheDirectory(env: Environment): string {
  const base = {
    darwin: join(homedir(), 'Library', 'Caches'),
    win32: env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'),
  }[platform() as string];
  return join(
    env['XDG_CACHE_HOME'] || (base ?? join(homedir(), '.cache')),
    'servicestage-runbooks',
    `temporal-${CLI_VERSION}`,
  );
}

async function onPath(program: string, env: Environment): Promise<string | null> {
  for (const directory of (env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '')) {
    const path = join(directory, program);
    if (await isExecutable(path)) return path;
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function answers(path: string): Promise<void> {
  await run(path, ['--version'], { deadlineMs: 15_000 });
}

/** Several processes may need the program at once: one installs it, and the others wait. */
async function onlyOnce(
  cacheDirectory: string,
  cached: string,
  say: Say,
  make: () => Promise<string | null>,
): Promise<string | null> {
  const lock = join(cacheDirectory, 'lock');
  await mkdir(cacheDirectory, { recursive: true });
  const giveUpAtMs = Date.now() + BUILD_DEADLINE_MS;
  for (let waits = 0; ; waits++) {
    try {
      await mkdir(lock);
      break;
    } catch {
      const age =
        Date.now() -
        (await stat(lock).then(
          ({ mtimeMs }) => mtimeMs,
          () => Date.now(),
        ));
      if (age > BUILD_DEADLINE_MS || Date.now() > giveUpAtMs) await rm(lock, { recursive: true, force: true });
      if (waits === 0) say('Waiting for another process that is installing the Temporal dev server');
      await delay(500);
    }
  }
  // A killed process must not leave the lock behind.
  const unlock = () => rm(lock, { recursive: true, force: true });
  try {
    return (await isExecutable(cached)) ? cached : await make();
  } finally {
    await unlock();
  }
}

async function download(cacheDirectory: string, cached: string, say: Say): Promise<string | null> {
  say('Downloading the Temporal dev server');
  // Loaded late: only this source needs it.
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const downloaded = TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'cached-download', version: 'default', downloadDir: cacheDirectory, ttl: '365 days' },
      log: { format: 'json', level: 'error' },
    },
  });
  // The download itself has no time limit.
  const tooLong = delay(DOWNLOAD_DEADLINE_MS, null, { ref: false });
  const environment = await Promise.race([downloaded, tooLong]);
  if (environment === null) throw new Error(`no answer within ${DOWNLOAD_DEADLINE_MS / 1_000} s`);
  await environment.teardown();
  const entries = await readdir(cacheDirectory);
  const program = entries.find(
    (entry) => entry.startsWith('temporal-sdk-typescript') && !entry.endsWith('.downloading'),
  );
  if (program === undefined) return null;
  await rename(join(cacheDirectory, program), cached);
  return cached;
}

async function build(cacheDirectory: string, cached: string, env: Environment, say: Say): Promise<string | null> {
  if ((await onPath(platform() === 'win32' ? 'go.exe' : 'go', env)) === null) throw new Error('Go is not installed');
  const target = join(cacheDirectory, `build-${process.pid}`);
  say(
    `Building the Temporal dev server with Go (${CLI_VERSION}), once per user; this takes two to five minutes and, meanwhile, about 4 GB of disk`,
  );
  const beganAtMs = Date.now();
  const signs = setInterval(
    () => say(`… still building, ${Math.round((Date.now() - beganAtMs) / 1_000)} s`),
    SIGN_OF_LIFE_MS,
  );
  try {
    await run('go', ['install', '-trimpath', '-ldflags', '-s -w', `${CLI_MODULE}@${CLI_VERSION}`], {
      deadlineMs: BUILD_DEADLINE_MS,
      env: { ...env, GOBIN: target, GOFLAGS: '-mod=mod' },
    });
    const [program = 'temporal'] = await readdir(target);
    await rename(join(target, program), cached);
    say(`Built in ${Math.round((Date.now() - beganAtMs) / 1_000)} s, stored in ${cached}`);
    return cached;
  } finally {
    clearInterval(signs);
    await rm(target, { recursive: true, force: true });
  }
}

function run(
  command: string,
  commandArguments: readonly string[],
  { deadlineMs, env = process.env }: { deadlineMs: number; env?: Environment },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, {
      env: { ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: deadlineMs,
    });
    let lastWords = '';
    child.stderr.on('data', (chunk: Buffer) => (lastWords = `${lastWords}${chunk.toString()}`.slice(-600)));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${signal ?? code}: ${lastWords.trim().split('\n').at(-1) ?? ''}`));
    });
  });
}
