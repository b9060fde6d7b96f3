/** Builds a mutant: a copy of the product without one rule, compiled and bundled like the real one. The working tree is only read. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Mutation } from './mutation.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Everything that a build and a worker need, except the packages. */
const COPIED = ['src', 'runbooks', 'scripts/bundle.mjs', 'package.json', 'package-lock.json', 'tsconfig.json'];
/** A bundle with a matching stamp is reused: most mutations do not change the workflows, and bundling takes longest. */
const BUNDLE = ['dist/workflow-bundle.hash', 'dist/workflow-bundle.js'];

const run = promisify(execFile);

type Edited = Pick<Mutation, 'name' | 'edits'>;

/**
 * @param folder is created if missing, and must be empty
 *
 * @returns the path of the mutant's `dist`, whose `worker.js` is started like the real one
 *
 * @throws with the compiler's output if the mutant does not compile
 */
export async function buildMutant(mutation: Edited, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  // A worker recognises by its own real path that it was started, not imported.
  const place = await realpath(folder);
  for (const path of COPIED) await cp(join(ROOT, path), join(place, path), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  for (const file of filesOf(mutation)) {
    const path = join(place, file);
    await writeFile(path, mutated(mutation, file, await readFile(path, 'utf8')));
  }
  await build(mutation, place);
  return join(place, 'dist');
}

/** Every file that a mutation changes, once. */
export function filesOf({ edits }: Edited): string[] {
  return [...new Set(edits.map(({ file }) => file))];
}

/** @throws if the text of an edit does not appear exactly once in the file */
export function mutated({ name, edits }: Edited, file: string, text: string): string {
  let result = text;
  for (const { from, to } of edits.filter((edit) => edit.file === file)) {
    const [before, after, ...more] = result.split(from);
    if (before === undefined || after === undefined || more.length > 0) {
      const times = result.split(from).length - 1;
      throw new Error(`Mutation ${name}: this text appears ${times} times in ${file}, not once:\n${from}`);
    }
    result = `${before}${to}${after}`;
  }
  return result;
}

async function build({ name }: Edited, place: string): Promise<void> {
  await mkdir(join(place, 'dist'));
  for (const path of BUNDLE) await copyIfThere(join(ROOT, path), join(place, path));
  try {
    await run(join(place, 'node_modules/.bin/tsc'), ['-p', place], { cwd: place });
    await run(process.execPath, [join(place, 'scripts/bundle.mjs')], { cwd: place });
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? `\n${String(error.stdout)}` : '';
    throw new Error(`Mutation ${name} does not build: ${String(error)}${output}`, { cause: error });
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await cp(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
