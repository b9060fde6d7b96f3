/**
 * Finds exports of `src` without a doc comment. `undocumented-exports.txt` counts those that are left in each file; the
 * counts may only shrink.
 *
 *   npm run lint:docs                 compare with the exceptions
 *   npm run lint:docs -- src/client   list every place under a path
 *   npm run lint:docs -- --lower      write the lower counts
 */
import { readdirSync, readFileSync } from 'node:fs';
import { differences, growth, readCounts, writeCounts } from './shrinking-counts.mjs';

const EXCEPTIONS = new URL('undocumented-exports.txt', import.meta.url);
const FAULT = 'undocumented';
const EXPORT =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/;

/** A type and a value of one name count once: one doc comment serves both, as it does for a zod schema and its type. */
function exportsOf(path) {
  const lines = readFileSync(path, 'utf8').split('\n');
  const found = new Map();
  for (const [index, line] of lines.entries()) {
    const name = EXPORT.exec(line)?.[1];
    if (name === undefined) continue;
    const documented = lines[index - 1]?.trimEnd().endsWith('*/') ?? false;
    const before = found.get(name);
    found.set(name, {
      path,
      line: before?.line ?? index + 1,
      name,
      documented: documented || before?.documented === true,
    });
  }
  return [...found.values()];
}

const paths = readdirSync('src', { recursive: true }).map((path) => `src/${path.replaceAll('\\', '/')}`);
const all = paths
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .sort()
  .flatMap(exportsOf);
const missing = all.filter(({ documented }) => !documented);
const real = new Map();
for (const { path } of missing) real.set(`${path}\t${FAULT}`, (real.get(`${path}\t${FAULT}`) ?? 0) + 1);
const show = ({ path, line, name }) => console.error(`${path}:${line}  ${name} has no doc comment`);
const [argument] = process.argv.slice(2);

if (argument === '--lower') {
  const grown = growth(readCounts(EXCEPTIONS), real);
  for (const line of grown) console.error(line);
  if (grown.length > 0) process.exitCode = 1;
  else writeCounts(EXCEPTIONS, real);
} else if (argument !== undefined) {
  missing.filter(({ path }) => path.startsWith(argument)).forEach(show);
  console.error(`${all.length - missing.length} of ${all.length} exports in src have a doc comment`);
} else {
  const written = readCounts(EXCEPTIONS);
  for (const key of differences(written, real)) {
    const [path] = key.split('\t');
    process.exitCode = 1;
    if ((real.get(key) ?? 0) < (written.get(key) ?? 0))
      console.error(`${path}: fewer than written: npm run lint:docs -- --lower`);
    else missing.filter((one) => one.path === path).forEach(show);
  }
}
