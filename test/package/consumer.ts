/**
 * A project of another team: the packed tarball installed with npm into a folder of its own, outside of the repository.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { codeBlocksOf } from '../support/code-blocks.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TSC = join(root, 'node_modules/.bin/tsc');
/** An install on a slow machine without a cache; everything else is far quicker. */
const COMMAND_LIMIT_MS = 540_000;

export interface Consumer {
  readonly folder: string;
  /** Paths in the tarball, without the leading `package/`. */
  readonly packed: readonly string[];
  /** @throws with what the command printed */
  run(program: string, words: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  /** Compiles a folder by its own configuration. */
  compileFolder(name: string): Promise<string>;
  /** Compiles by a configuration of these compiler options beside the usual ones; output goes to `out/`. */
  compile(name: string, include: readonly string[], options: object): Promise<string>;
  remove(): Promise<void>;
}

export async function installConsumer(): Promise<Consumer> {
  const folder = await mkdtemp(join(tmpdir(), 'runbooks-consumer-'));
  const run: Consumer['run'] = (program, words, env = {}) => runIn(folder, program, words, env);
  // `prepack` builds and runs publint.
  await runIn(root, 'npm', ['pack', '--pack-destination', folder]);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  const listed = await run('tar', ['tzf', tarball]);
  await writeFile(join(folder, 'package.json'), JSON.stringify(await manifest(tarball)));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']);
  await cp(join(root, 'test/package/consumer'), folder, { recursive: true });
  await cp(join(root, 'examples/incident-service'), join(folder, 'incident-service'), { recursive: true });
  await writeDocumented(folder);
  return {
    folder,
    packed: listed
      .trim()
      .split('\n')
      .map((path) => path.replace(/^package\//, '')),
    run,
    compileFolder: (name) => run(TSC, ['-p', name]),
    compile: async (name, include, options) => {
      const compilerOptions = { ...USUAL, outDir: `out/${name}`, ...options };
      await writeFile(join(folder, `tsconfig.${name}.json`), JSON.stringify({ compilerOptions, include }));
      return run(TSC, ['-p', `tsconfig.${name}.json`]);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

const USUAL = {
  target: 'es2023',
  lib: ['es2023'],
  types: ['node'],
  rootDir: '.',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
};

/** The versions of our own lock file, so that npm needs nothing new from the registry. */
async function manifest(tarball: string): Promise<object> {
  const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const { hono, zod, '@hono/node-server': server } = own.dependencies;
  return {
    name: 'a-consumer',
    private: true,
    type: 'module',
    dependencies: { 'servicestage-runbooks': `file:${tarball}`, hono, zod, '@hono/node-server': server },
    devDependencies: { '@types/node': own.devDependencies['@types/node'] },
  };
}

/**
 * Writes every TypeScript block of the documentation as a module; blocks that continue an earlier one get its client.
 */
async function writeDocumented(folder: string): Promise<void> {
  await mkdir(join(folder, 'documented'));
  for (const document of ['README.md', 'docs/client.md', 'docs/nexus.md']) {
    const blocks = codeBlocksOf(await readFile(join(root, document), 'utf8'), 'ts');
    for (const [index, block] of blocks.entries()) {
      const continues = !/\brunbooks = /.test(block);
      const before = continues
        ? "import type { RunbookClient as AClient } from 'servicestage-runbooks';\ndeclare const runbooks: AClient;\n"
        : '';
      const name = `${document.replace(/\W/g, '-')}-${index + 1}.ts`;
      await writeFile(join(folder, 'documented', name), `${before}${block}\nexport {};\n`);
    }
  }
}

/** @throws with what the command printed */
export async function runIn(
  cwd: string,
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  // The variables that npm sets for its scripts must not reach the npm that we run.
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|TEMPORAL_)/i.test(name)),
  );
  try {
    const options = { cwd, env: { ...inherited, ...env }, timeout: COMMAND_LIMIT_MS, maxBuffer: 16 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)(program, words, options);
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${words.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}
