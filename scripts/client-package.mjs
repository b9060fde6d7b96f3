// Writes the package `servicestage-runbooks-client` into dist-client, or into a new folder: the modules of dist/ that its entries reach, and
// the dependencies that they name.
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = await emptyFolder(process.argv[2]);
/** What may be imported, as in the whole package. */
const ENTRIES = { '.': 'dist/client/index', './nexus': 'dist/nexus/service' };
/** `from '…'`, `import '…'` and `import('…')`, as the compiler prints them at the start of a line or in an expression. */
const IMPORTED = /(?:^(?:import|export)\b[^'"]*\bfrom |^import |\bimport\()['"]([^'"]+)['"]/gm;

const files = new Set();
const packages = new Set();
for (const entry of Object.values(ENTRIES))
  for (const extension of ['js', 'd.ts']) await follow(join(root, `${entry}.${extension}`));

const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const { version, license, engines, repository, publishConfig } = own;
for (const file of files) {
  const copy = join(folder, relative(root, file));
  await mkdir(dirname(copy), { recursive: true });
  // Maps stay behind, since they name sources that no package holds.
  await writeFile(copy, (await readFile(file, 'utf8')).replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
}
for (const name of ['LICENSE', 'CHANGELOG.md']) await copyFile(join(root, name), join(folder, name));
await writeFile(join(folder, 'README.md'), readme());
await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
console.log(`${files.size} modules, ${packages.size} dependencies: ${folder}`);

/** @throws Error for a given folder that holds something: it may be a checkout */
async function emptyFolder(given) {
  const path = resolve(given ?? join(root, 'dist-client'));
  if (given === undefined) await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  if ((await readdir(path)).length > 0) throw new Error(`${path} is not empty`);
  return path;
}

/** Declarations are followed beside code: they import types that the code does not. */
async function follow(file) {
  if (files.has(file)) return;
  files.add(file);
  const code = await readFile(file, 'utf8');
  for (const [, name] of code.matchAll(IMPORTED)) {
    if (name.startsWith('.')) await follow(beside(file, name));
    else if (!name.startsWith('node:') && !builtinModules.includes(name)) packages.add(packageOf(name));
  }
}

function beside(file, name) {
  const path = resolve(dirname(file), name);
  return file.endsWith('.d.ts') ? path.replace(/\.js$/, '.d.ts') : path;
}

/** `@scope/name/lib/x.js` is of the package `@scope/name`. */
function packageOf(name) {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

/** @throws Error for a package that the whole product does not depend on */
function dependencies() {
  return Object.fromEntries(
    [...packages].sort().map((name) => {
      const exact = own.dependencies[name];
      if (exact === undefined)
        throw new Error(`the client imports ${name}, which is not in the dependencies of package.json`);
      return [name, exact];
    }),
  );
}

function manifest() {
  return {
    name: 'servicestage-runbooks-client',
    version,
    description: 'RunbookClient of servicestage-runbooks without its worker: starts, watches and reads runs',
    license,
    repository,
    type: 'module',
    engines,
    exports: {
      ...Object.fromEntries(
        Object.entries(ENTRIES).map(([name, entry]) => [name, { types: `./${entry}.d.ts`, default: `./${entry}.js` }]),
      ),
      './package.json': './package.json',
    },
    files: ['dist', 'CHANGELOG.md'],
    publishConfig,
    dependencies: dependencies(),
  };
}

function readme() {
  return `# servicestage-runbooks-client

\`RunbookClient\` of \`servicestage-runbooks\` ${version}, without the worker and its native code. The modules are the same;
\`docs/client.md\` of that project describes them.

    import { RunbookClient } from 'servicestage-runbooks-client';
`;
}
