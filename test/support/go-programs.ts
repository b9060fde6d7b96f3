/** Programs of Prometheus for tests: named by a variable, found on the PATH or in the cache, unpacked from Debian's package, or built once with Go. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface GoProgram {
  readonly name: string;
  /** The variable that names another one. */
  readonly variable: string;
  readonly module: string;
  readonly version: string;
  /** Debian's package, whose programs are in `usr/bin`. It is only unpacked, which needs no rights. Absent: it is not asked for. */
  readonly debianPackage?: string;
}

/** @returns the path of the program. @throws if it cannot be found or built */
export async function findGoProgram(program: GoProgram): Promise<string> {
  const { name, variable, version, debianPackage } = program;
  const named = process.env[variable];
  if (named !== undefined) return named;
  const caches = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const cacheDirectory = join(caches, 'servicestage-runbooks', `${name}-${version}`);
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '');
  for (const directory of [...onPath, cacheDirectory]) {
    const path = join(directory, name);
    if (await runs(path)) return path;
  }
  await mkdir(cacheDirectory, { recursive: true });
  const target = await mkdtemp(join(cacheDirectory, 'build-'));
  try {
    const made =
      (debianPackage === undefined ? null : await unpacked(debianPackage, name, target)) ??
      (await built(program, target));
    const path = join(cacheDirectory, name);
    await rename(made, path);
    return path;
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}

function runs(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Takes seconds. @returns `null` if there is no apt, or it does not know the package */
async function unpacked(debianPackage: string, name: string, target: string): Promise<string | null> {
  try {
    await execute('apt-get', ['download', debianPackage], { cwd: target });
    const [file = ''] = (await readdir(target)).filter((entry) => entry.endsWith('.deb'));
    await execute('dpkg-deb', ['-x', join(target, file), join(target, 'unpacked')]);
    const path = join(target, 'unpacked', 'usr', 'bin', name);
    return (await runs(path)) ? path : null;
  } catch {
    return null;
  }
}

/** Takes about a minute on two cores for Alertmanager, and some for Prometheus. */
async function built({ name, module, version }: GoProgram, target: string): Promise<string> {
  await execute('go', ['install', '-trimpath', '-ldflags', '-s -w', `${module}@${version}`], {
    env: { ...process.env, GOBIN: target, GOFLAGS: '-mod=mod' },
  });
  return join(target, name);
}
